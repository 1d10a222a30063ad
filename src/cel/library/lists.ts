// Kubernetes' list library (order, extremes, sum, positions) and the sets library.
import { compareValues, equal } from "../compare.ts";
import { overload, type CostRule, type Overload } from "../signature.ts";
import {
  DurationValue,
  EvaluationError,
  UintValue,
  noSuchOverload,
  type ListValue,
  type Value,
} from "../value.ts";
import { checkedInt, checkedUint } from "./operators.ts";

const once: CostRule = (sizes) => sizes.traversal(0);
const comparable = ["int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes"];

function order(a: Value, b: Value): number {
  const found = compareValues(a, b);
  if (found === undefined) throw noSuchOverload();
  return found;
}

function isSorted(list: ListValue): boolean {
  for (let i = 1; i < list.length; i++) if (order(list.at(i - 1), list.at(i)) > 0) return false;
  return true;
}

const extreme =
  (name: string, sign: number) =>
  (list: ListValue): Value => {
    if (list.length === 0) throw new EvaluationError(`${name} called on empty list`);
    let best = list.at(0);
    for (let i = 1; i < list.length; i++) {
      const item = list.at(i);
      if (order(item, best) * sign < 0) best = item;
    }
    return best;
  };

function add(a: Value, b: Value): Value {
  if (typeof a === "bigint" && typeof b === "bigint") return checkedInt(a + b);
  if (typeof a === "number" && typeof b === "number") return a + b;
  if (a instanceof UintValue && b instanceof UintValue) return checkedUint(a.amount + b.amount);
  if (a instanceof DurationValue && b instanceof DurationValue)
    return new DurationValue(checkedInt(a.nanos + b.nanos));
  throw noSuchOverload();
}

const summable: readonly (readonly [string, Value])[] = [
  ["int", 0n],
  ["uint", new UintValue(0n)],
  ["double", 0],
  ["duration", new DurationValue(0n)],
];

function indexOf(list: ListValue, value: Value): bigint {
  for (let i = 0; i < list.length; i++) if (equal(list.at(i), value)) return BigInt(i);
  return -1n;
}

function lastIndexOf(list: ListValue, value: Value): bigint {
  for (let i = list.length - 1; i >= 0; i--) if (equal(list.at(i), value)) return BigInt(i);
  return -1n;
}

export const lists: readonly Overload[] = [
  ...comparable.flatMap((type) => [
    overload(`list(${type}).isSorted(): bool`, isSorted, once),
    overload(`list(${type}).min(): ${type}`, extreme("min", 1), once),
    overload(`list(${type}).max(): ${type}`, extreme("max", -1), once),
  ]),
  ...summable.map(([type, zero]) =>
    overload(
      `list(${type}).sum(): ${type}`,
      (list: ListValue) => (list.length === 0 ? zero : [...list].reduce(add)),
      once,
    ),
  ),
  overload("list(A).indexOf(A): int", indexOf, once),
  overload("list(A).lastIndexOf(A): int", lastIndexOf, once),
];

const containsAll = (list: ListValue, part: ListValue): boolean =>
  [...part].every((value) => indexOf(list, value) >= 0n);
const everyPair: CostRule = (sizes) => sizes.size(0) * sizes.size(1);

export const sets: readonly Overload[] = [
  overload("sets::contains(list(A), list(A)): bool", containsAll, everyPair),
  overload(
    "sets::equivalent(list(A), list(A)): bool",
    (a: ListValue, b: ListValue) => containsAll(a, b) && containsAll(b, a),
    (sizes) => 2 * everyPair(sizes),
  ),
  overload(
    "sets::intersects(list(A), list(A)): bool",
    (a: ListValue, b: ListValue) => [...b].some((value) => indexOf(a, value) >= 0n),
    everyPair,
  ),
];
