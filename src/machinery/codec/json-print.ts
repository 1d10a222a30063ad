// JSON as `kubectl get -o json` prints it: keys in byte order, four spaces, `<`, `>` and `&` escaped.
import { isObject } from "../json-object.ts";

const escaped = /[<>&\u2028\u2029]/g;

const escapeCharacter = (character: string): string =>
  `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;

/** JSON that may also stand in a page. */
export const escapeJson = (json: string): string => json.replace(escaped, escapeCharacter);

const text = (value: string): string => escapeJson(JSON.stringify(value));

const scalar = (value: unknown): string =>
  typeof value === "string" ? text(value) : value === undefined ? "null" : JSON.stringify(value);

/** UTF-8 byte order: code points, not UTF-16 units. */
function compareBytes(a: string, b: string): number {
  if (/[\ud800-\udfff]/.test(a + b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

function print(value: unknown, indent: string): string {
  const inner = `${indent}    `;
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    const items = (value as unknown[]).map((item) => inner + print(item, inner));
    return `[\n${items.join(",\n")}\n${indent}]`;
  }
  if (!isObject(value)) return scalar(value);
  const keys = Object.keys(value).filter((key) => value[key] !== undefined);
  if (keys.length === 0) return "{}";
  const members = keys.sort(compareBytes).map((key) => `${inner}${text(key)}: ${print(value[key], inner)}`);
  return `{\n${members.join(",\n")}\n${indent}}`;
}

/** One document, ending with a line end. */
export function printJson(value: unknown): string {
  return `${print(value, "")}\n`;
}
