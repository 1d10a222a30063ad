// Doubles as text: the shortest that reads back, with an exponent from a million and below a ten-thousandth (`1e+06`).

export function formatDouble(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (Object.is(value, -0)) return "-0";
  const [digits = "0", exponent = "0"] = value.toExponential().split("e");
  const power = Number(exponent);
  if (power < -4 || power >= 6) return `${digits}e${power < 0 ? "-" : "+"}${pad(Math.abs(power))}`;
  return plain(value);
}

const pad = (power: number): string => String(power).padStart(2, "0");

/** Without an exponent: JavaScript writes one below 1e-6. */
function plain(value: number): string {
  const text = String(value);
  if (!text.includes("e")) return text;
  return value.toFixed(20).replace(/0+$/, "").replace(/\.$/, "");
}

/** `%e` and `%f` with so many digits. */
export const fixedText = (value: number, digits: number): string => value.toFixed(digits);
export function scientificText(value: number, digits: number): string {
  const [mantissa = "", exponent = "+0"] = value.toExponential(digits).split("e");
  return `${mantissa}e${exponent.startsWith("-") ? "-" : "+"}${pad(Math.abs(Number(exponent)))}`;
}
