// One step of a field path, as FieldsV1 writes it: `f:name` a field or map key, `k:{"name":"x"}` an item of a keyed
// list, `v:"x"` a value of a set, `i:0` an index. Parses, orders and prints them.

import { isObject } from "../json-object.ts";

export type PathElement = string;

const fieldCode = 0x66;

/** Fields come first, then keyed items, values, indexes. */
const rank = (element: PathElement): number => "fkvi".indexOf(element.charAt(0));

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const typeRank = (value: unknown): number => {
  switch (typeof value) {
    case "number":
      return 0;
    case "string":
      return 1;
    case "boolean":
      return 2;
    default:
      return value === null ? 3 : 4;
  }
};

function compareValues(a: unknown, b: unknown): number {
  const byType = typeRank(a) - typeRank(b);
  if (byType !== 0) return byType;
  if (typeof a === "number") return a - (b as number);
  if (typeof a === "string") return compareText(a, b as string);
  return compareText(JSON.stringify(a), JSON.stringify(b));
}

const isLetter = (code: number): boolean => (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;

function compareKeys(a: PathElement, b: PathElement): number {
  // Mostly names, which differ first in a letter. Numbers and quoted characters need a closer look.
  let same = 0;
  while (same < a.length && a.charCodeAt(same) === b.charCodeAt(same)) same++;
  const left = a.charCodeAt(same);
  const right = b.charCodeAt(same);
  if (isLetter(left) && isLetter(right)) return left - right;
  return compareParsedKeys(a, b);
}

function compareParsedKeys(a: PathElement, b: PathElement): number {
  const left = Object.entries(JSON.parse(a.slice(2)) as Record<string, unknown>);
  const right = Object.entries(JSON.parse(b.slice(2)) as Record<string, unknown>);
  for (let at = 0; at < left.length && at < right.length; at++) {
    const [leftName, leftValue] = left[at] as [string, unknown];
    const [rightName, rightValue] = right[at] as [string, unknown];
    const order = compareText(leftName, rightName) || compareValues(leftValue, rightValue);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

/** The canonical order of the members of one set. */
export function compareElements(a: PathElement, b: PathElement): number {
  if (a === b) return 0;
  if (a.charCodeAt(0) === fieldCode && b.charCodeAt(0) === fieldCode) return a < b ? -1 : 1;
  const left = rank(a);
  const right = rank(b);
  if (left !== right) return left - right;
  switch (left) {
    case 1:
      return compareKeys(a, b);
    case 2:
      return compareValues(JSON.parse(a.slice(2)), JSON.parse(b.slice(2)));
    case 3:
      return Number(a.slice(2)) - Number(b.slice(2));
    default:
      return compareText(a, b);
  }
}

export const fieldElement = (name: string): PathElement => `f:${name}`;
export const valueElement = (value: unknown): PathElement => `v:${JSON.stringify(value)}`;

export interface KeyPart {
  /** `"name":` */
  readonly label: string;
  readonly value: unknown;
}

export const keyLabel = (name: string): string => `${JSON.stringify(name)}:`;

/** The parts must be sorted by name. */
export function keyElement(parts: readonly KeyPart[]): PathElement {
  let text = "k:{";
  for (const [at, { label, value }] of parts.entries())
    text += `${at === 0 ? "" : ","}${label}${JSON.stringify(value)}`;
  return `${text}}`;
}

/** Brings an element from a client into the canonical spelling; undefined when it is none. */
export function canonicalElement(element: string): PathElement | undefined {
  const rest = element.slice(2);
  try {
    switch (element.slice(0, 2)) {
      case "f:":
        return element;
      case "v:":
        return valueElement(JSON.parse(rest));
      case "i:":
        return /^-?\d+$/.test(rest) ? `i:${Number(rest)}` : undefined;
      case "k:": {
        const keys: unknown = JSON.parse(rest);
        if (!isObject(keys)) return undefined;
        const sorted = Object.entries(keys).sort(([a], [b]) => compareText(a, b));
        return keyElement(sorted.map(([name, value]) => ({ label: keyLabel(name), value })));
      }
      default:
        return undefined;
    }
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const printValue = (value: unknown): string => JSON.stringify(value);

function printElement(element: PathElement): string {
  const rest = element.slice(2);
  switch (element.charAt(0)) {
    case "f":
      return `.${rest}`;
    case "k": {
      const keys = Object.entries(JSON.parse(rest) as Record<string, unknown>);
      return `[${keys.map(([name, value]) => `${name}=${printValue(value)}`).join(",")}]`;
    }
    case "v":
      return `[=${printValue(JSON.parse(rest))}]`;
    default:
      return `[${rest}]`;
  }
}

/** `.spec.containers[name="nginx"].image`: how conflicts and schema errors name a place. */
export const printPath = (path: readonly PathElement[]): string => path.map(printElement).join("");
