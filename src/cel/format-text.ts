// `'%s has %d'.format([name, count])`: the clauses %s %d %f %e %b %x %X %o, with digits after a point for %f and %e.
import { fixedText, formatDouble, scientificText } from "./double-text.ts";
import { formatDuration, formatTimestamp } from "./time.ts";
import {
  DurationValue,
  EvaluationError,
  ListValue,
  MapValue,
  TimestampValue,
  TypeValue,
  UintValue,
  runtimeTypeName,
  type Value,
} from "./value.ts";

/** Digits that a clause may ask for. */
const precisionMax = 100;
const clause = /%(?:%|(?:\.(\d+))?(.?))/gsu;

export function formatText(template: string, values: ListValue): string {
  let used = 0;
  return template.replace(clause, (whole: string, digits: string | undefined, letter: string | undefined) => {
    if (whole === "%%") return "%";
    if (used >= values.length) throw new EvaluationError(`index ${used} out of range`);
    const value = values.at(used++);
    const precision = digits === undefined ? 6 : Number(digits);
    if (precision > precisionMax) throw new EvaluationError(`precision of ${precision} is too large`);
    return formatClause(letter ?? "", value, precision);
  });
}

function formatClause(letter: string, value: Value, precision: number): string {
  switch (letter) {
    case "s":
      return textOf(value, false);
    case "d":
      if (typeof value === "number") return formatDouble(value);
      return String(whole(value, "decimal clause can only be used on integers"));
    case "f":
      return fixed(value, precision, fixedText);
    case "e":
      return fixed(value, precision, scientificText);
    case "b":
      if (typeof value === "boolean") return value ? "1" : "0";
      return whole(value, "only integers and bools can be formatted as binary").toString(2);
    case "o":
      return whole(value, "octal clause can only be used on integers").toString(8);
    case "x":
      return hex(value);
    case "X":
      return hex(value).toUpperCase();
    case "":
      throw new EvaluationError("could not parse formatting clause: unexpected end of string");
    default:
      throw new EvaluationError(
        `could not parse formatting clause: unrecognized formatting clause ${JSON.stringify(letter)}`,
      );
  }
}

function whole(value: Value, message: string): bigint {
  if (typeof value === "bigint") return value;
  if (value instanceof UintValue) return value.amount;
  throw new EvaluationError(`${message}, was given ${runtimeTypeName(value)}`);
}

function fixed(value: Value, precision: number, text: (value: number, digits: number) => string): string {
  if (typeof value !== "number" && typeof value !== "bigint" && !(value instanceof UintValue))
    throw new EvaluationError(
      `fixed-point clause can only be used on doubles, was given ${runtimeTypeName(value)}`,
    );
  const amount = Number(value instanceof UintValue ? value.amount : value);
  return Number.isFinite(amount) ? text(amount, precision) : specialNumber(amount);
}

const specialNumber = (amount: number): string =>
  Number.isNaN(amount) ? "NaN" : amount > 0 ? "Infinity" : "-Infinity";

function hex(value: Value): string {
  if (typeof value === "string") return Buffer.from(value).toString("hex");
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  return whole(value, "only integers, byte buffers, and strings can be formatted as hex").toString(16);
}

/** `%s`: texts inside of lists and maps stand in quotes. */
function textOf(value: Value, quoted: boolean): string {
  if (value === null) return "null";
  switch (typeof value) {
    case "string":
      return quoted ? JSON.stringify(value) : value;
    case "boolean":
    case "bigint":
      return String(value);
    case "number":
      return Number.isFinite(value) ? formatDouble(value) : specialNumber(value);
    default:
      return objectText(value);
  }
}

function objectText(value: Exclude<Value, null | string | boolean | bigint | number>): string {
  if (value instanceof UintValue) return String(value.amount);
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (value instanceof TimestampValue) return formatTimestamp(value.nanos);
  if (value instanceof DurationValue) return formatDuration(value.nanos);
  if (value instanceof TypeValue) return value.name;
  if (value instanceof ListValue) return `[${[...value].map((one) => textOf(one, true)).join(", ")}]`;
  if (value instanceof MapValue) {
    const entries = [...value.entries()].map(([key, one]) => `${textOf(key, true)}: ${textOf(one, true)}`);
    return `{${entries.sort().join(", ")}}`;
  }
  throw new EvaluationError(
    `string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps, was given ${runtimeTypeName(value)}`,
  );
}
