// A structural schema → the type of its values in rules, with the most that they can hold: by `maxItems`, `maxLength`
// and `maxProperties`, and otherwise by what fits into one request.
import {
  boolType,
  bytesType,
  doubleType,
  durationType,
  dynType,
  intType,
  mapOf,
  objectType,
  stringType,
  timestampType,
  type CelType,
  type FieldDecl,
  type ListMerge,
} from "./cel-type.ts";
import { escapeName } from "./escape.ts";
import { itemsOf, type RuleSchema } from "./rule-schema.ts";

/** The largest object that a request can bring. */
export const requestBytesMax = 3 * 1024 * 1024;
/** How short values can be as JSON, quotes included. */
const shortest = { string: 2, bool: 4, number: 1, container: 2, duration: 3, date: 12, dateTime: 21 };
/** How long times can be as JSON. */
const longest = { duration: 32, date: 12, dateTime: 32 };
/** Bytes of a character, at most. */
const bytesPerCharacter = 4;

export interface TypedSchema {
  readonly type: CelType;
  /** The bytes that a value takes at least. */
  readonly minBytes: number;
}

/** The types of a schema and of all below it, by their schema. What rules cannot see is not there. */
export function typeSchema(schema: RuleSchema, name: string): ReadonlyMap<RuleSchema, TypedSchema> {
  const typed = new Map<RuleSchema, TypedSchema>();
  const visit = (node: RuleSchema, nodeName: string, root: boolean): TypedSchema | undefined => {
    const found = typeOf(node, nodeName, root, visit);
    if (found !== undefined) typed.set(node, found);
    return found;
  };
  visit(schema, name, true);
  return typed;
}

type Visit = (node: RuleSchema, name: string, root: boolean) => TypedSchema | undefined;

function typeOf(schema: RuleSchema, name: string, root: boolean, visit: Visit): TypedSchema | undefined {
  if (schema["x-kubernetes-int-or-string"] === true)
    return { type: { ...dynType, max: requestBytesMax - 2 }, minBytes: 1 };
  switch (schema.type) {
    case "array":
      return arrayType(schema, name, visit);
    case "object":
      return typeof schema.additionalProperties === "object"
        ? mapType(schema, schema.additionalProperties, name, visit)
        : structType(schema, name, root || schema["x-kubernetes-embedded-resource"] === true, visit);
    case "string":
      return stringTypeOf(schema);
    case "boolean":
      return { type: boolType, minBytes: shortest.bool };
    case "number":
      return { type: doubleType, minBytes: shortest.number };
    case "integer":
      return { type: intType, minBytes: shortest.number };
    default:
      return undefined;
  }
}

const nonNegative = (value: number): number => Math.max(0, value);

function arrayType(schema: RuleSchema, name: string, visit: Visit): TypedSchema | undefined {
  const [itemSchema] = itemsOf(schema);
  const item = itemSchema === undefined ? undefined : visit(itemSchema, `${name}.@idx`, false);
  if (item === undefined) return undefined;
  const fitting = Math.floor((requestBytesMax - 2) / (item.minBytes + 1));
  const merge = mergeOf(schema);
  return {
    type: {
      kind: "list",
      element: item.type,
      max: schema.maxItems === undefined ? fitting : nonNegative(schema.maxItems),
      ...(merge === undefined ? {} : { merge }),
    },
    minBytes: shortest.container,
  };
}

function mergeOf(schema: RuleSchema): ListMerge | undefined {
  const type = schema["x-kubernetes-list-type"];
  if (type === "set") return { type, keys: [] };
  if (type !== "map") return undefined;
  return { type, keys: (schema["x-kubernetes-list-map-keys"] ?? []).flatMap((key) => escapeName(key) ?? []) };
}

function mapType(
  schema: RuleSchema,
  values: RuleSchema,
  name: string,
  visit: Visit,
): TypedSchema | undefined {
  const value = visit(values, `${name}.@elem`, false);
  if (value === undefined) return undefined;
  // Two bytes of key, its quotes, colon and comma.
  const fitting = Math.floor((requestBytesMax - 2) / (value.minBytes + 6));
  const max = schema.maxProperties === undefined ? fitting : nonNegative(schema.maxProperties);
  return {
    type: mapOf({ ...stringType, max: requestBytesMax - 2 }, value.type, max),
    minBytes: shortest.container,
  };
}

/** What every resource has, whether its schema says so or not; nothing else of `metadata` is seen. */
function withMeta(properties: RuleSchema["properties"] = {}): Readonly<Record<string, RuleSchema>> {
  const text: RuleSchema = { type: "string" };
  const { apiVersion = text, kind = text, metadata } = properties;
  const { name = text, generateName = text } = metadata?.properties ?? {};
  return {
    ...properties,
    apiVersion,
    kind,
    metadata: { type: "object", properties: { name, generateName } },
  };
}

function structType(schema: RuleSchema, name: string, resource: boolean, visit: Visit): TypedSchema {
  const properties = resource ? withMeta(schema.properties) : (schema.properties ?? {});
  const required = new Set(schema.required);
  const fields: FieldDecl[] = [];
  let minBytes = shortest.container;
  for (const [property, child] of Object.entries(properties)) {
    const typed = visit(child, `${name}.${property}`, false);
    if (typed === undefined) continue;
    const escaped = escapeName(property);
    if (escaped !== undefined) fields.push({ name: escaped, property, type: typed.type });
    // Defaults are filled in by the server: they take no room in a request.
    if (required.has(property) && child.default === undefined)
      minBytes += property.length + typed.minBytes + 4;
  }
  return { type: objectType(name, fields), minBytes };
}

function stringTypeOf(schema: RuleSchema): TypedSchema {
  const whole = requestBytesMax - 2;
  const { maxLength } = schema;
  switch (schema.format) {
    case "byte":
      return {
        type: { ...bytesType, max: maxLength === undefined ? whole : nonNegative(maxLength) },
        minBytes: shortest.string,
      };
    case "duration":
      return { type: { ...durationType, max: longest.duration }, minBytes: shortest.duration };
    case "date":
      return { type: { ...timestampType, max: longest.date }, minBytes: shortest.date };
    case "date-time":
      return { type: { ...timestampType, max: longest.dateTime }, minBytes: shortest.dateTime };
    default:
      return { type: { ...stringType, max: textMax(schema, whole) }, minBytes: shortest.string };
  }
}

function textMax({ maxLength, enum: values }: RuleSchema, whole: number): number {
  if (maxLength !== undefined) return nonNegative(maxLength) * bytesPerCharacter;
  if (values === undefined || values.length === 0) return whole;
  return Math.max(...values.map((value) => (typeof value === "string" ? value.length : 0)));
}
