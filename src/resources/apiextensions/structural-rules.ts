// The rules that make a schema structural: every field has a type where it stands, and what alternatives say about
// values only narrows what is declared already. Pure; loaded when a definition is written.

import { toError } from "#base/assert.ts";
import { Pattern } from "#base/re2.ts";
import {
  child,
  fieldErrorMessage,
  forbidden,
  index,
  invalid,
  keyed,
  required,
  type FieldError,
} from "#machinery/field-error.ts";
import {
  isEmbedded,
  isIntOrString,
  itemsOf,
  keepsUnknown,
  propertyOf,
  valuesOf,
  type Props,
} from "#machinery/structural/schema-props.ts";

type Level = "root" | "item" | "field";
type Junctor = "allOf" | "anyOf" | "oneOf";

const junctors: readonly Junctor[] = ["allOf", "anyOf", "oneOf"];
const missingType: Readonly<Record<Level, string>> = {
  root: "must not be empty at the root",
  item: "must not be empty for specified array items",
  field: "must not be empty for specified object fields",
};

export function validateStructural(schema: Props, path: string): FieldError[] {
  const errors: FieldError[] = [];
  visit(schema, "root", path, errors);
  complete(schema, path, errors);
  const text = (error: FieldError): string => fieldErrorMessage(error);
  return errors.sort((a, b) => (text(a) < text(b) ? -1 : 1));
}

function visit(schema: Props, level: Level, path: string, errors: FieldError[]): void {
  const items = itemsOf(schema);
  if (schema.type === "array" && schema.items === undefined)
    errors.push(required(child(path, "items"), "must be specified"));
  if (items !== undefined) visit(items, "item", child(path, "items"), errors);
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    visit(property, "field", keyed(child(path, "properties"), name), errors);
  const values = valuesOf(schema);
  if (values !== undefined) visit(values, "field", child(path, "additionalProperties"), errors);
  if (level === "root" && schema.additionalProperties !== undefined)
    errors.push(forbidden(child(path, "additionalProperties"), "must not be used at the root"));
  extensions(schema, path, errors);
  const skipped = intOrStringPatterns(schema);
  values_(schema, path, errors, skipped);
  typeOf(schema, level, path, errors);
  objects(schema, level, path, errors);
}

function extensions(schema: Props, path: string, errors: FieldError[]): void {
  if (!isIntOrString(schema)) return;
  const only = "must be false if x-kubernetes-int-or-string is true";
  if (keepsUnknown(schema))
    errors.push(invalid(child(path, "x-kubernetes-preserve-unknown-fields"), true, only));
  if (isEmbedded(schema)) errors.push(invalid(child(path, "x-kubernetes-embedded-resource"), true, only));
  if (schema.type)
    errors.push(
      invalid(child(path, "type"), schema.type, "must be empty if x-kubernetes-int-or-string is true"),
    );
}

function typeOf(schema: Props, level: Level, path: string, errors: FieldError[]): void {
  const at = child(path, "type");
  const type = schema.type ?? "";
  if (isEmbedded(schema) && type !== "object") {
    const why = "must be object if x-kubernetes-embedded-resource is true";
    errors.push(type === "" ? required(at, why) : invalid(at, type, why));
  } else if (type === "" && !isIntOrString(schema) && !keepsUnknown(schema))
    errors.push(required(at, missingType[level]));
  if (level === "root" && type !== "" && type !== "object")
    errors.push(invalid(at, type, "must be object at the root"));
}

function objects(schema: Props, level: Level, path: string, errors: FieldError[]): void {
  const whole = level === "root" || isEmbedded(schema);
  const properties = child(path, "properties");
  if (isEmbedded(schema)) {
    if (schema.additionalProperties !== undefined)
      errors.push(
        forbidden(
          child(path, "additionalProperties"),
          "must not be used if x-kubernetes-embedded-resource is set",
        ),
      );
    if (!keepsUnknown(schema) && Object.keys(schema.properties ?? {}).length === 0) {
      const why =
        "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
      errors.push(required(properties, why));
    }
  }
  if (!whole) return;
  for (const name of ["kind", "apiVersion"]) {
    const property = propertyOf(schema, name);
    if (property !== undefined && property.type !== "string")
      errors.push(invalid(child(keyed(properties, name), "type"), property.type ?? "", "must be string"));
  }
  const metadata = propertyOf(schema, "metadata");
  if (metadata === undefined) return;
  const at = keyed(properties, "metadata");
  if (metadata.type !== "object")
    errors.push(invalid(child(at, "type"), metadata.type ?? "", "must be object"));
  if (level === "root" && !isPlainMetadata(metadata)) {
    const why =
      "must not specify anything other than name and generateName, but metadata is implicitly specified";
    errors.push(forbidden(at, why));
  }
}

/** Nothing but limits on the name. */
function isPlainMetadata({
  properties = {},
  type: _t,
  default: _d,
  description: _s,
  ...rest
}: Props): boolean {
  const names = Object.keys(properties);
  return Object.keys(rest).length === 0 && names.every((name) => name === "name" || name === "generateName");
}

const isIntOrStringAlternatives = (anyOf: readonly Props[] | undefined): boolean =>
  anyOf?.length === 2 &&
  ["integer", "string"].every((type, at) => {
    const one = anyOf[at] as Props;
    return one.type === type && Object.keys(one).length === 1;
  });

/** What int-or-string may say besides: `anyOf: [{type: integer}, {type: string}]`, itself or first in `allOf`. */
function intOrStringPatterns(schema: Props): { readonly own: boolean; readonly first: boolean } {
  if (!isIntOrString(schema)) return { own: false, first: false };
  return {
    own: isIntOrStringAlternatives(schema.anyOf),
    first: isIntOrStringAlternatives(schema.allOf?.[0]?.anyOf),
  };
}

/** What a schema says about values. */
function values_(
  schema: Props,
  path: string,
  errors: FieldError[],
  skipped: { readonly own: boolean; readonly first: boolean } = { own: false, first: false },
): void {
  for (const junctor of junctors) {
    if (junctor === "anyOf" && skipped.own) continue;
    (schema[junctor] ?? []).forEach((one, at) => {
      const skips = { own: junctor === "allOf" && at === 0 && skipped.first, first: false };
      nested(one, index(child(path, junctor), at), errors, skips);
    });
  }
  if (schema.not !== undefined) nested(schema.not, child(path, "not"), errors);
  if (!schema.pattern) return;
  try {
    Pattern.of(schema.pattern);
  } catch (error) {
    const why = `must be a valid regular expression, but isn't: ${toError(error).message}`;
    errors.push(invalid(child(path, "pattern"), schema.pattern, why));
  }
}

const mustBeFalse = [
  "x-kubernetes-preserve-unknown-fields",
  "x-kubernetes-embedded-resource",
  "x-kubernetes-int-or-string",
] as const;
const mustBeAbsent = [
  "x-kubernetes-list-map-keys",
  "x-kubernetes-list-type",
  "x-kubernetes-map-type",
] as const;

/** Inside of alternatives nothing may be declared. */
function nested(
  schema: Props,
  path: string,
  errors: FieldError[],
  skipped?: { readonly own: boolean; readonly first: boolean },
): void {
  values_(schema, path, errors, skipped);
  const items = itemsOf(schema);
  if (items !== undefined) nested(items, child(path, "items"), errors);
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    nested(property, keyed(child(path, "properties"), name), errors);
  const refuse = (field: string, how: string): void =>
    void errors.push(forbidden(child(path, field), `must be ${how} to be structural`));
  for (const field of ["type", "title", "description"] as const) if (schema[field]) refuse(field, "empty");
  if (schema.nullable === true) refuse("nullable", "false");
  if (schema.default !== undefined) refuse("default", "undefined");
  if (schema.additionalProperties !== undefined) refuse("additionalProperties", "undefined");
  for (const field of mustBeFalse) if (schema[field] === true) refuse(field, "false");
  for (const field of mustBeAbsent) if (schema[field] !== undefined) refuse(field, "undefined");
  if ((schema["x-kubernetes-validations"]?.length ?? 0) > 0) refuse("x-kubernetes-validations", "empty");
  // Otherwise metadata could be restricted in ways that nobody expects.
  if (propertyOf(schema, "metadata") !== undefined)
    errors.push(
      forbidden(keyed(child(path, "properties"), "metadata"), "must not be specified in a nested context"),
    );
}

/** What alternatives speak of is declared outside of them. */
function complete(schema: Props, path: string, errors: FieldError[]): void {
  for (const junctor of junctors)
    (schema[junctor] ?? []).forEach((one, at) =>
      declared(one, schema, index(child(path, junctor), at), path, errors),
    );
  if (schema.not !== undefined) declared(schema.not, schema, child(path, "not"), path, errors);
  const items = itemsOf(schema);
  if (items !== undefined) complete(items, child(path, "items"), errors);
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    complete(property, keyed(child(path, "properties"), name), errors);
  const values = valuesOf(schema);
  if (values !== undefined) complete(values, child(path, "additionalProperties"), errors);
}

function declared(nestedIn: Props, schema: Props, from: string, path: string, errors: FieldError[]): void {
  for (const junctor of junctors)
    (nestedIn[junctor] ?? []).forEach((one, at) =>
      declared(one, schema, index(child(from, junctor), at), path, errors),
    );
  if (nestedIn.not !== undefined) declared(nestedIn.not, schema, child(from, "not"), path, errors);
  const items = itemsOf(nestedIn);
  if (items !== undefined) {
    const there = itemsOf(schema);
    const [inner, at] = [child(from, "items"), child(path, "items")];
    if (there === undefined) errors.push(required(at, `because it is defined in ${inner}`));
    else declared(items, there, inner, at, errors);
  }
  for (const [name, property] of Object.entries(nestedIn.properties ?? {})) {
    const there = propertyOf(schema, name) ?? valuesOf(schema);
    const [inner, at] = [keyed(child(from, "properties"), name), keyed(child(path, "properties"), name)];
    if (there === undefined) errors.push(required(at, `because it is defined in ${inner}`));
    else declared(property, there, inner, at, errors);
  }
}
