// How a function is declared: `overload("string.indexOf(string, int): int", implementation, cost)`. A cost rule reads
// sizes only, so the same rule tells what a call did cost, and the most that it can cost.
import {
  boolType,
  bytesType,
  doubleType,
  durationType,
  dynType,
  intType,
  listOf,
  mapOf,
  nullType,
  opaque,
  optionalOf,
  param,
  stringType,
  timestampType,
  typeOf,
  uintType,
  type CelType,
} from "./cel-type.ts";
import type { Value } from "./value.ts";

/** The sizes of a call: of actual arguments, or the most that the declared types allow. */
export interface Sizes {
  /** Characters, bytes, items; 1 for everything without a length. */
  size(argument: number): number;
  /** What reading the argument through costs; for a list, all its items. */
  traversal(argument: number): number;
}

export type CostRule = (sizes: Sizes) => number;

export interface Overload {
  readonly name: string;
  /** `target.name(…)`: the target is the first parameter. */
  readonly member: boolean;
  readonly params: readonly CelType[];
  readonly result: CelType;
  readonly call: Implementation;
  /** 1 where it is not given. */
  readonly cost: CostRule | undefined;
  /** How large the result can be at most, when it has a length. */
  readonly resultSize: CostRule | undefined;
}

// Each implementation is only called with values that fit the signature.
export type Implementation = (...args: any[]) => Value;

const named: ReadonlyMap<string, CelType> = new Map<string, CelType>([
  ["dyn", dynType],
  ["null", nullType],
  ["bool", boolType],
  ["int", intType],
  ["uint", uintType],
  ["double", doubleType],
  ["string", stringType],
  ["bytes", bytesType],
  ["timestamp", timestampType],
  ["duration", durationType],
]);

const shape = /^(?:(.+?)\.)?([\w@?:[\]+\-*/%<>=!&|]+)\((.*)\): (.+)$/;

/**
 * `string.size(): int` is a member of strings, `size(string): int` is not; `::` stands for the dot of a namespace
 * (`sets::contains`). Capital letters are type parameters; other unknown names are types of libraries.
 */
export function overload(
  signature: string,
  call: Implementation,
  cost?: CostRule,
  resultSize?: CostRule,
): Overload {
  const found = shape.exec(signature);
  if (found === null) throw new Error(`not a signature: ${signature}`);
  const [, target, name = "", params = "", result = ""] = found;
  const types = splitTypes(params).map(parseType);
  return {
    name: name.replace("::", "."),
    member: target !== undefined,
    params: target === undefined ? types : [parseType(target), ...types],
    result: parseType(result),
    call,
    cost,
    resultSize,
  };
}

function splitTypes(text: string): string[] {
  const out: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "(") depth++;
    else if (text[at] === ")") depth--;
    else if (text[at] === "," && depth === 0) {
      out.push(text.slice(start, at).trim());
      start = at + 1;
    }
  }
  const last = text.slice(start).trim();
  return last === "" ? out : [...out, last];
}

function parseType(text: string): CelType {
  const simple = named.get(text);
  if (simple !== undefined) return simple;
  if (/^[A-Z]$/.test(text)) return param(text);
  const open = text.indexOf("(");
  if (open < 0) return opaque(text);
  const inner = splitTypes(text.slice(open + 1, -1)).map(parseType);
  const [first = dynType, second = dynType] = inner;
  switch (text.slice(0, open)) {
    case "list":
      return listOf(first);
    case "map":
      return mapOf(first, second);
    case "optional":
      return optionalOf(first);
    case "type":
      return typeOf(first);
    default:
      return opaque(text.slice(0, open), ...inner);
  }
}

/** Reading a string costs a tenth per character. */
export const stringFactor = 0.1;
/** A regular expression costs a quarter per character of its pattern. */
export const patternFactor = 0.25;

export const tenth = (size: number): number => Math.ceil(size * stringFactor);
/** Reads its first argument once. */
export const readsFirst: CostRule = (sizes) => tenth(sizes.size(0));
export const matchCost = (text: number, pattern: number): number =>
  tenth(text + 1) * Math.ceil(pattern * patternFactor);

export type FunctionTable = ReadonlyMap<string, readonly Overload[]>;

export function functionTable(...libraries: readonly (readonly Overload[])[]): FunctionTable {
  const table = new Map<string, Overload[]>();
  for (const one of libraries.flat()) {
    const known = table.get(one.name);
    if (known === undefined) table.set(one.name, [one]);
    else known.push(one);
  }
  return table;
}
