// Timestamps (RFC 3339) and durations (`1h30m`) in nanoseconds: texts, calendar fields in a time zone.

const nanosPerSecond = 1_000_000_000n;
const int64Max = 2n ** 63n - 1n;
/** 0001-01-01 and 9999-12-31, in seconds since 1970. */
const secondsMin = -62_135_596_800n;
const secondsMax = 253_402_300_799n;

export const timestampInRange = (nanos: bigint): boolean =>
  nanos >= secondsMin * nanosPerSecond && nanos < (secondsMax + 1n) * nanosPerSecond;
export const durationInRange = (nanos: bigint): boolean => nanos >= -int64Max - 1n && nanos <= int64Max;

const rfc3339 =
  /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

/** Nanoseconds since 1970, or undefined where the text is no timestamp. */
export function parseTimestamp(text: string): bigint | undefined {
  const found = rfc3339.exec(text);
  if (found === null) return undefined;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  date.setUTCHours(hour, minute, second);
  const offset = found[8] === undefined ? 0 : Number(found[9]) * 60 + Number(found[10]);
  const seconds = BigInt(date.getTime()) / 1000n - BigInt(found[8] === "-" ? -offset : offset) * 60n;
  const nanos = seconds * nanosPerSecond + BigInt((found[7] ?? "").slice(0, 9).padEnd(9, "0"));
  return timestampInRange(nanos) ? nanos : undefined;
}

const floorDiv = (a: bigint, b: bigint): bigint => (a >= 0n || a % b === 0n ? a / b : a / b - 1n);

export function formatTimestamp(nanos: bigint): string {
  const seconds = floorDiv(nanos, nanosPerSecond);
  const fraction = String(nanos - seconds * nanosPerSecond)
    .padStart(9, "0")
    .replace(/0+$/, "");
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${whole}${fraction === "" ? "" : `.${fraction}`}Z`;
}

const units: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: nanosPerSecond,
  m: 60n * nanosPerSecond,
  h: 3600n * nanosPerSecond,
};
const durationPart = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;

/** Characters of a duration: making a number of many digits takes long. */
const durationTextMax = 1_000;

/** Nanoseconds, or undefined where the text is no duration. */
export function parseDuration(text: string): bigint | undefined {
  const signed = /^[+-]/.test(text);
  const body = signed ? text.slice(1) : text;
  if (body === "0") return 0n;
  if (body === "" || body.length > durationTextMax) return undefined;
  let total = 0n;
  let at = 0;
  while (at < body.length) {
    durationPart.lastIndex = at;
    const found = durationPart.exec(body);
    if (found === null) return undefined;
    const [whole = "", fraction = ""] = (found[1] ?? "").split(".");
    const unit = units[found[2] ?? ""] ?? 0n;
    total += BigInt(whole === "" ? 0 : whole) * unit;
    if (fraction !== "") total += (BigInt(fraction) * unit) / 10n ** BigInt(fraction.length);
    at += found[0].length;
  }
  const nanos = text.startsWith("-") ? -total : total;
  return durationInRange(nanos) ? nanos : undefined;
}

/** `5400s`, `1.5s`: seconds, as the language writes durations. */
export function formatDuration(nanos: bigint): string {
  const amount = nanos < 0n ? -nanos : nanos;
  const fraction = String(amount % nanosPerSecond)
    .padStart(9, "0")
    .replace(/0+$/, "");
  return `${nanos < 0n ? "-" : ""}${amount / nanosPerSecond}${fraction === "" ? "" : `.${fraction}`}s`;
}

export interface CalendarFields {
  readonly year: number;
  /** From 0. */
  readonly month: number;
  /** From 1. */
  readonly date: number;
  readonly dayOfYear: number;
  readonly dayOfWeek: number;
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
  readonly milliseconds: number;
}

/** The calendar in a zone: a name such as `Europe/Lisbon`, or an offset such as `-03:00`. Undefined: no such zone. */
export function calendarFields(nanos: bigint, zone: string): CalendarFields | undefined {
  const millis = Number(floorDiv(nanos, 1_000_000n));
  const shift = zoneShiftMs(millis, zone);
  if (shift === undefined) return undefined;
  const local = new Date(millis + shift);
  const yearStart = new Date(0);
  yearStart.setUTCFullYear(local.getUTCFullYear(), 0, 1);
  return {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth(),
    date: local.getUTCDate(),
    dayOfYear: Math.floor((local.getTime() - yearStart.getTime()) / 86_400_000),
    dayOfWeek: local.getUTCDay(),
    hours: local.getUTCHours(),
    minutes: local.getUTCMinutes(),
    seconds: local.getUTCSeconds(),
    milliseconds: local.getUTCMilliseconds(),
  };
}

function zoneShiftMs(millis: number, zone: string): number | undefined {
  if (zone === "" || zone === "UTC") return 0;
  const offset = /^([+-]?)(\d\d):(\d\d)$/.exec(zone);
  if (offset !== null) {
    const minutes = Number(offset[2]) * 60 + Number(offset[3]);
    return (offset[1] === "-" ? -minutes : minutes) * 60_000;
  }
  try {
    const name = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" })
      .formatToParts(new Date(millis))
      .find((part) => part.type === "timeZoneName")?.value;
    const found = /^GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(name ?? "");
    if (found === null) return undefined;
    const seconds = Number(found[2] ?? 0) * 3600 + Number(found[3] ?? 0) * 60 + Number(found[4] ?? 0);
    return (found[1] === "-" ? -seconds : seconds) * 1000;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
