// API data (parsed JSON) → values, along the declared type; and back, for messages that show a value.
import type { CelType } from "./cel-type.ts";
import { parseDuration, parseTimestamp } from "./time.ts";
import {
  DataMap,
  DataObject,
  DurationValue,
  EvaluationError,
  ListValue,
  MapValue,
  ObjectValue,
  OptionalValue,
  TimestampValue,
  TypeValue,
  UintValue,
  type Value,
} from "./value.ts";

/** What a type without a shape reads: whole numbers are ints. */
function fromAny(raw: unknown): Value {
  if (raw === null || raw === undefined) return null;
  switch (typeof raw) {
    case "boolean":
    case "string":
      return raw;
    case "number":
      return Number.isInteger(raw) ? BigInt(raw) : raw;
    case "bigint":
      return raw;
    default:
      if (Array.isArray(raw)) return ListValue.view(raw, fromAny);
      return new DataMap(raw, fromAny);
  }
}

/** Reads data of a declared type. What does not fit is an error when it is read. */
export function fromData(raw: unknown, type: CelType): Value {
  if (raw === null || raw === undefined) return null;
  switch (type.kind) {
    case "bool":
      return typeof raw === "boolean" ? raw : misfit(type, raw);
    case "string":
      return typeof raw === "string" ? raw : misfit(type, raw);
    case "int":
      return typeof raw === "number" && Number.isInteger(raw) ? BigInt(raw) : misfit(type, raw);
    case "double":
      return typeof raw === "number" ? raw : misfit(type, raw);
    case "bytes":
      return typeof raw === "string" ? Uint8Array.from(Buffer.from(raw, "base64")) : misfit(type, raw);
    case "timestamp":
      return typeof raw === "string" ? timestampFrom(raw) : misfit(type, raw);
    case "duration":
      return typeof raw === "string" ? durationFrom(raw) : misfit(type, raw);
    case "list":
      if (!Array.isArray(raw)) return misfit(type, raw);
      return ListValue.view(raw, (item) => fromData(item, type.element), type.merge);
    case "map":
      if (typeof raw !== "object" || Array.isArray(raw)) return misfit(type, raw);
      return new DataMap(raw, (item) => fromData(item, type.value));
    case "object":
      if (typeof raw !== "object" || Array.isArray(raw)) return misfit(type, raw);
      return new DataObject(type, raw, fromData);
    default:
      return fromAny(raw);
  }
}

function misfit(type: CelType, raw: unknown): never {
  throw new EvaluationError(`invalid data, expected ${type.kind}, got ${raw === null ? "null" : typeof raw}`);
}

function timestampFrom(raw: string): TimestampValue {
  const date = /^\d{4}-\d\d-\d\d$/.test(raw) ? `${raw}T00:00:00Z` : raw;
  const nanos = parseTimestamp(date);
  if (nanos === undefined) throw new EvaluationError(`timestamp parse error on value "${raw}"`);
  return new TimestampValue(nanos);
}

function durationFrom(raw: string): DurationValue {
  const nanos = parseDuration(raw);
  if (nanos === undefined) throw new EvaluationError(`duration parse error on value "${raw}"`);
  return new DurationValue(nanos);
}

/** A value as plain data: what an expression's result is to its caller. */
export function toData(value: Value): unknown {
  if (value === null || typeof value === "boolean" || typeof value === "string" || typeof value === "number")
    return value;
  if (typeof value === "bigint") return Number(value);
  if (value instanceof UintValue) return Number(value.amount);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (value instanceof ListValue) return [...value].map(toData);
  if (value instanceof MapValue)
    return Object.fromEntries([...value.entries()].map(([key, item]) => [String(toData(key)), toData(item)]));
  if (value instanceof ObjectValue) {
    const fields = [...value.type.fields.values()].flatMap((field) => {
      const item = value.get(field.name);
      return item === undefined ? [] : [[field.property, toData(item)] as const];
    });
    return Object.fromEntries(fields);
  }
  if (value instanceof OptionalValue) return value.present ? toData(value.value) : null;
  if (value instanceof TypeValue) return value.name;
  throw new EvaluationError("the value has no form outside of expressions");
}
