// What a plain YAML scalar means to Kubernetes clients and servers: YAML 1.1 words (`yes`, `off`, `y`), numbers in
// every base, and whether a string may stand plain without being read as something else.

export type PlainValue =
  | { readonly kind: "string" | "timestamp"; readonly value: string }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "null" }
  /** Infinities and NaN: numbers that JSON cannot hold. `name` as clients show it. */
  | { readonly kind: "unsupported"; readonly name: string };

const words = new Map<string, PlainValue>();
const addWords = (value: PlainValue, ...texts: string[]): void => {
  for (const text of texts) words.set(text, value);
};
const anyCase = (word: string): string[] => [
  word,
  word.charAt(0).toUpperCase() + word.slice(1),
  word.toUpperCase(),
];
addWords({ kind: "null" }, "", "~", ...anyCase("null"));
addWords({ kind: "bool", value: true }, "y", "Y", ...anyCase("yes"), ...anyCase("on"), ...anyCase("true"));
addWords({ kind: "bool", value: false }, "n", "N", ...anyCase("no"), ...anyCase("off"), ...anyCase("false"));
addWords({ kind: "unsupported", name: "NaN" }, ".nan", ".NaN", ".NAN");
addWords({ kind: "unsupported", name: "+Inf" }, ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF");
addWords({ kind: "unsupported", name: "-Inf" }, "-.inf", "-.Inf", "-.INF");

const integer = /^([+-]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|0[0-7]*|[1-9][0-9]*)$/;
const float = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const date = /^\d{4}-\d{1,2}-\d{1,2}$/;
const moment =
  /^\d{4}-\d{1,2}-\d{1,2}(?:[Tt]\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})| +\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?)$/;
const sexagesimal = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;

const int64Least = -(2n ** 63n);
const uint64End = 2n ** 64n;

function readInteger(text: string): number | undefined {
  const found = integer.exec(text);
  if (found === null) return undefined;
  const digits = found[2] ?? "0";
  const octal = /^0[0-7]+$/.test(digits);
  const size = BigInt(octal ? `0o${digits.slice(1)}` : digits.toLowerCase());
  const value = found[1] === "-" ? -size : size;
  return value >= int64Least && value < uint64End ? Number(value) : undefined;
}

function readFloat(text: string): number | undefined {
  if (!float.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** The meaning of a plain (unquoted) scalar. */
export function resolvePlain(text: string): PlainValue {
  const word = words.get(text);
  if (word !== undefined) return word;
  if (!/^[-+.0-9]/.test(text)) return { kind: "string", value: text };
  if (date.test(text) || moment.test(text)) return { kind: "timestamp", value: text };
  const bare = text.startsWith(".") ? text : text.replaceAll("_", "");
  const value = readInteger(bare) ?? readFloat(bare);
  if (value === undefined) return { kind: "string", value: text };
  return { kind: "number", value: value === 0 ? 0 : value };
}

/** A string that a reader would take for something else must be quoted. */
export const mayStandPlain = (text: string): boolean =>
  resolvePlain(text).kind === "string" && !sexagesimal.test(text);
