// Conversions between the types of the language, sizes, and the calendar of timestamps.
import { overload, readsFirst, tenth, type Implementation, type Overload } from "../signature.ts";
import {
  calendarFields,
  formatDuration,
  formatTimestamp,
  parseDuration,
  parseTimestamp,
  timestampInRange,
  type CalendarFields,
} from "../time.ts";
import {
  DurationValue,
  EvaluationError,
  TimestampValue,
  TypeValue,
  UintValue,
  runtimeTypeName,
  type ListValue,
  type MapValue,
  type Value,
} from "../value.ts";
import { checkedInt, checkedUint } from "./operators.ts";
import { formatDouble } from "../double-text.ts";

/** Characters, not JavaScript's units. */
export function textLength(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length - 1; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0xd800 && code <= 0xdbff) length--;
  }
  return length;
}

/** Undefined where there are more digits than any integer has: making a number of them takes long. */
function boundedInteger(text: string): bigint | undefined {
  const digits = text.replace(/^[+-]?0*(?=\d)/, "");
  if (digits.length > 20) return undefined;
  return text.startsWith("-") ? -BigInt(digits) : BigInt(digits);
}

function intFromText(text: string): bigint {
  if (!/^[+-]?\d+$/.test(text))
    throw new EvaluationError(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  const value = boundedInteger(text);
  if (value === undefined || value >= 2n ** 63n || value < -(2n ** 63n))
    throw new EvaluationError(`strconv.ParseInt: parsing ${JSON.stringify(text)}: value out of range`);
  return value;
}

function uintFromText(text: string): UintValue {
  if (!/^\d+$/.test(text))
    throw new EvaluationError(`strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`);
  const value = boundedInteger(text);
  if (value === undefined || value >= 2n ** 64n)
    throw new EvaluationError(`strconv.ParseUint: parsing ${JSON.stringify(text)}: value out of range`);
  return checkedUint(value);
}

function doubleFromText(text: string): number {
  if (/^[+-]?inf(inity)?$/i.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
  if (/^nan$/i.test(text)) return NaN;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text))
    throw new EvaluationError(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

function intFromDouble(value: number): bigint {
  if (!Number.isFinite(value) || value >= 2 ** 63 || value <= -(2 ** 63))
    throw new EvaluationError("integer overflow");
  return BigInt(Math.trunc(value));
}

function uintFromDouble(value: number): UintValue {
  if (!Number.isFinite(value)) throw new EvaluationError("unsigned integer overflow");
  return checkedUint(BigInt(Math.trunc(value)));
}

const trueTexts: ReadonlySet<string> = new Set(["1", "t", "T", "true", "TRUE", "True"]);
const falseTexts: ReadonlySet<string> = new Set(["0", "f", "F", "false", "FALSE", "False"]);

function boolFromText(text: string): boolean {
  if (trueTexts.has(text)) return true;
  if (falseTexts.has(text)) return false;
  throw new EvaluationError(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}

function textFromBytes(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError)
      throw new EvaluationError("invalid UTF-8 in bytes, cannot convert to string");
    throw error;
  }
}

function timestampFromText(text: string): TimestampValue {
  const nanos = parseTimestamp(text);
  if (nanos === undefined)
    throw new EvaluationError(`timestamp parse error on value ${JSON.stringify(text)}`);
  return new TimestampValue(nanos);
}

function timestampFromSeconds(seconds: bigint): TimestampValue {
  const nanos = seconds * 1_000_000_000n;
  if (!timestampInRange(nanos)) throw new EvaluationError("timestamp overflow");
  return new TimestampValue(nanos);
}

function durationFromText(text: string): DurationValue {
  const nanos = parseDuration(text);
  if (nanos === undefined) throw new EvaluationError(`time: invalid duration ${JSON.stringify(text)}`);
  return new DurationValue(nanos);
}

const same = (value: Value): Value => value;

const toNumbers: readonly Overload[] = [
  overload("int(int): int", same),
  overload("int(uint): int", (value: UintValue) => checkedInt(value.amount)),
  overload("int(double): int", intFromDouble),
  overload("int(string): int", intFromText),
  overload("int(timestamp): int", (value: TimestampValue) => value.nanos / 1_000_000_000n),
  overload("int(duration): int", (value: DurationValue) => value.nanos),
  overload("uint(uint): uint", same),
  overload("uint(int): uint", checkedUint),
  overload("uint(double): uint", uintFromDouble),
  overload("uint(string): uint", uintFromText),
  overload("double(double): double", same),
  overload("double(int): double", (value: bigint) => Number(value)),
  overload("double(uint): double", (value: UintValue) => Number(value.amount)),
  overload("double(string): double", doubleFromText),
];

const toTexts: readonly Overload[] = [
  overload("string(string): string", same, undefined, (sizes) => sizes.size(0)),
  overload("string(bool): string", String, undefined, () => 5),
  overload("string(int): string", String, undefined, () => 20),
  overload(
    "string(uint): string",
    (value: UintValue) => String(value.amount),
    undefined,
    () => 20,
  ),
  overload("string(double): string", formatDouble, undefined, () => 24),
  overload("string(bytes): string", textFromBytes, readsFirst, (sizes) => sizes.size(0)),
  overload(
    "string(timestamp): string",
    (value: TimestampValue) => formatTimestamp(value.nanos),
    undefined,
    () => 30,
  ),
  overload(
    "string(duration): string",
    (value: DurationValue) => formatDuration(value.nanos),
    undefined,
    () => 21,
  ),
  overload("bytes(bytes): bytes", same),
  overload(
    "bytes(string): bytes",
    (value: string) => new TextEncoder().encode(value),
    readsFirst,
    (sizes) => sizes.size(0),
  ),
];

const others: readonly Overload[] = [
  overload("bool(bool): bool", same),
  overload("bool(string): bool", boolFromText),
  overload("timestamp(timestamp): timestamp", same),
  overload("timestamp(string): timestamp", timestampFromText),
  overload("timestamp(int): timestamp", timestampFromSeconds),
  overload("duration(duration): duration", same),
  overload("duration(string): duration", durationFromText),
  overload("duration(int): duration", (value: bigint) => new DurationValue(value)),
  overload("dyn(A): dyn", same),
  overload("type(A): type(A)", (value: Value) => new TypeValue(runtimeTypeName(value))),
];

const sizeOf = (type: string, size: Implementation): Overload[] => [
  overload(`size(${type}): int`, size),
  overload(`${type}.size(): int`, size),
];
const sizes: readonly Overload[] = [
  ...sizeOf("string", (value: string) => BigInt(textLength(value))),
  ...sizeOf("bytes", (value: Uint8Array) => BigInt(value.length)),
  ...sizeOf("list(A)", (value: ListValue) => BigInt(value.length)),
  ...sizeOf("map(A, B)", (value: MapValue) => BigInt(value.size)),
];

const calendar: readonly (readonly [string, (fields: CalendarFields) => number])[] = [
  ["getFullYear", ({ year }) => year],
  ["getMonth", ({ month }) => month],
  ["getDate", ({ date }) => date],
  ["getDayOfMonth", ({ date }) => date - 1],
  ["getDayOfWeek", ({ dayOfWeek }) => dayOfWeek],
  ["getDayOfYear", ({ dayOfYear }) => dayOfYear],
  ["getHours", ({ hours }) => hours],
  ["getMinutes", ({ minutes }) => minutes],
  ["getSeconds", ({ seconds }) => seconds],
  ["getMilliseconds", ({ milliseconds }) => milliseconds],
];

const calendarFunctions: readonly Overload[] = calendar.flatMap(([name, pick]) => {
  const read = (value: TimestampValue, zone = "UTC"): bigint => {
    const fields = calendarFields(value.nanos, zone);
    if (fields === undefined) throw new EvaluationError(`unknown time zone ${zone}`);
    return BigInt(pick(fields));
  };
  return [overload(`timestamp.${name}(): int`, read), overload(`timestamp.${name}(string): int`, read)];
});

const durationParts: readonly Overload[] = (
  [
    ["getHours", 3_600_000_000_000n],
    ["getMinutes", 60_000_000_000n],
    ["getSeconds", 1_000_000_000n],
    ["getMilliseconds", 1_000_000n],
  ] as const
).map(([name, unit]) => overload(`duration.${name}(): int`, (value: DurationValue) => value.nanos / unit));

const texts: readonly Overload[] = [
  overload(
    "string.startsWith(string): bool",
    (text: string, prefix: string) => text.startsWith(prefix),
    (sizes) => tenth(sizes.size(1)),
  ),
  overload(
    "string.endsWith(string): bool",
    (text: string, suffix: string) => text.endsWith(suffix),
    (sizes) => tenth(sizes.size(1)),
  ),
  overload(
    "string.contains(string): bool",
    (text: string, part: string) => text.includes(part),
    (sizes) => tenth(sizes.size(0)) * tenth(sizes.size(1)),
  ),
];

export const conversions: readonly Overload[] = [
  ...toNumbers,
  ...toTexts,
  ...others,
  ...sizes,
  ...calendarFunctions,
  ...durationParts,
  ...texts,
];
