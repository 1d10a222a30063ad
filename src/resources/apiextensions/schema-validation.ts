// What is a valid schema of a custom resource: what OpenAPI v3 allows, of that what is structural, and defaults that
// are valid themselves. Loaded when a definition is written. Pure.

import {
  child,
  forbidden,
  index,
  invalid,
  keyed,
  notSupported,
  required,
  type FieldError,
} from "#machinery/field-error.ts";
import type { CustomResourceDefinitionVersion as Version } from "#machinery/gen/types/apiextensions-v1.ts";
import type { Props } from "#machinery/structural/schema-props.ts";
import { validateDefaultValues } from "./schema-defaults.ts";
import { validateStructural } from "./structural-rules.ts";

const types = ["array", "boolean", "integer", "number", "object", "string"];
/** Beside a status subresource the root's schema says no more than these. */
const rootFields: readonly (readonly [name: string, field: keyof Props])[] = [
  ["Description", "description"],
  ["Type", "type"],
  ["Format", "format"],
  ["Title", "title"],
  ["Maximum", "maximum"],
  ["ExclusiveMaximum", "exclusiveMaximum"],
  ["Minimum", "minimum"],
  ["ExclusiveMinimum", "exclusiveMinimum"],
  ["MaxLength", "maxLength"],
  ["MinLength", "minLength"],
  ["Pattern", "pattern"],
  ["MaxItems", "maxItems"],
  ["MinItems", "minItems"],
  ["UniqueItems", "uniqueItems"],
  ["MultipleOf", "multipleOf"],
  ["Required", "required"],
  ["Items", "items"],
  ["Properties", "properties"],
  ["ExternalDocs", "externalDocs"],
  ["Example", "example"],
  ["XPreserveUnknownFields", "x-kubernetes-preserve-unknown-fields"],
  ["XValidations", "x-kubernetes-validations"],
];

/** `at`: where errors of the schema itself are told. */
export function validateVersionSchema(version: Version, at: string): FieldError[] {
  const schema = version.schema?.openAPIV3Schema as Props | undefined;
  if (schema === undefined) return [];
  const errors = version.subresources?.status === undefined ? [] : validateRoot(schema, at);
  if (schema.nullable === true)
    errors.push(forbidden(child(at, "nullable"), "nullable cannot be true at the root"));
  new OpenApiCheck(errors).visit(schema, at, { root: true, meta: false, noDefaults: undefined });
  const structural = validateStructural(schema, at);
  errors.push(...structural);
  if (structural.length === 0) errors.push(...validateDefaultValues(schema, at));
  return errors;
}

function validateRoot(schema: Props, path: string): FieldError[] {
  if (schema.type !== "object") {
    const why = `only "object" is allowed as the type at the root of the schema if the status subresource is enabled`;
    return [invalid(child(path, "type"), schema.type ?? "", why)];
  }
  const allowed = new Set<string>(rootFields.map(([, field]) => field));
  if (Object.keys(schema).every((field) => allowed.has(field))) return [];
  const names = rootFields.map(([name]) => name).join(" ");
  const why = `only [${names}] fields are allowed at the root of the schema if the status subresource is enabled`;
  return [invalid(path, schema, why)];
}

interface Where {
  readonly root: boolean;
  /** In the metadata of an object. */
  readonly meta: boolean;
  /** Why there may be no default here. */
  readonly noDefaults: string | undefined;
}

class OpenApiCheck {
  private readonly errors: FieldError[];

  constructor(errors: FieldError[]) {
    this.errors = errors;
  }

  visit(schema: Props, path: string, where: Where): void {
    this.unsupported(schema, path, where);
    if (schema.uniqueItems === true) {
      const why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
      this.errors.push(forbidden(child(path, "uniqueItems"), why));
    }
    this.inner(schema, path, where);
    this.extensions(schema, path);
  }

  /** Words of JSON schema that the API has no use for. */
  private unsupported(schema: Props, path: string, { meta, noDefaults }: Where): void {
    const refuse = (field: string, why = `${field} is not supported`): void =>
      void this.errors.push(forbidden(child(path, field), why));
    if (schema.default !== undefined && noDefaults !== undefined)
      refuse("default", `must not be set ${noDefaults}`);
    if (schema.id) refuse("id");
    for (const field of ["additionalItems", "dependencies", "definitions", "patternProperties"] as const) {
      const given = schema[field];
      if (given === undefined) continue;
      if (typeof given === "object" && field !== "additionalItems" && Object.keys(given).length === 0)
        continue;
      refuse(field);
    }
    if (schema.$ref !== undefined) refuse("$ref");
    if (schema.type === "null") refuse("type", "type cannot be set to null, use nullable as an alternative");
    else if (schema.type && !types.includes(schema.type))
      this.errors.push(notSupported(child(path, "type"), schema.type, types));
    if (Array.isArray(schema.items)) refuse("items", "items must be a schema object and not an array");
    if (meta && schema["x-kubernetes-embedded-resource"] === true)
      refuse("x-kubernetes-embedded-resource", "must not be used inside of resource meta");
  }

  private inner(schema: Props, path: string, where: Where): void {
    const below: Where = { ...where, root: false };
    const { additionalProperties: more, properties = {} } = schema;
    const several = Object.keys(properties).length > 0;
    if (more === false)
      this.errors.push(
        forbidden(child(path, "additionalProperties"), "additionalProperties cannot be set to false"),
      );
    else if (more !== undefined && several && more !== true)
      this.errors.push(
        forbidden(
          child(path, "additionalProperties"),
          "additionalProperties and properties are mutual exclusive",
        ),
      );
    if (typeof more === "object") {
      const noDefaults = where.meta
        ? "inside additionalProperties applying to object metadata"
        : where.noDefaults;
      this.visit(more, child(path, "additionalProperties"), { ...below, noDefaults });
    }
    for (const [name, property] of Object.entries(properties)) {
      const isMeta = name === "metadata" && (where.root || schema["x-kubernetes-embedded-resource"] === true);
      const inMeta: Where = {
        root: false,
        meta: true,
        noDefaults: where.root ? "in top-level metadata" : where.noDefaults,
      };
      this.visit(property, keyed(child(path, "properties"), name), isMeta ? inMeta : below);
    }
    if (schema.not !== undefined) this.visit(schema.not, child(path, "not"), below);
    for (const field of ["allOf", "oneOf", "anyOf"] as const)
      (schema[field] ?? []).forEach((one, at) => this.visit(one, index(child(path, field), at), below));
    const { items } = schema;
    if (Array.isArray(items))
      items.forEach((one, at) => this.visit(one, index(child(path, "items"), at), below));
    else if (items !== undefined) this.visit(items, child(path, "items"), below);
  }

  private extensions(schema: Props, path: string): void {
    const unknown = "x-kubernetes-preserve-unknown-fields";
    if (schema[unknown] === false)
      this.errors.push(invalid(child(path, unknown), false, "must be true or undefined"));
    const mapType = schema["x-kubernetes-map-type"];
    if (mapType !== undefined) {
      this.typeIs(schema, path, "object", "x-kubernetes-map-type");
      if (mapType !== "atomic" && mapType !== "granular")
        this.errors.push(notSupported(child(path, "x-kubernetes-map-type"), mapType, ["atomic", "granular"]));
    }
    this.errors.push(
      ...validateList(schema, path, (extension) => this.typeIs(schema, path, "array", extension)),
    );
  }

  private typeIs({ type }: Props, path: string, wanted: string, extension: string): void {
    if (type === wanted) return;
    const why = `must be ${wanted} if ${extension} is specified`;
    this.errors.push(type ? invalid(child(path, "type"), type, why) : required(child(path, "type"), why));
  }
}

function validateList(schema: Props, path: string, typeIsArray: (extension: string) => void): FieldError[] {
  const errors: FieldError[] = [];
  const typeField = child(path, "x-kubernetes-list-type");
  const keysField = child(path, "x-kubernetes-list-map-keys");
  const listType = schema["x-kubernetes-list-type"];
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  if (listType !== undefined) {
    typeIsArray("x-kubernetes-list-type");
    if (!["atomic", "set", "map"].includes(listType))
      errors.push(notSupported(typeField, listType, ["atomic", "set", "map"]));
  }
  if (keys.length > 0 && listType !== "map") {
    const why = "must be map if x-kubernetes-list-map-keys is non-empty";
    errors.push(listType === undefined ? required(typeField, why) : invalid(typeField, listType, why));
  }
  const { items } = schema;
  if (listType === "map") {
    if (keys.length === 0)
      errors.push(required(keysField, "must not be empty if x-kubernetes-list-type is map"));
    if (items === undefined)
      errors.push(required(child(path, "items"), "must have a schema if x-kubernetes-list-type is map"));
    else if (Array.isArray(items))
      errors.push(
        invalid(
          child(path, "items"),
          items,
          "must only have a single schema if x-kubernetes-list-type is map",
        ),
      );
    else errors.push(...validateKeys(items, keys, path));
  }
  const item = Array.isArray(items) ? undefined : items;
  if (item !== undefined && (listType === "set" || listType === "map")) {
    if (item.nullable === true)
      errors.push(
        forbidden(
          child(path, "items.nullable"),
          `cannot be nullable when x-kubernetes-list-type is ${listType}`,
        ),
      );
    if (listType === "set") errors.push(...validateSetItem(item, path));
  }
  return errors;
}

/** Items of a set are compared as wholes. */
function validateSetItem(item: Props, path: string): FieldError[] {
  const why = "must be atomic as item of a list with x-kubernetes-list-type=set";
  const check = (field: "x-kubernetes-list-type" | "x-kubernetes-map-type"): FieldError[] => {
    const given = item[field];
    const at = child(path, `items.${field}`);
    return given === "atomic" ? [] : [invalid(at, given ?? null, why)];
  };
  if (item.type === "array")
    return item["x-kubernetes-list-type"] === undefined ? [] : check("x-kubernetes-list-type");
  return item.type === "object" ? check("x-kubernetes-map-type") : [];
}

function validateKeys(item: Props, keys: readonly string[], path: string): FieldError[] {
  if (item.type !== "object") {
    const why = "must be object if parent array's x-kubernetes-list-type is map";
    return [invalid(child(path, "items.type"), item.type ?? "", why)];
  }
  const errors: FieldError[] = [];
  const keysField = child(path, "x-kubernetes-list-map-keys");
  const seen = new Set<string>();
  for (const key of keys) {
    const property = Object.hasOwn(item.properties ?? {}, key) ? item.properties?.[key] : undefined;
    const at = keyed(child(path, "items.properties"), key);
    if (property === undefined)
      errors.push(invalid(keysField, keys, "entries must all be names of item properties"));
    else {
      if (property.type === "array" || property.type === "object")
        errors.push(
          invalid(
            child(at, "type"),
            item.type,
            "must be a scalar type if parent array's x-kubernetes-list-type is map",
          ),
        );
      if (item.required?.includes(key) !== true && property.default === undefined)
        errors.push(
          required(
            child(at, "default"),
            "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property",
          ),
        );
      if (property.nullable === true)
        errors.push(
          forbidden(
            child(at, "nullable"),
            "this property is in x-kubernetes-list-map-keys, so it cannot be nullable",
          ),
        );
    }
    if (seen.has(key)) errors.push(invalid(keysField, keys, "must not contain duplicate entries"));
    seen.add(key);
  }
  return errors;
}
