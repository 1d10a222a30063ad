// Prints objects in the format that -o names: json, yaml, name, jsonpath, custom columns.

import type { JsonObject } from "#machinery/json-object.ts";
import { isObject } from "#machinery/json-object.ts";
import { parseApiVersion, type KubeObject } from "#machinery/meta.ts";
import { CommandError } from "../command.ts";
import type { ParsedFlags } from "../flags.ts";

/** An object, or a list of them, → the text to print. */
export type ObjectPrinter = (object: KubeObject) => string;

export const objectFormats = [
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
] as const;
const columnFormats = ["custom-columns", "custom-columns-file"] as const;
export const allFormats: readonly string[] = [...objectFormats, ...columnFormats];

export const noSuchFormat = (format: string, allowed: readonly string[]): CommandError =>
  new CommandError(
    `unable to match a printer suitable for the output format ${JSON.stringify(format)}, allowed formats are: ${allowed.toSorted().join(",")}`,
  );

/** `pod/web`, `deployment.apps/web`. */
export function objectName(object: KubeObject): string {
  const { group } = parseApiVersion(object.apiVersion ?? "");
  const kind = (object.kind ?? "").toLowerCase();
  const name = object.metadata?.name ?? "";
  return `${kind === "" ? "<unknown>" : group === "" ? kind : `${kind}.${group}`}/${name}`;
}

/** Lists know their items; everything else is its own only item. */
export function itemsOf(object: KubeObject): readonly KubeObject[] {
  const { items } = object as { items?: unknown };
  return Array.isArray(items) && (object.kind ?? "").endsWith("List") ? (items as KubeObject[]) : [object];
}

function withoutManagedFields(object: KubeObject): KubeObject {
  const { items } = object as { items?: unknown };
  if (Array.isArray(items))
    return { ...object, items: (items as KubeObject[]).map(withoutManagedFields) } as KubeObject;
  if (!isObject(object.metadata) || !Object.hasOwn(object.metadata, "managedFields")) return object;
  const { managedFields: _dropped, ...metadata } = object.metadata as JsonObject;
  return { ...object, metadata } as KubeObject;
}

/** `jsonpath={.x}` → the format and what follows it. */
export function splitFormat(output: string): {
  readonly format: string;
  readonly argument: string | undefined;
} {
  const at = output.indexOf("=");
  return at < 0
    ? { format: output, argument: undefined }
    : { format: output.slice(0, at), argument: output.slice(at + 1) };
}

/** The printer for -o, or undefined where the format is none of objects (`wide`, nothing). */
export async function objectPrinter(output: string, flags: ParsedFlags): Promise<ObjectPrinter | undefined> {
  const { format } = splitFormat(output);
  const shown = flags.has("show-managed-fields") && flags.bool("show-managed-fields");
  const strip = (object: KubeObject): KubeObject => (shown ? object : withoutManagedFields(object));
  switch (format) {
    case "json": {
      const { printJson } = await import("#machinery/codec/json-print.ts");
      return (object) => printJson(strip(object));
    }
    case "yaml": {
      const { printYaml } = await import("#machinery/codec/yaml-print.ts");
      let count = 0;
      return (object) => `${count++ === 0 ? "" : "---\n"}${printYaml(strip(object))}`;
    }
    case "name":
      return (object) =>
        itemsOf(object)
          .map((item) => `${objectName(item)}\n`)
          .join("");
    default:
      return undefined;
  }
}
