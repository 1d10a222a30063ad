// Kubernetes' quantity library: amounts such as `1.5Gi`, exact.
import { isQuantity, parseQuantity, quantityError } from "#machinery/quantity.ts";
import { overload, readsFirst, type Overload } from "../signature.ts";
import { EvaluationError, OpaqueValue } from "../value.ts";

const nanoPerUnit = 1_000_000_000n;
const int64Max = 2n ** 63n - 1n;

class QuantityValue extends OpaqueValue {
  readonly typeName = "kubernetes.Quantity";
  readonly nano: bigint;

  constructor(nano: bigint) {
    super();
    this.nano = nano;
  }

  get identity(): string {
    return String(this.nano);
  }
}

/** Characters of a quantity: making a number of many digits takes long. */
const textMax = 1_000;
const isAmount = (text: string): boolean => text.length <= textMax && isQuantity(text);

function quantity(text: string): QuantityValue {
  if (!isAmount(text)) throw new EvaluationError(quantityError);
  return new QuantityValue(parseQuantity(text).nano);
}

function isInteger({ nano }: QuantityValue): boolean {
  const units = nano / nanoPerUnit;
  return nano % nanoPerUnit === 0n && units <= int64Max && units >= -int64Max - 1n;
}

function asInteger(value: QuantityValue): bigint {
  if (!isInteger(value)) throw new EvaluationError("cannot convert value to integer");
  return value.nano / nanoPerUnit;
}

const compare = (a: QuantityValue, b: QuantityValue): bigint =>
  a.nano === b.nano ? 0n : a.nano > b.nano ? 1n : -1n;
const units = (count: bigint): bigint => count * nanoPerUnit;

const type = "kubernetes.Quantity";
export const quantities: readonly Overload[] = [
  overload("isQuantity(string): bool", isAmount, readsFirst),
  overload(`quantity(string): ${type}`, quantity, readsFirst),
  overload(`${type}.sign(): int`, ({ nano }: QuantityValue) => (nano > 0n ? 1n : nano < 0n ? -1n : 0n)),
  overload(`${type}.isInteger(): bool`, isInteger),
  overload(`${type}.asInteger(): int`, asInteger),
  overload(`${type}.asApproximateFloat(): double`, ({ nano }: QuantityValue) => Number(nano) / 1e9),
  overload(`${type}.isGreaterThan(${type}): bool`, (a: QuantityValue, b: QuantityValue) => a.nano > b.nano),
  overload(`${type}.isLessThan(${type}): bool`, (a: QuantityValue, b: QuantityValue) => a.nano < b.nano),
  overload(`${type}.compareTo(${type}): int`, compare),
  overload(
    `${type}.add(${type}): ${type}`,
    (a: QuantityValue, b: QuantityValue) => new QuantityValue(a.nano + b.nano),
  ),
  overload(
    `${type}.add(int): ${type}`,
    (a: QuantityValue, b: bigint) => new QuantityValue(a.nano + units(b)),
  ),
  overload(
    `${type}.sub(${type}): ${type}`,
    (a: QuantityValue, b: QuantityValue) => new QuantityValue(a.nano - b.nano),
  ),
  overload(
    `${type}.sub(int): ${type}`,
    (a: QuantityValue, b: bigint) => new QuantityValue(a.nano - units(b)),
  ),
];
