// Times on the command line (RFC 3339), and what is said of wrong ones in the words of the runtime kubectl is built
// with: the rest of the text that does not fit, and which part of the layout it does not fit. Pure.

const layout = "2006-01-02T15:04:05Z07:00";

interface Part {
  /** As the layout has it. */
  readonly name: string;
  readonly pattern: RegExp;
  readonly field?: "month" | "day" | "hour" | "minute" | "second";
}

const literal = (name: string): Part => ({ name, pattern: new RegExp(`^${name}`) });
const parts: readonly Part[] = [
  { name: "2006", pattern: /^\d{4}/ },
  literal("-"),
  { name: "01", pattern: /^\d\d/, field: "month" },
  literal("-"),
  { name: "02", pattern: /^\d\d/, field: "day" },
  literal("T"),
  { name: "15", pattern: /^\d\d/, field: "hour" },
  literal(":"),
  { name: "04", pattern: /^\d\d/, field: "minute" },
  literal(":"),
  { name: "05", pattern: /^\d\d([.,]\d+)?/, field: "second" },
  { name: "Z07:00", pattern: /^(Z|[+-]\d\d:\d\d)/ },
];

const ranges = { month: [1, 12], hour: [0, 23], minute: [0, 59], second: [0, 59] } as const;

const daysIn = (year: number, month: number): number => new Date(Date.UTC(year, month, 0)).getUTCDate();

/** Undefined where the text is a time. */
export function badTime(text: string): string | undefined {
  const failed = (what: string): string => `parsing time ${JSON.stringify(text)}${what}`;
  const found: Partial<Record<NonNullable<Part["field"]>, number>> = {};
  let rest = text;
  for (const { name, pattern, field } of parts) {
    const [piece] = pattern.exec(rest) ?? [];
    if (piece === undefined)
      return failed(` as "${layout}": cannot parse ${JSON.stringify(rest)} as "${name}"`);
    rest = rest.slice(piece.length);
    if (field === undefined) continue;
    const value = Number(piece.slice(0, 2));
    found[field] = value;
    if (field === "day") continue;
    const [least, most] = ranges[field];
    if (value < least || value > most) return failed(`: ${field} out of range`);
  }
  if (rest !== "") return failed(`: extra text: ${JSON.stringify(rest)}`);
  const { month = 1, day = 1 } = found;
  if (day < 1 || day > daysIn(Number(text.slice(0, 4)), month)) return failed(": day out of range");
  return undefined;
}
