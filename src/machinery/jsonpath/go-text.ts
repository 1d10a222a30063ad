// Values as text the way the language of kubectl's own makes them: in columns (`map[a:1 b:2]`) and in its error
// messages (`map[string]interface {}{"a":1}`). Pure.

import { isObject } from "../json-object.ts";

/** `%v`. */
export function goText(value: unknown): string {
  if (value === null || value === undefined) return "<nil>";
  if (Array.isArray(value)) return `[${(value as unknown[]).map(goText).join(" ")}]`;
  if (isObject(value))
    return `map[${Object.keys(value)
      .sort()
      .map((key) => `${key}:${goText(value[key])}`)
      .join(" ")}]`;
  return String(value as string | number | boolean);
}

export function goTypeName(value: unknown): string {
  if (Array.isArray(value)) return "[]interface {}";
  if (isObject(value)) return "map[string]interface {}";
  if (typeof value === "number") return Number.isInteger(value) ? "int64" : "float64";
  return typeof value === "boolean" ? "bool" : typeof value;
}

const controls: Readonly<Record<string, string>> = {
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};

/** A quoted text: `%q`. */
export const goQuote = (text: string): string =>
  `"${text.replace(/[\\"]|[\u0000-\u001f\u007f]/g, (character) => controls[character] ?? (character >= " " && character !== "\u007f" ? `\\${character}` : `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`))}"`;

/** `%#v`. */
export function goSyntax(value: unknown): string {
  if (value === null || value === undefined) return "interface {}(nil)";
  if (typeof value === "string") return goQuote(value);
  if (Array.isArray(value)) return `[]interface {}{${(value as unknown[]).map(goSyntax).join(", ")}}`;
  if (!isObject(value)) return String(value as number | boolean);
  const members = Object.keys(value)
    .sort()
    .map((key) => `${goQuote(key)}:${goSyntax(value[key])}`);
  return `map[string]interface {}{${members.join(", ")}}`;
}
