// The operators of the language: arithmetic that never wraps, comparison, equality, membership, indexes.
import { compareValues, describeValue, equal, joinLists } from "../compare.ts";
import { overload, tenth, type CostRule, type Overload } from "../signature.ts";
import { durationInRange, timestampInRange } from "../time.ts";
import {
  DurationValue,
  EvaluationError,
  ListValue,
  OptionalValue,
  TimestampValue,
  UintValue,
  MapValue,
  noSuchOverload,
  type Value,
} from "../value.ts";

const intMax = 2n ** 63n - 1n;
const uintMax = 2n ** 64n - 1n;

export function checkedInt(value: bigint): bigint {
  if (value > intMax || value < -intMax - 1n) throw new EvaluationError("integer overflow");
  return value;
}

export function checkedUint(value: bigint): UintValue {
  if (value < 0n || value > uintMax) throw new EvaluationError("unsigned integer overflow");
  return new UintValue(value);
}

function checkedDuration(nanos: bigint): DurationValue {
  if (!durationInRange(nanos)) throw new EvaluationError("integer overflow");
  return new DurationValue(nanos);
}

function checkedTimestamp(nanos: bigint): TimestampValue {
  if (!timestampInRange(nanos)) throw new EvaluationError("timestamp overflow");
  return new TimestampValue(nanos);
}

function divide(a: bigint, b: bigint): bigint {
  if (b === 0n) throw new EvaluationError("division by zero");
  return a / b;
}

function modulus(a: bigint, b: bigint): bigint {
  if (b === 0n) throw new EvaluationError("modulus by zero");
  return a % b;
}

type Int2 = (a: bigint, b: bigint) => bigint;
const arithmetic = (operator: string, compute: Int2): Overload[] => [
  overload(`_${operator}_(int, int): int`, (a: bigint, b: bigint) => checkedInt(compute(a, b))),
  overload(`_${operator}_(uint, uint): uint`, (a: UintValue, b: UintValue) =>
    checkedUint(compute(a.amount, b.amount)),
  ),
];

const both: CostRule = (sizes) => tenth(sizes.size(0) + sizes.size(1));
const sum: CostRule = (sizes) => sizes.size(0) + sizes.size(1);
const shorter: CostRule = (sizes) => tenth(Math.min(sizes.size(0), sizes.size(1)));

const additions: readonly Overload[] = [
  ...arithmetic("+", (a, b) => a + b),
  overload("_+_(double, double): double", (a: number, b: number) => a + b),
  overload("_+_(string, string): string", (a: string, b: string) => a + b, both, sum),
  overload("_+_(bytes, bytes): bytes", (a: Uint8Array, b: Uint8Array) => Buffer.concat([a, b]), both, sum),
  overload("_+_(list(A), list(A)): list(A)", joinLists, undefined, sum),
  overload("_+_(timestamp, duration): timestamp", (a: TimestampValue, b: DurationValue) =>
    checkedTimestamp(a.nanos + b.nanos),
  ),
  overload("_+_(duration, timestamp): timestamp", (a: DurationValue, b: TimestampValue) =>
    checkedTimestamp(a.nanos + b.nanos),
  ),
  overload("_+_(duration, duration): duration", (a: DurationValue, b: DurationValue) =>
    checkedDuration(a.nanos + b.nanos),
  ),
];

const subtractions: readonly Overload[] = [
  ...arithmetic("-", (a, b) => a - b),
  overload("_-_(double, double): double", (a: number, b: number) => a - b),
  overload("_-_(timestamp, timestamp): duration", (a: TimestampValue, b: TimestampValue) =>
    checkedDuration(a.nanos - b.nanos),
  ),
  overload("_-_(timestamp, duration): timestamp", (a: TimestampValue, b: DurationValue) =>
    checkedTimestamp(a.nanos - b.nanos),
  ),
  overload("_-_(duration, duration): duration", (a: DurationValue, b: DurationValue) =>
    checkedDuration(a.nanos - b.nanos),
  ),
  overload("-_(int): int", (a: bigint) => checkedInt(-a)),
  overload("-_(double): double", (a: number) => -a),
];

const products: readonly Overload[] = [
  ...arithmetic("*", (a, b) => a * b),
  overload("_*_(double, double): double", (a: number, b: number) => a * b),
  ...arithmetic("/", divide),
  overload("_/_(double, double): double", (a: number, b: number) => a / b),
  ...arithmetic("%", modulus),
];

const numbers = ["int", "uint", "double"];
const ordered = ["bool", "string", "bytes", "timestamp", "duration"];

function ordering(operator: string, accept: (order: number) => boolean): Overload[] {
  const pairs = [
    ...numbers.flatMap((a) => numbers.map((b) => [a, b] as const)),
    ...ordered.map((one) => [one, one] as const),
  ];
  return pairs.map(([a, b]) =>
    overload(
      `_${operator}_(${a}, ${b}): bool`,
      (x: Value, y: Value) => {
        const order = compareValues(x, y);
        return order !== undefined && accept(order);
      },
      a === "string" || a === "bytes" ? shorter : undefined,
    ),
  );
}

const listIndex = (list: ListValue, index: bigint): Value | undefined =>
  index >= 0n && index < BigInt(list.length) ? list.at(Number(index)) : undefined;

const optionally = (value: Value | undefined): OptionalValue =>
  value === undefined ? OptionalValue.none : OptionalValue.of(value);

function indexOrFail(list: ListValue, index: bigint): Value {
  const found = listIndex(list, index);
  if (found === undefined) throw new EvaluationError(`index out of bounds: ${index}`);
  return found;
}

/** Entries that may be missing: in plain containers and in optional ones. */
function lookUp(container: Value, key: Value): Value | undefined {
  if (container instanceof OptionalValue) return container.present ? lookUp(container.value, key) : undefined;
  if (container instanceof ListValue) return typeof key === "bigint" ? listIndex(container, key) : undefined;
  if (!(container instanceof MapValue)) throw noSuchOverload();
  return container.get(key);
}

const maybe = (container: Value, key: Value): OptionalValue => optionally(lookUp(container, key));

const indexes: readonly Overload[] = [
  overload("_[_](list(A), int): A", indexOrFail),
  overload("_[_](map(A, B), A): B", (map: MapValue, key: Value) => {
    const found = map.get(key);
    if (found === undefined) throw new EvaluationError(`no such key: ${describeValue(key)}`);
    return found;
  }),
  overload("_[_](optional(list(A)), int): optional(A)", maybe),
  overload("_[_](optional(map(A, B)), A): optional(B)", maybe),
  overload("_[?_](list(A), int): optional(A)", maybe),
  overload("_[?_](map(A, B), A): optional(B)", maybe),
  overload("_[?_](optional(list(A)), int): optional(A)", maybe),
  overload("_[?_](optional(map(A, B)), A): optional(B)", maybe),
];

function contains(list: ListValue, value: Value): boolean {
  for (const item of list) if (equal(item, value)) return true;
  return false;
}

/** These three are evaluated where they stand (not all of their arguments may be); the checker needs their types. */
const lazy = (): Value => {
  throw noSuchOverload();
};

export const operators: readonly Overload[] = [
  ...additions,
  ...subtractions,
  ...products,
  ...ordering("<", (order) => order < 0),
  ...ordering("<=", (order) => order <= 0),
  ...ordering(">", (order) => order > 0),
  ...ordering(">=", (order) => order >= 0),
  overload("_==_(A, A): bool", equal, shorter),
  overload("_!=_(A, A): bool", (a: Value, b: Value) => !equal(a, b), shorter),
  overload(
    "@in(A, list(A)): bool",
    (value: Value, list: ListValue) => contains(list, value),
    (sizes) => sizes.size(1),
  ),
  overload("@in(A, map(A, B)): bool", (key: Value, map: MapValue) => map.get(key) !== undefined),
  ...indexes,
  overload("!_(bool): bool", (a: boolean) => !a),
  overload("_&&_(bool, bool): bool", lazy),
  overload("_||_(bool, bool): bool", lazy),
  overload("_?_:_(bool, A, A): A", lazy),
];
