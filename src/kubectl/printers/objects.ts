// Prints objects in the format that -o names: json, yaml, name, jsonpath, custom columns.

import type { JsonObject } from "#machinery/json-object.ts";
import { isObject } from "#machinery/json-object.ts";
import { groupResource, parseApiVersion, type KubeObject } from "#machinery/meta.ts";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { CommandError, type Context } from "../command.ts";
import type { ParsedFlags } from "../flags.ts";
import { itemsOf } from "./list-items.ts";

/** An object, or a list of them, → the text to print. */
export type ObjectPrinter = (object: KubeObject) => string;

const objectFormats: readonly string[] = [
  "go-template",
  "go-template-file",
  "json",
  "jsonpath",
  "jsonpath-as-json",
  "jsonpath-file",
  "kyaml",
  "name",
  "template",
  "templatefile",
  "yaml",
];

const noSuchFormat = (format: string, allowed: readonly string[]): CommandError =>
  new CommandError(
    `unable to match a printer suitable for the output format ${JSON.stringify(format)}, allowed formats are: ${allowed.toSorted().join(",")}`,
  );

/** `pod/web`, `deployment.apps/web`. */
export function objectName(object: KubeObject): string {
  const { group } = parseApiVersion(object.apiVersion ?? "");
  const kind = (object.kind ?? "").toLowerCase();
  const name = object.metadata?.name || "<unknown>";
  return `${kind === "" ? "<unknown>" : groupResource({ group, resource: kind })}/${name}`;
}

function withoutManagedFields(object: KubeObject): KubeObject {
  const { items } = object as { items?: unknown };
  if (Array.isArray(items))
    return { ...object, items: (items as KubeObject[]).map(withoutManagedFields) } as KubeObject;
  if (!isObject(object.metadata) || !Object.hasOwn(object.metadata, "managedFields")) return object;
  const { managedFields: _dropped, ...metadata } = object.metadata as JsonObject;
  return { ...object, metadata } as KubeObject;
}

/** Formats that need a template, and how each is called alone. */
const templated = new Set([
  "jsonpath",
  "jsonpath-as-json",
  "jsonpath-file",
  "custom-columns",
  "custom-columns-file",
  "go-template",
  "go-template-file",
  "template",
  "templatefile",
]);

interface Asked {
  readonly format: string;
  readonly template: string;
}

/** `jsonpath={.x}`, or `jsonpath` with the template in --template. */
function askedFormat(flags: ParsedFlags): Asked | undefined {
  const output = flags.string("output");
  const given = flags.has("template") ? flags.string("template") : "";
  if (output === "") return given === "" ? undefined : { format: "go-template", template: given };
  const at = output.indexOf("=");
  const name = at < 0 ? output : output.slice(0, at);
  if (at >= 0 && templated.has(name) && given === "") return { format: name, template: output.slice(at + 1) };
  if (templated.has(output)) return { format: output, template: given };
  return {
    format: output.toLowerCase() === "json" ? "json" : output.toLowerCase() === "yaml" ? "yaml" : output,
    template: "",
  };
}

function readTemplate(path: string, cwd: string, what: string): string {
  try {
    return readFileSync(resolve(cwd, path), "utf8");
  } catch {
    throw new CommandError(`error reading ${what} ${path}, open ${path}: no such file or directory`);
  }
}

async function templatePrinter({ format, template }: Asked, { flags, io }: Context): Promise<ObjectPrinter> {
  if (format.startsWith("custom-columns")) {
    const { columnsPrinter, parseColumns, parseColumnsFile } = await import("./custom-columns.ts");
    const noHeaders = flags.has("no-headers") && flags.bool("no-headers");
    if (template === "")
      throw new CommandError("custom-columns format specified but no custom columns given");
    const columns = format.endsWith("-file")
      ? parseColumnsFile(readTemplate(template, io.cwd, "template"))
      : parseColumns(template);
    return columnsPrinter(columns, noHeaders);
  }
  if (template === "") throw new CommandError("template format specified but no template given");
  if (!format.startsWith("jsonpath")) {
    const { goTemplatePrinter } = await import("./go-template-printer.ts");
    const text = format.endsWith("file") ? readTemplate(template, io.cwd, "--template") : template;
    return goTemplatePrinter(text, flags.bool("allow-missing-template-keys"));
  }
  const { jsonPathPrinter } = await import("./jsonpath-printer.ts");
  return jsonPathPrinter(
    format === "jsonpath-file" ? readTemplate(template, io.cwd, "--template") : template,
    { asJson: format === "jsonpath-as-json", allowMissing: flags.bool("allow-missing-template-keys") },
  );
}

/**
 * The printer that -o asks for, or undefined where it asks for none of objects (nothing, `wide`). `columns` says
 * whether the command knows custom columns and `wide`; `typed` keeps the fields of JSON in their order.
 */
export async function objectPrinter(
  context: Context,
  { columns, typed = false }: { readonly columns: boolean; readonly typed?: boolean },
): Promise<ObjectPrinter | undefined> {
  const { flags } = context;
  const asked = askedFormat(flags);
  if (asked === undefined || (columns && asked.format === "wide")) return undefined;
  const shown = flags.has("show-managed-fields") && flags.bool("show-managed-fields");
  const strip = (object: KubeObject): KubeObject => (shown ? object : withoutManagedFields(object));
  if (templated.has(asked.format) && (columns || !asked.format.startsWith("custom-columns")))
    return templatePrinter(asked, context);
  switch (asked.format) {
    case "json": {
      if (typed) {
        const { printTypedJson } = await import("./typed-json.ts");
        return (object) => printTypedJson(strip(object));
      }
      const { printJson } = await import("#machinery/codec/json-print.ts");
      return (object) => printJson(strip(object));
    }
    case "yaml": {
      const { printYaml } = await import("#machinery/codec/yaml-print.ts");
      let count = 0;
      return (object) => `${count++ === 0 ? "" : "---\n"}${printYaml(strip(object))}`;
    }
    case "kyaml": {
      const { printKyaml } = await import("./kyaml.ts");
      if (typed) {
        const { inTypeOrder } = await import("./typed-json.ts");
        return (object) => printKyaml(inTypeOrder(strip(object)), { typed });
      }
      return (object) => printKyaml(strip(object));
    }
    case "name":
      return (object) =>
        itemsOf(object)
          .map((item) => `${objectName(item)}\n`)
          .join("");
    default:
      throw noSuchFormat(
        flags.string("output"),
        columns ? [...objectFormats, "custom-columns", "custom-columns-file", "wide"] : objectFormats,
      );
  }
}
