// A structural schema as the schema nodes that built-in kinds have: what apply and ownership walk. Pure.

import { copyJson, isObject } from "../json-object.ts";
import { decodeObject, strictPath, type Decoded } from "../schema/decode.ts";
import {
  FieldSchema,
  structSchema,
  type AnySchema,
  type ListSchema,
  type ScalarSchema,
  type Schema,
  type StructSchema,
} from "../schema/schema.ts";
import { applyDefaults } from "./defaulting.ts";
import { coerceEmbedded } from "./embedded.ts";
import { prune } from "./prune.ts";
import { isEmbedded, isIntOrString, itemsOf, keepsUnknown, valuesOf, type Props } from "./schema-props.ts";

const anything: AnySchema = { type: "any", goType: "interface {}", scalar: "json" };
const scalars: Readonly<Record<string, ScalarSchema>> = {
  string: { type: "scalar", goType: "string", scalar: "string" },
  boolean: { type: "scalar", goType: "bool", scalar: "bool" },
  integer: { type: "scalar", goType: "int64", scalar: "int64" },
  number: { type: "scalar", goType: "float64", scalar: "double" },
};

const plain = { required: false, emitEmpty: false, omitZero: false, atomic: false };

const field = (name: string, defaultValue: unknown, compile: () => Schema): FieldSchema =>
  new FieldSchema({ ...plain, name, defaultValue }, true, compile);

const metaField = (): FieldSchema => field("metadata", undefined, () => structSchema("meta/v1.ObjectMeta"));

const typeMeta = (): FieldSchema[] =>
  ["kind", "apiVersion"].map((name) => field(name, undefined, () => scalars["string"] as Schema));

function nodeOf(schema: Props, name: string): Schema {
  if (isIntOrString(schema)) return { ...anything, scalar: "json" };
  const scalar = scalars[schema.type ?? ""];
  if (scalar !== undefined) return scalar;
  if (schema.type === "array") return listNode(schema, name);
  if (schema.type !== "object") return anything;
  const values = valuesOf(schema);
  const atomic = schema["x-kubernetes-map-type"] === "atomic";
  if (values !== undefined)
    return { type: "map", goType: "map[string]interface {}", value: nodeOf(values, name), atomic };
  if (schema.properties === undefined && !isEmbedded(schema) && keepsUnknown(schema) && !atomic)
    return anything;
  return structNode(schema, name, isEmbedded(schema) ? [...typeMeta(), metaField()] : []);
}

function listNode(schema: Props, name: string): ListSchema {
  const items = itemsOf(schema);
  const given = schema["x-kubernetes-list-type"];
  return {
    type: "list",
    goType: "[]interface {}",
    item: items === undefined ? anything : nodeOf(items, name),
    listType: given === "set" || given === "map" ? given : "atomic",
    keys: schema["x-kubernetes-list-map-keys"] ?? [],
  };
}

function structNode(schema: Props, name: string, own: readonly FieldSchema[]): StructSchema {
  const names = new Set(own.map((one) => one.name));
  const declared = Object.entries(schema.properties ?? {})
    .filter(([key]) => !names.has(key))
    .map(([key, property]) => field(key, property.default, () => nodeOf(property, `${name}.${key}`)));
  const fields = [...own, ...declared];
  return {
    type: "struct",
    goType: "map[string]interface {}",
    name,
    shortName: name,
    fields,
    byName: new Map(fields.map((one) => [one.name, one])),
    atomic: schema["x-kubernetes-map-type"] === "atomic",
    preserveUnknown: keepsUnknown(schema) || schema.additionalProperties === true,
    hasTypeMeta: false,
  };
}

/** What an object of a custom kind decodes by: metadata as every object has it, all else as its schema says. */
export function customSchema(schema: Props, kind: string): StructSchema {
  const own = [...typeMeta(), metaField()];
  const metadata: StructSchema = {
    ...structNode({}, kind, own),
    shortName: "",
    goType: "unstructured",
    hasTypeMeta: true,
  };
  return {
    ...structNode(schema, kind, own),
    hasTypeMeta: true,
    decode: (value) => decode(schema, metadata, value),
  };
}

function decode(schema: Props, metadataOnly: StructSchema, value: unknown): Decoded {
  const given = isObject(value) ? value : {};
  const head = Object.fromEntries(
    ["kind", "apiVersion", "metadata"]
      .filter((name) => Object.hasOwn(given, name))
      .map((name) => [name, given[name]]),
  );
  const { object, strictErrors } = decodeObject(metadataOnly, head);
  const rest = Object.fromEntries(
    Object.entries(given).filter(([name, inner]) => !Object.hasOwn(head, name) && inner !== undefined),
  );
  const whole = { ...object, ...copyJson(rest) };
  const dropped = prune(whole, schema, true);
  const embedded = coerceEmbedded(whole, schema);
  applyDefaults(whole, schema);
  const errors = [...dropped.map(strictPath), ...embedded].map(
    (path) => `unknown field ${JSON.stringify(path)}`,
  );
  return { object: whole, strictErrors: [...strictErrors, ...errors] };
}
