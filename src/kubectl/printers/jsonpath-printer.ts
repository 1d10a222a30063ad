// -o jsonpath, jsonpath-as-json and jsonpath-file.

import { printJson } from "#machinery/codec/json-print.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { CommandError } from "../command.ts";
import { goQuote, goSyntax } from "#machinery/jsonpath/go-text.ts";
import { compileJsonPath, JsonPathError, printResults } from "#machinery/jsonpath/jsonpath.ts";

export function jsonPathPrinter(
  template: string,
  { asJson, allowMissing }: { readonly asJson: boolean; readonly allowMissing: boolean },
): (object: KubeObject) => string {
  let path;
  try {
    path = compileJsonPath(template, { allowMissing });
  } catch (thrown) {
    if (!(thrown instanceof JsonPathError)) throw thrown;
    throw new CommandError(`error parsing jsonpath ${template}, ${thrown.message}`);
  }
  return (object) => {
    try {
      const found = path.find(object);
      return asJson ? found.map((results) => printJson(results)).join("") : printResults(found);
    } catch (thrown) {
      if (!(thrown instanceof JsonPathError)) throw thrown;
      throw new CommandError(
        `error executing jsonpath ${goQuote(template)}: Error executing template: ${thrown.message}. Printing more information for debugging the template:\n\ttemplate was:\n\t\t${template}\n\tobject given to jsonpath engine was:\n\t\t${goSyntax(object)}\n\n`,
      );
    }
  };
}
