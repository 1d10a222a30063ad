// A resource quantity as a client wrote it → as the server keeps it: `1000m` → `1`, `1024Mi` → `1Gi`. What is
// canonical already stays as it was written, or the documented reason why the text is no quantity.
import { formatQuantity, parseQuantity, quantityError } from "../quantity.ts";

export type CanonicalQuantity = { readonly text: string } | { readonly error: string };

const parts = /^[+-]?(\d*)(?:\.(\d*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/;
const known = /^(?:([KMGTPE])i|([numkMGTPE]?)|[eE]([+-]?\d{1,3}))$/;
const suffixError = "unable to parse quantity's suffix";
const binaryPowers = "KMGTPE";
const decimalPowers: { readonly [suffix: string]: number } = {
  n: -9,
  u: -6,
  m: -3,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};

/** Numbers that are small and canonical keep their spelling, a leading `+` included. */
function keepsSpelling(whole: string, fraction: string, suffix: RegExpExecArray): boolean {
  const digits = whole + fraction;
  const binary = suffix[1];
  if (binary !== undefined) {
    const places = 15 - whole.length - 3 * (binaryPowers.indexOf(binary) + 1) - 1;
    return fraction === "" && places >= 0 && Number(digits) % 8 !== 0;
  }
  const exponent = suffix[3] === undefined ? (decimalPowers[suffix[2] ?? ""] ?? 0) : Number(suffix[3]);
  const scale = exponent - fraction.length;
  if (digits.length > 18 || scale < -9) return false;
  return scale % 3 === 0 && !digits.endsWith("000") && !digits.startsWith("0");
}

export function canonicalQuantity(text: string): CanonicalQuantity {
  const found = parts.exec(text);
  const whole = (found?.[1] ?? "").replace(/^0+(?=\d)/, "");
  const fraction = found?.[2] ?? "";
  if (found === null || whole + fraction === "") return { error: quantityError };
  const suffix = known.exec(found[3] ?? "");
  if (suffix === null) return { error: suffixError };
  if (keepsSpelling(whole, fraction, suffix)) return { text };
  return { text: formatQuantity(parseQuantity(text)) };
}
