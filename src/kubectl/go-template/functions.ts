// The functions of go-templates that Kubernetes' users have: comparing, indexing, printing, escaping. Pure.

import { isObject } from "#machinery/json-object.ts";
import { goQuote, goText, goTypeName } from "#machinery/jsonpath/go-text.ts";
import { TemplateError } from "./tokens.ts";

type Value = unknown;
type Function = (args: readonly Value[]) => Value;

export function isTrue(value: Value): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (isObject(value)) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** As an action prints it. */
export const printed = (value: Value): string =>
  value === null || value === undefined ? "<no value>" : goText(value);

const isBasic = (value: Value): value is string | number | boolean =>
  ["string", "number", "boolean"].includes(typeof value);

function basicKind(value: Value): string {
  if (!isBasic(value)) throw new TemplateError("invalid type for comparison");
  return typeof value === "number"
    ? Number.isInteger(value)
      ? "int"
      : "float64"
    : typeof value === "boolean"
      ? "bool"
      : "string";
}

function checkSameKind(a: Value, b: Value): void {
  const [left, right] = [basicKind(a), basicKind(b)];
  if (left !== right) throw new TemplateError(`incompatible types for comparison: ${left} and ${right}`);
}

function isEqual(a: Value, b: Value): boolean {
  if (a === null || a === undefined || b === null || b === undefined) return (a ?? null) === (b ?? null);
  checkSameKind(a, b);
  return a === b;
}

function isLess(a: Value, b: Value): boolean {
  checkSameKind(a, b);
  if (typeof a === "boolean") throw new TemplateError("invalid type for comparison");
  return (a as string | number) < (b as string | number);
}

function indexOf([of, ...keys]: readonly Value[]): Value {
  let value = of;
  for (const key of keys) {
    if (Array.isArray(value)) {
      if (typeof key !== "number")
        throw new TemplateError(`cannot index slice/array with type ${goTypeName(key)}`);
      if (key < 0 || key >= value.length) throw new TemplateError(`index out of range: ${key}`);
      value = (value as Value[])[key];
    } else if (isObject(value)) value = Object.hasOwn(value, String(key)) ? value[String(key)] : undefined;
    else if (value === null || value === undefined) throw new TemplateError("index of untyped nil");
    else throw new TemplateError(`can't index item of type ${goTypeName(value)}`);
  }
  return value;
}

function lengthOf([value]: readonly Value[]): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (isObject(value)) return Object.keys(value).length;
  throw new TemplateError(
    value === null || value === undefined ? "len of nil pointer" : `len of type ${goTypeName(value)}`,
  );
}

/** Values side by side, a space between two that are no texts. */
function print(args: readonly Value[]): string {
  return args
    .map((value, index) => {
      const before = args[index - 1];
      const gap = index > 0 && typeof value !== "string" && typeof before !== "string" ? " " : "";
      return gap + goText(value);
    })
    .join("");
}

function formatOne(verb: string, value: Value, precision: number | undefined): string {
  switch (verb) {
    case "q":
      return typeof value === "string" ? goQuote(value) : goText(value);
    case "x":
      return typeof value === "number" ? value.toString(16) : Buffer.from(goText(value)).toString("hex");
    case "f":
      return typeof value === "number"
        ? value.toFixed(precision ?? 6)
        : `%!f(${goTypeName(value)}=${goText(value)})`;
    case "d":
      return Number.isInteger(value) ? String(value as number) : `%!d(${goTypeName(value)}=${goText(value)})`;
    case "s":
    case "v":
    case "t": {
      const text = goText(value);
      return precision === undefined || verb !== "s" ? text : [...text].slice(0, precision).join("");
    }
    case "T":
      return goTypeName(value);
    default:
      return `%!${verb}(${goTypeName(value)}=${goText(value)})`;
  }
}

function printf([format, ...args]: readonly Value[]): string {
  let used = 0;
  const text = String(format).replace(
    /%([-+ 0#]*)(\d+)?(?:\.(\d+))?(.)/gs,
    (_, marks: string, width: string | undefined, precision: string | undefined, verb: string) => {
      if (verb === "%") return "%";
      if (used >= args.length) return `%!${verb}(MISSING)`;
      const shown = formatOne(verb, args[used++], precision === undefined ? undefined : Number(precision));
      if (width === undefined) return shown;
      if (marks.includes("-")) return shown.padEnd(Number(width));
      return shown.padStart(Number(width), marks.includes("0") ? "0" : " ");
    },
  );
  const extra = args.slice(used).map((value) => `${goTypeName(value)}=${goText(value)}`);
  return extra.length === 0 ? text : `${text}%!(EXTRA ${extra.join(", ")})`;
}

const htmlEscapes: Readonly<Record<string, string>> = {
  "<": "&lt;",
  ">": "&gt;",
  "&": "&amp;",
  '"': "&#34;",
  "'": "&#39;",
};

export const functions: ReadonlyMap<string, Function> = new Map<string, Function>([
  ["eq", ([first, ...rest]) => rest.some((other) => isEqual(first, other))],
  ["ne", ([a, b]) => !isEqual(a, b)],
  ["lt", ([a, b]) => isLess(a, b)],
  ["le", ([a, b]) => isLess(a, b) || isEqual(a, b)],
  ["gt", ([a, b]) => !isLess(a, b) && !isEqual(a, b)],
  ["ge", ([a, b]) => !isLess(a, b)],
  ["not", ([value]) => !isTrue(value)],
  ["len", lengthOf],
  ["index", indexOf],
  [
    "slice",
    ([value, from, to]) =>
      (value as string).slice((from as number | undefined) ?? 0, to as number | undefined),
  ],
  ["print", print],
  ["println", (args) => `${args.map(goText).join(" ")}\n`],
  ["printf", printf],
  ["html", (args) => print(args).replace(/[<>&"']/g, (character) => htmlEscapes[character] as string)],
  [
    "js",
    (args) =>
      JSON.stringify(print(args))
        .slice(1, -1)
        .replaceAll("'", "\\'")
        .replace(/[<>&=]/g, (one) => `\\u00${one.charCodeAt(0).toString(16).toUpperCase()}`),
  ],
  ["urlquery", (args) => encodeURIComponent(print(args)).replaceAll("%20", "+")],
  ["base64decode", ([text]) => Buffer.from(String(text), "base64").toString()],
  [
    "exists",
    ([value, ...keys]) => {
      let at = value;
      for (const key of keys) {
        if (Array.isArray(at)) at = (at as Value[])[key as number];
        else if (isObject(at)) at = Object.hasOwn(at, String(key)) ? at[String(key)] : undefined;
        else return false;
        if (at === undefined) return false;
      }
      return true;
    },
  ],
]);
