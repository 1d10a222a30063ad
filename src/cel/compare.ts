// Equality and order of values. Numbers of different types compare by amount; values of other different types differ.
import type { ListMerge } from "./cel-type.ts";
import {
  DurationValue,
  ListValue,
  MapValue,
  ObjectValue,
  OpaqueValue,
  OptionalValue,
  TimestampValue,
  TypeValue,
  UintValue,
  runtimeTypeName,
  type Value,
} from "./value.ts";

export const isNumber = (value: Value): value is bigint | number | UintValue =>
  typeof value === "bigint" || typeof value === "number" || value instanceof UintValue;

const amount = (value: bigint | number | UintValue): bigint | number =>
  value instanceof UintValue ? value.amount : value;

export function equal(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (isNumber(a) && isNumber(b)) return sameAmount(amount(a), amount(b));
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return false;
  if (a instanceof ListValue) return b instanceof ListValue && equalLists(a, b);
  if (a instanceof MapValue) return b instanceof MapValue && equalMaps(a, b);
  if (a instanceof ObjectValue) return b instanceof ObjectValue && equalObjects(a, b);
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  if (a instanceof TimestampValue) return b instanceof TimestampValue && a.nanos === b.nanos;
  if (a instanceof DurationValue) return b instanceof DurationValue && a.nanos === b.nanos;
  if (a instanceof OptionalValue)
    return b instanceof OptionalValue && a.present === b.present && equal(a.value, b.value);
  if (a instanceof TypeValue) return b instanceof TypeValue && a.name === b.name;
  return (
    a instanceof OpaqueValue &&
    b instanceof OpaqueValue &&
    a.typeName === b.typeName &&
    a.identity === b.identity
  );
}

function equalLists(a: ListValue, b: ListValue): boolean {
  if (a.length !== b.length) return false;
  const merge = a.merge ?? b.merge;
  if (merge !== undefined) return equalUnordered([...a], [...b], merge);
  for (let i = 0; i < a.length; i++) if (!equal(a.at(i), b.at(i))) return false;
  return true;
}

/** Lists whose schema says `set` or `map` are equal in any order. */
function equalUnordered(a: readonly Value[], b: readonly Value[], merge: ListMerge): boolean {
  if (merge.type === "set") {
    return includesAll(a, b) && includesAll(b, a);
  }
  const byKey = new Map(b.map((item) => [itemKey(item, merge.keys), item]));
  return (
    byKey.size === b.length &&
    a.every((item) => {
      const other = byKey.get(itemKey(item, merge.keys));
      return other !== undefined && equal(item, other);
    })
  );
}

const includesAll = (a: readonly Value[], b: readonly Value[]): boolean => {
  const texts = new Set(b.map(scalarKey));
  if (!texts.has(undefined)) return a.every((item) => texts.has(scalarKey(item)));
  return a.every((item) => b.some((other) => equal(item, other)));
};

const scalarKey = (value: Value): string | undefined => {
  if (typeof value === "string") return `"${value}`;
  return isNumber(value) || typeof value === "boolean" ? String(amount(value as bigint)) : undefined;
};

/** What tells the items of a list of type `map` apart. */
function itemKey(item: Value, keys: readonly string[]): string {
  if (!(item instanceof ObjectValue)) return "";
  return keys.map((key) => `${scalarKey(item.get(key) ?? null) ?? ""}\u0000`).join("");
}

function equalMaps(a: MapValue, b: MapValue): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a.entries()) {
    const other = b.get(key);
    if (other === undefined || !equal(value, other)) return false;
  }
  return true;
}

function equalObjects(a: ObjectValue, b: ObjectValue): boolean {
  for (const name of new Set([...a.type.fields.keys(), ...b.type.fields.keys()])) {
    const [x, y] = [a.get(name), b.get(name)];
    if (x === undefined || y === undefined ? x !== y : !equal(x, y)) return false;
  }
  return true;
}

/** Negative, zero, positive; undefined where the two have no order (NaN included). */
export function compareValues(a: Value, b: Value): number | undefined {
  if (isNumber(a) && isNumber(b)) return order(amount(a), amount(b));
  if (typeof a === "string" && typeof b === "string") return compareText(a, b);
  if (typeof a === "boolean" && typeof b === "boolean") return Number(a) - Number(b);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  if (a instanceof TimestampValue && b instanceof TimestampValue) return order(a.nanos, b.nanos);
  if (a instanceof DurationValue && b instanceof DurationValue) return order(a.nanos, b.nanos);
  return undefined;
}

const order = (a: bigint | number, b: bigint | number): number | undefined =>
  a < b ? -1 : a > b ? 1 : sameAmount(a, b) ? 0 : undefined;

/** Across the two kinds of numbers; NaN is not itself. */
const sameAmount = (a: bigint | number, b: bigint | number): boolean => a >= b && a <= b;

/** By code points, as the bytes of UTF-8 would be. */
function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x === y) continue;
    const [xHigh, yHigh] = [x >= 0xd800 && x <= 0xdfff, y >= 0xd800 && y <= 0xdfff];
    return xHigh === yHigh ? x - y : xHigh ? 1 : -1;
  }
  return a.length - b.length;
}

/** `list + list` where the schema gives the left one a list type. */
export function joinLists(a: ListValue, b: ListValue): ListValue {
  const merge = a.merge ?? b.merge;
  if (merge === undefined) return ListValue.joined(a, b);
  const out = [...a];
  if (merge.type === "set") {
    const known = new Set(out.map(scalarKey));
    for (const item of b) {
      const key = scalarKey(item);
      const present = key === undefined ? out.some((other) => equal(item, other)) : known.has(key);
      if (!present) out.push(item);
      known.add(key);
    }
    return ListValue.of(out, merge);
  }
  const places = new Map(out.map((item, at) => [itemKey(item, merge.keys), at]));
  for (const item of b) {
    const key = itemKey(item, merge.keys);
    const at = places.get(key);
    if (at === undefined) places.set(key, out.push(item) - 1);
    else out[at] = item;
  }
  return ListValue.of(out, merge);
}

/** For messages: what a value is, shortly. */
export const describeValue = (value: Value): string =>
  typeof value === "string" ? value : isNumber(value) ? String(amount(value)) : runtimeTypeName(value);
