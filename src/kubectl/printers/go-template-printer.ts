// -o go-template and go-template-file.

import type { KubeObject } from "#machinery/meta.ts";
import { CommandError } from "../command.ts";
import { goText } from "#machinery/jsonpath/go-text.ts";
import { compileTemplate, TemplateError } from "../go-template/execute.ts";
import { compactJson } from "#machinery/jsonpath/jsonpath.ts";

export function goTemplatePrinter(text: string, allowMissing: boolean): (object: KubeObject) => string {
  let template;
  try {
    template = compileTemplate(text, { allowMissing });
  } catch (thrown) {
    if (!(thrown instanceof TemplateError)) throw thrown;
    throw new CommandError(`error parsing template ${text}, ${thrown.message}`);
  }
  return (object) => {
    try {
      return template.execute(object);
    } catch (thrown) {
      if (!(thrown instanceof TemplateError)) throw thrown;
      throw new CommandError(
        `error executing template ${JSON.stringify(text)}: ${thrown.message}`,
        1,
        `Error executing template: ${thrown.message}. Printing more information for debugging the template:\n\ttemplate was:\n\t\t${text}\n\traw data was:\n\t\t${compactJson(object)}\n\tobject given to template engine was:\n\t\t${goText(object)}\n\n`,
      );
    }
  };
}
