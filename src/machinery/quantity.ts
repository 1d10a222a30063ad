// resource.Quantity: exact amounts such as `100m`, `1.5Gi`, `2e3`. Pure; exact with integers of any size.
// Grammar and canonical form as documented for k8s.io/apimachinery resource.Quantity.

export type QuantityFormat = "DecimalSI" | "BinarySI" | "DecimalExponent";

/** value = digits × 10^exponent for decimal formats, digits × 2^0 after scaling for binary ones. */
export interface Quantity {
  /** The amount in nano-units (10^-9), the finest that the format keeps; finer amounts are rounded up. */
  readonly nano: bigint;
  readonly format: QuantityFormat;
}

const nanoPerUnit = 1_000_000_000n;
const binarySuffixes = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"] as const;
const decimalExponents: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  "": 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};

const grammar = /^([+-]?)(\d+(?:\.\d*)?|\.\d+)(?:(Ki|Mi|Gi|Ti|Pi|Ei)|([eE][+-]?\d+)|([numkMGTPE]?))$/;
export const quantityError =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/** Parses, or throws an Error with the documented message. */
export function parseQuantity(text: string | number): Quantity {
  const match = grammar.exec(String(text));
  if (match === null) throw new Error(quantityError);
  const [, sign, digits = "", binary, exponent, suffix = ""] = match;
  const [whole = "", fraction = ""] = digits.split(".");
  const mantissa = BigInt(whole + fraction || "0");
  let numerator = mantissa * nanoPerUnit;
  let denominator = 10n ** BigInt(fraction.length);
  let format: QuantityFormat = "DecimalSI";
  if (binary !== undefined) {
    format = "BinarySI";
    numerator *= 1024n ** BigInt(binarySuffixes.indexOf(binary as (typeof binarySuffixes)[number]) + 1);
  } else {
    const power = exponent === undefined ? (decimalExponents[suffix] ?? 0) : Number(exponent.slice(1));
    if (exponent !== undefined) format = "DecimalExponent";
    if (Math.abs(power) > 400) throw new Error(quantityError);
    if (power >= 0) numerator *= 10n ** BigInt(power);
    else denominator *= 10n ** BigInt(-power);
  }
  // Rounded away from zero, so that what was asked for is never less than what is given.
  const nano = (numerator + denominator - 1n) / denominator;
  return { nano: sign === "-" ? -nano : nano, format };
}

/** Whether the text is a quantity. */
export function isQuantity(text: unknown): text is string | number {
  return (typeof text === "string" || typeof text === "number") && grammar.test(String(text));
}

/** The canonical text: the largest suffix without a fraction. */
export function formatQuantity({ nano, format }: Quantity): string {
  if (nano === 0n) return "0";
  const negative = nano < 0n;
  const amount = negative ? -nano : nano;
  const text =
    format === "BinarySI" && amount % nanoPerUnit === 0n
      ? formatBinary(amount / nanoPerUnit)
      : formatDecimal(amount, format);
  return negative ? `-${text}` : text;
}

function formatBinary(units: bigint): string {
  if (units < 1024n) return String(units);
  let power = 0;
  let rest = units;
  while (power < binarySuffixes.length && rest % 1024n === 0n) {
    rest /= 1024n;
    power++;
  }
  return power === 0 ? String(rest) : `${rest}${binarySuffixes[power - 1]}`;
}

function formatDecimal(amount: bigint, format: QuantityFormat): string {
  let power = -9;
  let rest = amount;
  while (power < 18 && rest % 1000n === 0n) {
    rest /= 1000n;
    power += 3;
  }
  if (format === "DecimalExponent") return power === 0 ? String(rest) : `${rest}e${power}`;
  const suffix = Object.keys(decimalExponents).find((key) => decimalExponents[key] === power) ?? "";
  return `${rest}${suffix}`;
}

/** The canonical spelling of a quantity in an object: what the API server stores. */
export const canonicalQuantity = (text: string | number): string => formatQuantity(parseQuantity(text));

/** Whole units, rounded up: bytes of memory, counts. */
export function quantityValue(text: string | number): number {
  const { nano } = parseQuantity(text);
  return Number(nano >= 0n ? (nano + nanoPerUnit - 1n) / nanoPerUnit : nano / nanoPerUnit);
}

/** Thousandths, rounded up: CPU. */
export function quantityMilli(text: string | number): number {
  const { nano } = parseQuantity(text);
  const perMilli = nanoPerUnit / 1000n;
  return Number(nano >= 0n ? (nano + perMilli - 1n) / perMilli : nano / perMilli);
}

export function compareQuantities(a: string | number, b: string | number): number {
  const [x, y] = [parseQuantity(a).nano, parseQuantity(b).nano];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** The sum, in the format of the first. */
export function addQuantities(a: string | number, b: string | number): string {
  const first = parseQuantity(a);
  return formatQuantity({
    nano: first.nano + parseQuantity(b).nano,
    format: first.nano === 0n ? parseQuantity(b).format : first.format,
  });
}
