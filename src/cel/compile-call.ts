// A call → a closure: evaluates the arguments, finds the function that fits them, charges for it, calls it.
import type { CelType } from "./cel-type.ts";
import type { Evaluation, Program } from "./evaluation.ts";
import { stringFactor, type Overload, type Sizes } from "./signature.ts";
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
  noSuchOverload,
  type Value,
} from "./value.ts";

export function compileCall(overloads: readonly Overload[], operands: readonly Program[]): Program {
  const candidates = overloads.map((one) => ({ overload: one, fits: one.params.map(fitOf) }));
  const [only] = candidates;
  if (only === undefined) throw new Error("a call without a function passed the checker");
  if (candidates.length > 1) {
    return (evaluation) => {
      const values = operands.map((operand) => operand(evaluation));
      const found = candidates.find(({ fits }) => fits.every((fit, i) => fit(values[i] as Value)));
      if (found === undefined) throw noSuchOverload();
      return invoke(evaluation, found.overload, values);
    };
  }
  const { overload, fits } = only;
  return (evaluation) => {
    const values: Value[] = [];
    for (const operand of operands) values.push(operand(evaluation));
    for (let i = 0; i < fits.length; i++) if (!fits[i]?.(values[i] as Value)) throw noSuchOverload();
    return invoke(evaluation, overload, values);
  };
}

function invoke(evaluation: Evaluation, { cost, call }: Overload, values: readonly Value[]): Value {
  evaluation.spend(cost === undefined ? 1 : cost(new ActualSizes(values)));
  return call(...values);
}

class ActualSizes implements Sizes {
  private readonly values: readonly Value[];

  constructor(values: readonly Value[]) {
    this.values = values;
  }

  size(argument: number): number {
    return sizeOf(this.values[argument] as Value);
  }

  traversal(argument: number): number {
    return traversalOf(this.values[argument] as Value);
  }
}

function sizeOf(value: Value): number {
  if (typeof value === "string") return value.length;
  if (value instanceof ListValue || value instanceof Uint8Array) return value.length;
  return value instanceof MapValue ? value.size : 1;
}

function traversalOf(value: Value): number {
  if (typeof value === "string" || value instanceof Uint8Array) return Math.ceil(value.length * stringFactor);
  if (!(value instanceof ListValue)) return 1;
  let sum = 0;
  for (const item of value) sum += Math.max(1, traversalOf(item));
  return sum;
}

type Fit = (value: Value) => boolean;
const anything: Fit = () => true;
const simpleFits: { readonly [kind in CelType["kind"]]?: Fit } = {
  null: (value) => value === null,
  bool: (value) => typeof value === "boolean",
  int: (value) => typeof value === "bigint",
  double: (value) => typeof value === "number",
  string: (value) => typeof value === "string",
  uint: (value) => value instanceof UintValue,
  bytes: (value) => value instanceof Uint8Array,
  timestamp: (value) => value instanceof TimestampValue,
  duration: (value) => value instanceof DurationValue,
  list: (value) => value instanceof ListValue,
  map: (value) => value instanceof MapValue,
  object: (value) => value instanceof ObjectValue,
  type: (value) => value instanceof TypeValue,
};

/** Whether a value is of a type, as far as the kind tells: what a list holds is looked at when it is read. */
function fitOf(type: CelType): Fit {
  if (type.kind !== "opaque") return simpleFits[type.kind] ?? anything;
  const { name } = type;
  return (value) =>
    value instanceof OptionalValue
      ? name === "optional_type"
      : value instanceof OpaqueValue && value.typeName === name;
}
