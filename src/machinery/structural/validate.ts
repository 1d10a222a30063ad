// Whether a value is what a schema asks for, told as clients know it: `spec.replicas in body must be of type integer`.
// On an update, a part that is as it was is not held against it. Loaded on demand: its patterns bring their engine. Pure.

import { Pattern } from "#base/re2.ts";
import { sameJson } from "../apply/equal.ts";
import { notSupported, required, tooLong, tooMany, type FieldError } from "../field-error.ts";
import { isObject, type JsonObject } from "../json-object.ts";
import { isFormatted, isInRange } from "./formats.ts";
import { isIntOrString, itemsOf, propertyOf, valuesOf, type Props } from "./schema-props.ts";

/** All errors of a value; paths begin at `path`. `old`: what stood there before, undefined for nothing. */
export function validateValue(value: unknown, schema: Props, path: string, old?: unknown): FieldError[] {
  const errors: FieldError[] = [];
  check({ value, schema, path, old }, errors);
  return errors;
}

interface Place {
  readonly value: unknown;
  readonly schema: Props;
  readonly path: string;
  readonly old: unknown;
}

/** The root has no name; as documented its errors stand in a field that shows as `<nil>`. */
const shown = (path: string): string => (path === "" ? "<nil>" : path);
const at = (path: string, name: string): string => (path === "" ? name : `${path}.${name}`);
const invalid = (path: string, value: unknown, detail: string): FieldError => ({
  type: "FieldValueInvalid",
  field: shown(path),
  value,
  detail,
});

const typeOf = (value: unknown): string => {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
};

const wrongType = (path: string, value: unknown, type: string): FieldError => ({
  type: "FieldValueTypeInvalid",
  field: shown(path),
  value,
  detail: `${path} in body must be of type ${type}: ${JSON.stringify(value)}`,
});

function check(place: Place, errors: FieldError[]): void {
  const { value, schema, path, old } = place;
  if (old !== undefined && sameJson(value, old)) return;
  if (value === null && schema.nullable === true) return;
  checkType(place, errors);
  checkCombined(place, errors);
  if (typeof value === "string") checkText(value, schema, path, errors);
  else if (typeof value === "number") checkNumber(value, schema, path, errors);
  else if (Array.isArray(value)) checkList(value, place, errors);
  else if (isObject(value)) checkObject(value, place, errors);
  if (schema.enum !== undefined && !schema.enum.some((one) => sameJson(one, value))) {
    const names = schema.enum.map((one) => (typeof one === "string" ? one : JSON.stringify(one)));
    errors.push(notSupported(shown(path), value, names));
  }
}

function checkType({ value, schema, path }: Place, errors: FieldError[]): void {
  const type = typeOf(value);
  const wanted = isIntOrString(schema)
    ? ["integer", "string"]
    : schema.type === undefined
      ? []
      : [schema.type];
  if (wanted.length === 0 || wanted.includes(type) || (type === "integer" && wanted.includes("number")))
    return;
  errors.push(wrongType(path, type, wanted.join(",")));
}

/** As long as the schema is there: more than are kept for everyone may be in use. */
const patterns = new WeakMap<Props, Pattern>();

function patternOf(schema: Props, text: string): Pattern {
  let pattern = patterns.get(schema);
  if (pattern === undefined) patterns.set(schema, (pattern = Pattern.of(text)));
  return pattern;
}

function checkText(value: string, schema: Props, path: string, errors: FieldError[]): void {
  const { maxLength, minLength, pattern, format } = schema;
  const length = maxLength === undefined && minLength === undefined ? 0 : [...value].length;
  if (maxLength !== undefined && length > maxLength) errors.push(tooLong(shown(path), maxLength));
  if (minLength !== undefined && length < minLength)
    errors.push(invalid(path, value, `${path} in body should be at least ${minLength} chars long`));
  if (pattern !== undefined && pattern !== "" && !patternOf(schema, pattern).test(value))
    errors.push(invalid(path, value, `${path} in body should match '${pattern}'`));
  if (format !== undefined && !isIntOrString(schema) && !isFormatted(format, value))
    errors.push(wrongType(path, value, format));
}

function checkNumber(value: number, schema: Props, path: string, errors: FieldError[]): void {
  const { maximum, minimum, multipleOf, format } = schema;
  if (format !== undefined && !isInRange(format, value)) errors.push(wrongType(path, value, format));
  const fail = (what: string): void =>
    void errors.push(invalid(path, value, `${path} in body should be ${what}`));
  if (multipleOf !== undefined && !isMultiple(value, multipleOf)) fail(`a multiple of ${multipleOf}`);
  if (maximum !== undefined) {
    if (schema.exclusiveMaximum === true) {
      if (value >= maximum) fail(`less than ${maximum}`);
    } else if (value > maximum) fail(`less than or equal to ${maximum}`);
  }
  if (minimum === undefined) return;
  if (schema.exclusiveMinimum === true) {
    if (value <= minimum) fail(`greater than ${minimum}`);
  } else if (value < minimum) fail(`greater than or equal to ${minimum}`);
}

/** 0.3 is a multiple of 0.1, whatever the division says. */
function isMultiple(value: number, of: number): boolean {
  const quotient = value / of;
  return Math.abs(quotient - Math.round(quotient)) < 1e-9 * Math.max(1, Math.abs(quotient));
}

function checkList(value: readonly unknown[], { schema, path, old }: Place, errors: FieldError[]): void {
  const { maxItems, minItems } = schema;
  if (maxItems !== undefined && value.length > maxItems)
    errors.push(tooMany(shown(path), value.length, maxItems));
  if (minItems !== undefined && value.length < minItems)
    errors.push(invalid(path, value.length, `${path} in body should have at least ${minItems} items`));
  const items = itemsOf(schema);
  if (items === undefined) return;
  const before = oldItems(schema, old);
  value.forEach((item, i) =>
    check({ value: item, schema: items, path: `${path}[${i}]`, old: before(item) }, errors),
  );
}

const keyOf = (keys: readonly string[], item: unknown): string =>
  JSON.stringify(keys.map((key) => (isObject(item) ? item[key] : undefined)));

/** Only the items of keyed lists can be told to be the same ones as before. */
function oldItems(schema: Props, old: unknown): (item: unknown) => unknown {
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  if (schema["x-kubernetes-list-type"] !== "map" || keys.length === 0 || !Array.isArray(old))
    return () => undefined;
  const byKey = new Map(old.map((item: unknown) => [keyOf(keys, item), item]));
  return (item) => byKey.get(keyOf(keys, item));
}

function checkObject(value: JsonObject, { schema, path, old }: Place, errors: FieldError[]): void {
  const names = Object.keys(value);
  const { minProperties, maxProperties } = schema;
  if (minProperties !== undefined && names.length < minProperties)
    errors.push(
      invalid(path, names.length, `${path} in body should have at least ${minProperties} properties`),
    );
  if (maxProperties !== undefined && names.length > maxProperties)
    errors.push(tooMany(shown(path), names.length, maxProperties));
  for (const name of schema.required ?? [])
    if (!Object.hasOwn(value, name)) errors.push(required(at(path, name)));
  const values = valuesOf(schema);
  const before = isObject(old) ? old : undefined;
  for (const name of names) {
    const known = propertyOf(schema, name) ?? values;
    const was = before !== undefined && Object.hasOwn(before, name) ? before[name] : undefined;
    if (known !== undefined)
      check({ value: value[name], schema: known, path: at(path, name), old: was }, errors);
    else if (schema.additionalProperties === false)
      errors.push(invalid(at(path, name), "", `${at(path, name)} in body is a forbidden property`));
  }
}

/** `allOf`, `anyOf`, `oneOf`, `not`: what is changed must fit as a whole. Only the text says where, as documented. */
function checkCombined({ value, schema, path }: Place, errors: FieldError[]): void {
  const { allOf = [], anyOf = [], oneOf = [], not } = schema;
  if (allOf.length + anyOf.length + oneOf.length === 0 && not === undefined) return;
  const tried = (schemas: readonly Props[]): FieldError[][] =>
    schemas.map((one) => validateValue(value, one, path));
  const fail = (what: string): void => void errors.push(invalid("", "", `${JSON.stringify(path)} ${what}`));
  if (anyOf.length > 0) {
    const outcomes = tried(anyOf);
    if (outcomes.every((one) => one.length > 0)) {
      fail("must validate at least one schema (anyOf)");
      errors.push(...nearest(outcomes));
    }
  }
  if (oneOf.length > 0) {
    const outcomes = tried(oneOf);
    const valid = outcomes.filter((one) => one.length === 0).length;
    if (valid !== 1) {
      const found = valid === 0 ? "Found none valid" : `Found ${valid} valid alternatives`;
      fail(`must validate one and only one schema (oneOf). ${found}`);
      if (valid === 0) errors.push(...nearest(outcomes));
    }
  }
  if (allOf.length > 0) {
    const outcomes = tried(allOf);
    errors.push(...outcomes.flat());
    const valid = outcomes.filter((one) => one.length === 0).length;
    if (valid !== allOf.length)
      fail(`must validate all the schemas (allOf)${valid === 0 ? ". None validated" : ""}`);
  }
  if (not !== undefined && validateValue(value, not, path).length === 0)
    fail("must not validate the schema (not)");
}

/** Of alternatives that all fail, the one that fails least says what is missing. */
function nearest(outcomes: readonly FieldError[][]): FieldError[] {
  return outcomes.reduce((best, one) => (one.length < best.length ? one : best), outcomes[0] ?? []);
}
