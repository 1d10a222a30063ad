// --sort-by: objects in the order of one of their fields. Pure.

import { isQuantity, compareQuantities } from "#machinery/quantity.ts";
import { CommandError } from "../command.ts";
import { compileJsonPath, JsonPathError, relaxedPath } from "#machinery/jsonpath/jsonpath.ts";

/** Numbers inside texts count as numbers: `pod-9` before `pod-10`. */
function compareNaturally(a: string, b: string): number {
  const parts = (text: string): string[] => text.match(/\d+|\D+/g) ?? [];
  const [left, right] = [parts(a), parts(b)];
  for (let index = 0; index < Math.min(left.length, right.length); index++) {
    const [x = "", y = ""] = [left[index], right[index]];
    if (x === y) continue;
    if (/^\d/.test(x) && /^\d/.test(y) && Number(x) !== Number(y)) return Number(x) - Number(y);
    return x < y ? -1 : 1;
  }
  return left.length - right.length;
}

function compareValues(a: unknown, b: unknown): number {
  if (a === undefined || b === undefined) return (a === undefined ? 0 : 1) - (b === undefined ? 0 : 1);
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "string" && typeof b === "string")
    return isQuantity(a) && isQuantity(b) ? compareQuantities(a, b) : compareNaturally(a, b);
  throw new CommandError(
    "The field in the API resource specified by --sort-by must be an integer or a string",
  );
}

export interface Sorted<T> {
  readonly sorted: readonly T[];
  /** `{.spec.x}` is a field of none of them. */
  readonly nowhere?: string;
}

export function sortBy<T>(items: readonly T[], objectOf: (item: T) => unknown, field: string): Sorted<T> {
  try {
    const template = relaxedPath(field);
    const path = compileJsonPath(template);
    const keyed = items.map((item) => ({ item, value: path.find(objectOf(item))[0]?.[0] }));
    if (keyed.length > 0 && keyed.every(({ value }) => value === undefined))
      return { sorted: [], nowhere: template };
    return { sorted: keyed.sort((a, b) => compareValues(a.value, b.value)).map(({ item }) => item) };
  } catch (thrown) {
    if (thrown instanceof JsonPathError) throw new CommandError(thrown.message);
    throw thrown;
  }
}
