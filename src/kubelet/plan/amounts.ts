// Quantities as numbers, for limits and ratios; exact arithmetic is not needed here.

const suffixes: Readonly<Record<string, number>> = {
  "": 1,
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** `"500m"` → 0.5, `"64Mi"` → 67108864. Validated quantities only; anything else is NaN. */
export function amount(quantity: string | number): number {
  if (typeof quantity === "number") return quantity;
  const match = /^([+-]?[0-9.]+)(?:[eE]([+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/.exec(quantity);
  if (match === null) return NaN;
  const [, digits = "", exponent, suffix = ""] = match;
  const value = Number(digits);
  if (exponent !== undefined) return value * 10 ** Number(exponent);
  const factor = suffixes[suffix] ?? NaN;
  // Dividing keeps small decimals exact where multiplying by 1e-3 would not.
  return factor < 1 ? value / Math.round(1 / factor) : value * factor;
}

export const milliCpu = (quantity: string | number): number => Math.ceil(amount(quantity) * 1000);
export const wholeUnits = (quantity: string | number): number => Math.ceil(amount(quantity));
