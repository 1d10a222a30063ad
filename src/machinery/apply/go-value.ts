// JSON values as the documented schema errors print them: by type, briefly, or in full.

import { isObject } from "../json-object.ts";

/** `string`, `map[string]interface {}` */
export function typeText(value: unknown): string {
  switch (typeof value) {
    case "string":
      return "string";
    case "boolean":
      return "bool";
    case "number":
      return Number.isInteger(value) ? "int64" : "float64";
    default:
      return Array.isArray(value) ? "[]interface {}" : isObject(value) ? "map[string]interface {}" : "<nil>";
  }
}

const byKey = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : a > b ? 1 : 0);

/** `map[a:1 b:[x y]]` */
export function briefText(value: unknown): string {
  if (value === null || value === undefined) return "<nil>";
  if (Array.isArray(value)) return `[${value.map(briefText).join(" ")}]`;
  if (!isObject(value)) return String(value as string | number | boolean);
  const entries = Object.entries(value).sort(byKey);
  return `map[${entries.map(([key, inner]) => `${key}:${briefText(inner)}`).join(" ")}]`;
}

/** `[]interface {}{"x", 1}` */
export function fullText(value: unknown): string {
  if (value === null || value === undefined) return "interface {}(nil)";
  if (Array.isArray(value)) return `[]interface {}{${value.map(fullText).join(", ")}}`;
  if (!isObject(value)) return JSON.stringify(value);
  const entries = Object.entries(value).sort(byKey);
  return `map[string]interface {}{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${fullText(inner)}`).join(", ")}}`;
}
