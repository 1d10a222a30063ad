// The one form in which a resource quantity is written: `1000m` → `1`, `1024Mi` → `1Gi`, `1.5` → `1500m`.
// Numbers are kept exact, down to a billionth; what is smaller rounds away from zero.

export type CanonicalQuantity = { readonly text: string } | { readonly error: string };

const pattern = /^([+-]?)(\d*)(?:\.(\d*))?(.*)$/s;
const binary = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const decimal: { readonly [suffix: string]: number } = {
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
const decimalSuffix = new Map(Object.entries(decimal).map(([suffix, exponent]) => [exponent, suffix]));
const formatError =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const suffixError = "unable to parse quantity's suffix";
const nano = 9;
const largestBinary = 2n ** 63n - 1n;

type Format = "binary" | "decimal" | "exponent";
interface Suffix {
  readonly format: Format;
  /** Power of 1024 or of ten. */
  readonly exponent: number;
}

function readSuffix(text: string): Suffix | undefined {
  const power = binary.indexOf(text);
  if (power > 0) return { format: "binary", exponent: power };
  const exponent = Object.hasOwn(decimal, text) ? decimal[text] : undefined;
  if (exponent !== undefined) return { format: "decimal", exponent };
  const scientific = /^[eE]([+-]?\d+)$/.exec(text);
  if (scientific === null) return undefined;
  return { format: "exponent", exponent: Number(scientific[1]) };
}

/** Division that rounds away from zero; both positive. */
const divideUp = (value: bigint, by: bigint): bigint => (value + by - 1n) / by;

/** The absolute value in billionths. */
function inNanos(digits: bigint, places: number, suffix: Suffix): bigint {
  if (suffix.format === "binary") {
    const scaled = digits * 1024n ** BigInt(suffix.exponent) * 10n ** BigInt(nano);
    const value = divideUp(scaled, 10n ** BigInt(places));
    const most = largestBinary * 10n ** BigInt(nano);
    return value > most ? most : value;
  }
  const shift = nano + suffix.exponent - places;
  return shift >= 0 ? digits * 10n ** BigInt(shift) : divideUp(digits, 10n ** BigInt(-shift));
}

function writeDecimal(nanos: bigint, format: Format): string {
  let mantissa = nanos;
  let exponent = -nano;
  while (mantissa % 10n === 0n) {
    mantissa /= 10n;
    exponent += 1;
  }
  while (exponent % 3 !== 0 || (format !== "exponent" && exponent > 18)) {
    mantissa *= 10n;
    exponent -= 1;
  }
  if (format === "exponent") return exponent === 0 ? `${mantissa}` : `${mantissa}e${exponent}`;
  return `${mantissa}${decimalSuffix.get(exponent) ?? ""}`;
}

function writeBinary(whole: bigint): string {
  let mantissa = whole;
  let power = 0;
  while (power < binary.length - 1 && mantissa % 1024n === 0n) {
    mantissa /= 1024n;
    power += 1;
  }
  return `${mantissa}${binary[power] ?? ""}`;
}

/** What the fast path of Kubernetes clients keeps as it was written: small numbers in canonical form. */
function keptAsWritten(whole: string, fraction: string, suffix: Suffix): boolean {
  const shifted = whole + fraction;
  const value = Number(shifted);
  if (suffix.format === "binary") {
    const places = 15 - whole.length - Math.trunc(suffix.exponent * 3) - 1;
    return fraction === "" && places >= 0 && value % 8 !== 0;
  }
  const scale = suffix.exponent - fraction.length;
  if (shifted.length > 18 || scale < -nano) return false;
  return scale % 3 === 0 && !shifted.endsWith("000") && !shifted.startsWith("0");
}

export function canonicalQuantity(text: string): CanonicalQuantity {
  const parts = pattern.exec(text);
  const sign = parts?.[1] ?? "";
  const whole = parts?.[2] ?? "";
  const fraction = parts?.[3] ?? "";
  const rest = parts?.[4] ?? "";
  if (parts === null || whole + fraction === "" || !/^[eEinumkKMGTP]*[-+]?[0-9]*$/.test(rest)) {
    return { error: formatError };
  }
  const suffix = readSuffix(rest);
  if (suffix === undefined || Math.abs(suffix.exponent) > 1000) return { error: suffixError };
  if (keptAsWritten(whole.replace(/^0+(?=\d)/, ""), fraction, suffix)) return { text };
  const nanos = inNanos(BigInt(whole + fraction), fraction.length, suffix);
  if (nanos === 0n) return { text: "0" };
  const minus = sign === "-" ? "-" : "";
  const one = 10n ** BigInt(nano);
  const isBinary = suffix.format === "binary" && nanos >= 1024n * one && nanos % one === 0n;
  if (isBinary) return { text: `${minus}${writeBinary(nanos / one)}` };
  return { text: `${minus}${writeDecimal(nanos, suffix.format === "binary" ? "decimal" : suffix.format)}` };
}
