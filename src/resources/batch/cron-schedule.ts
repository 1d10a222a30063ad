// The schedule of a CronJob: five fields of minutes, hours, days, months and weekdays, or a word for a common one. What
// it says is kept as sets of numbers. Pure.

interface Field {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly words: readonly string[];
}

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const fields: readonly Field[] = [
  { name: "minute", from: 0, to: 59, words: [] },
  { name: "hour", from: 0, to: 23, words: [] },
  { name: "day of month", from: 1, to: 31, words: [] },
  { name: "month", from: 1, to: 12, words: months },
  { name: "day of week", from: 0, to: 6, words: days },
];

const descriptors: ReadonlyMap<string, string> = new Map([
  ["@yearly", "0 0 1 1 *"],
  ["@annually", "0 0 1 1 *"],
  ["@monthly", "0 0 1 * *"],
  ["@weekly", "0 0 * * 0"],
  ["@daily", "0 0 * * *"],
  ["@midnight", "0 0 * * *"],
  ["@hourly", "0 * * * *"],
]);

/** Which numbers a field allows; `any` when it is a star. */
export interface CronField {
  readonly values: ReadonlySet<number>;
  readonly any: boolean;
}

export type CronSchedule =
  | { readonly everyMs: number }
  /** Minute, hour, day of month, month, day of week. */
  | { readonly fields: readonly CronField[] };

export class CronError extends Error {}

/** Throws CronError for what is no schedule. */
export function parseCron(text: string): CronSchedule {
  const trimmed = text.trim();
  if (trimmed === "") throw new CronError("empty spec string");
  if (trimmed.startsWith("@every ")) return { everyMs: intervalOf(trimmed.slice("@every ".length)) };
  if (trimmed.startsWith("@")) {
    const standard = descriptors.get(trimmed);
    if (standard === undefined) throw new CronError(`unrecognized descriptor: ${text}`);
    return parseCron(standard);
  }
  const parts = trimmed.split(/\s+/);
  if (parts.length !== fields.length)
    throw new CronError(`expected exactly 5 fields, found ${parts.length}: [${parts.join(" ")}]`);
  return { fields: fields.map((field, at) => fieldOf(parts[at] ?? "", field)) };
}

function intervalOf(text: string): number {
  const units: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text)
    throw new CronError(
      `failed to parse duration @every ${text}: time: invalid duration ${JSON.stringify(text)}`,
    );
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (units[unit ?? ""] ?? 0), 0);
}

function fieldOf(text: string, field: Field): CronField {
  const values = new Set<number>();
  let any = false;
  for (const part of text.split(",")) any = addRange(part, field, values) || any;
  return { values, any };
}

/** Adds what `5`, `1-5`, `*` or one of these with a step allows; says whether it was a star. */
function addRange(text: string, field: Field, values: Set<number>): boolean {
  const [range = "", step, ...more] = text.split("/");
  const [first = "", last, ...rest] = range.split("-");
  if (more.length > 0) throw new CronError(`too many slashes: ${text}`);
  if (rest.length > 0) throw new CronError(`too many hyphens: ${text}`);
  const star = first === "*" || first === "?";
  const from = star ? field.from : numberOf(first, field);
  let to = star ? field.to : last === undefined ? from : numberOf(last, field);
  const by = step === undefined ? 1 : wholeNumber(step);
  // A single number with a step means: from there to the end.
  if (step !== undefined && !star && last === undefined) to = field.to;
  if (from < field.from)
    throw new CronError(`beginning of range (${from}) below minimum (${field.from}): ${text}`);
  if (to > field.to) throw new CronError(`end of range (${to}) above maximum (${field.to}): ${text}`);
  if (from > to) throw new CronError(`beginning of range (${from}) beyond end of range (${to}): ${text}`);
  if (by === 0) throw new CronError(`step of range should be a positive number: ${text}`);
  for (let value = from; value <= to; value += by) values.add(value);
  return star && by === 1;
}

function numberOf(text: string, { words }: Field): number {
  const word = words.indexOf(text.toLowerCase());
  // Months count from one, weekdays from Sunday, which is zero.
  if (word >= 0) return words === months ? word + 1 : word;
  return wholeNumber(text);
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text))
    throw new CronError(
      `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  return Number(text);
}
