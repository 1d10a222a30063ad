// The `fieldPath` of a rule: `.spec.list['odd name']`, checked against the schema and written as errors write paths.
import { child, keyed } from "#machinery/field-error.ts";
import type { RuleSchema } from "./rule-schema.ts";

export type FieldPath =
  | { readonly path: string; readonly error?: undefined }
  | { readonly path?: undefined; readonly error: string };

const step = /\.([^.[]+)|\['((?:[^'\\]|\\.)*)'\]/y;

export function checkFieldPath(text: string, schema: RuleSchema): FieldPath {
  let path = "";
  let node: RuleSchema | undefined = schema;
  let at = 0;
  while (at < text.length) {
    step.lastIndex = at;
    const found = step.exec(text);
    if (found === null) return { error: problemAt(text.slice(at)) };
    const name = found[1] ?? (found[2] ?? "").replace(/\\(.)/g, "$1");
    const next: RuleSchema | undefined = Object.hasOwn(node.properties ?? {}, name)
      ? node.properties?.[name]
      : undefined;
    if (next !== undefined) path = child(path, name);
    else if (typeof node.additionalProperties === "object") path = keyed(path, name);
    else return { error: "does not refer to a valid field" };
    node = next ?? (node.additionalProperties as RuleSchema);
    at += found[0].length;
  }
  return path === "" ? { error: "must not be empty" } : { path };
}

function problemAt(rest: string): string {
  if (rest.startsWith(".")) return "expected a field name after .";
  const inner = /^\[([^\]]*)/.exec(rest);
  if (inner === null) return `expected [ or . but got: ${rest}`;
  return `expected single quoted string but got ${inner[1] ?? ""}`;
}
