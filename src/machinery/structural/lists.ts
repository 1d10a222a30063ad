// Lists that are sets or keyed: no item twice. Pure.

import { duplicate, index, type FieldError } from "../field-error.ts";
import { isObject, type JsonObject } from "../json-object.ts";
import { itemsOf, propertyOf, valuesOf, type Props } from "./schema-props.ts";

const needs = new WeakMap<Props, boolean>();

/** Whether any list below is a set or keyed, so that nobody walks for nothing. */
function hasUniqueLists(schema: Props): boolean {
  let known = needs.get(schema);
  if (known === undefined) {
    const inner = [...Object.values(schema.properties ?? {}), itemsOf(schema), valuesOf(schema)];
    known = isUnique(schema) || inner.some((one) => one !== undefined && hasUniqueLists(one));
    needs.set(schema, known);
  }
  return known;
}

const isUnique = (schema: Props): boolean =>
  schema["x-kubernetes-list-type"] === "set" || schema["x-kubernetes-list-type"] === "map";

export function validateLists(value: unknown, schema: Props, path: string): FieldError[] {
  if (!hasUniqueLists(schema)) return [];
  if (Array.isArray(value)) {
    const items = itemsOf(schema);
    const inner =
      items === undefined ? [] : value.flatMap((item, i) => validateLists(item, items, index(path, i)));
    return isUnique(schema) ? [...repeated(value, schema, path), ...inner] : inner;
  }
  if (!isObject(value)) return [];
  const values = valuesOf(schema);
  return Object.entries(value).flatMap(([name, inner]) => {
    const known = propertyOf(schema, name);
    if (known !== undefined) return validateLists(inner, known, path === "" ? name : `${path}.${name}`);
    return values === undefined ? [] : validateLists(inner, values, `${path}[${name}]`);
  });
}

/** The same for the same JSON, whatever the order of its keys. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (!isObject(value)) return value;
  return Object.keys(value)
    .sort()
    .map((key) => [key, canonical(value[key])]);
}

function repeated(list: readonly unknown[], schema: Props, path: string): FieldError[] {
  const isMap = schema["x-kubernetes-list-type"] === "map";
  const names = schema["x-kubernetes-list-map-keys"] ?? [];
  const seen = new Set<string>();
  return list.flatMap((item, i) => {
    if (isMap && !isObject(item)) return [];
    const shown = isMap ? keysOf(item as JsonObject, names, schema) : item;
    const text = JSON.stringify(canonical(shown));
    if (seen.has(text)) return [duplicate(index(path, i), shown)];
    seen.add(text);
    return [];
  });
}

function keysOf(item: JsonObject, names: readonly string[], schema: Props): JsonObject {
  const items = itemsOf(schema);
  const entries = names.flatMap((name): [string, unknown][] => {
    const fallback = items === undefined ? undefined : propertyOf(items, name)?.default;
    const value = Object.hasOwn(item, name) ? item[name] : fallback;
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(entries);
}
