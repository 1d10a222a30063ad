// -o kyaml: YAML that is all braces and quotes, so that nothing depends on indentation or on guessed types. Pure.

import { isObject } from "#machinery/json-object.ts";

const plainKey = /^[A-Za-z_][\w./-]*$/;
const ambiguous = /^(y|yes|n|no|true|false|on|off|null|~)$/i;

const key = (name: string): string =>
  plainKey.test(name) && !ambiguous.test(name) ? name : JSON.stringify(name);

/** A text of several lines stays readable: one line each, joined by escaped line ends. */
function text(value: string, indent: string): string {
  if (!value.includes("\n")) return JSON.stringify(value);
  const lines = value.split("\n").map((line) => JSON.stringify(line).slice(1, -1));
  const inner = `${indent}  `;
  const body = lines
    .slice(0, -1)
    .map((line) => `${inner} ${line}\\n\\\n`)
    .join("");
  const last = lines.at(-1) ?? "";
  return `"\\\n${body}${inner}${last === "" ? "" : ` ${last}`}"`;
}

type Order = (keys: string[]) => readonly string[];

function print(value: unknown, indent: string, order: Order): string {
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    const items = value as unknown[];
    if (items.every(isObject)) return `[${items.map((item) => print(item, indent, order)).join(", ")}]`;
    return `[\n${items.map((item) => `${inner}${print(item, inner, order)},\n`).join("")}${indent}]`;
  }
  if (isObject(value)) {
    const keys = Object.keys(value).filter((name) => value[name] !== undefined);
    if (keys.length === 0) return "{}";
    const members = order(keys).map((name) => `${inner}${key(name)}: ${print(value[name], inner, order)},\n`);
    return `{\n${members.join("")}${indent}}`;
  }
  return typeof value === "string" ? text(value, indent) : JSON.stringify(value ?? null);
}

/** Keys in the order of the alphabet, or (of a typed object) as they stand. */
export const printKyaml = (value: unknown, { typed = false } = {}): string =>
  `---\n${print(value, "", typed ? (keys) => keys : (keys) => keys.sort())}\n`;
