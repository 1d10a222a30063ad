// Optional values: `optional.of(x)`, `a.?b.orValue(0)`, first and last of lists.
import { overload, type Overload } from "../signature.ts";
import {
  DurationValue,
  EvaluationError,
  ListValue,
  MapValue,
  OptionalValue,
  TimestampValue,
  UintValue,
  noSuchOverload,
  type Value,
} from "../value.ts";

/** What `ofNonZeroValue` takes as nothing. */
function isZero(value: Value): boolean {
  if (value === null || value === false || value === "" || value === 0 || value === 0n) return true;
  if (value instanceof UintValue) return value.amount === 0n;
  if (value instanceof Uint8Array || value instanceof ListValue) return value.length === 0;
  if (value instanceof MapValue) return value.size === 0;
  if (value instanceof DurationValue || value instanceof TimestampValue) return value.nanos === 0n;
  return false;
}

function valueOf(optional: OptionalValue): Value {
  if (!optional.present) throw new EvaluationError("optional.none() dereference");
  return optional.value;
}

function unwrap(list: ListValue): ListValue {
  const present: Value[] = [];
  for (const one of list) {
    if (!(one instanceof OptionalValue)) throw noSuchOverload();
    if (one.present) present.push(one.value);
  }
  return ListValue.of(present);
}

/** Evaluated where they stand: the alternative is not looked at when there is a value. */
const lazy = (): Value => {
  throw noSuchOverload();
};

export const optionals: readonly Overload[] = [
  overload("optional::of(A): optional(A)", (value: Value) => OptionalValue.of(value)),
  overload("optional::ofNonZeroValue(A): optional(A)", (value: Value) =>
    isZero(value) ? OptionalValue.none : OptionalValue.of(value),
  ),
  overload("optional::none(): optional(A)", () => OptionalValue.none),
  overload("optional::unwrap(list(optional(A))): list(A)", unwrap, undefined, (sizes) => sizes.size(0)),
  overload("list(optional(A)).unwrapOpt(): list(A)", unwrap, undefined, (sizes) => sizes.size(0)),
  overload("optional(A).value(): A", valueOf),
  overload("optional(A).hasValue(): bool", (optional: OptionalValue) => optional.present),
  overload("optional(A).or(optional(A)): optional(A)", lazy),
  overload("optional(A).orValue(A): A", lazy),
  overload("list(A).first(): optional(A)", (list: ListValue) =>
    list.length === 0 ? OptionalValue.none : OptionalValue.of(list.at(0)),
  ),
  overload("list(A).last(): optional(A)", (list: ListValue) =>
    list.length === 0 ? OptionalValue.none : OptionalValue.of(list.at(list.length - 1)),
  ),
];
