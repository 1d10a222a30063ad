// Fills in the defaults of a structural schema. A null where none may be is no value: the default comes in its place,
// or it goes. Pure; changes the value it is given.

import { copyJson, isObject, setOwn, type JsonObject } from "../json-object.ts";
import { itemsOf, propertyOf, valuesOf, type Props } from "./schema-props.ts";

export function applyDefaults(value: unknown, schema: Props): void {
  if (Array.isArray(value)) {
    const items = itemsOf(schema);
    if (items !== undefined) list(value, items);
  } else if (isObject(value)) fields(value, schema);
}

const isMissing = (value: unknown, schema: Props): boolean =>
  value === undefined || (value === null && schema.nullable !== true);

function list(value: unknown[], items: Props): void {
  value.forEach((item, at) => {
    if (item === null && items.nullable !== true && items.default !== undefined)
      value[at] = copyJson(items.default);
    else applyDefaults(item, items);
  });
}

function fields(value: JsonObject, schema: Props): void {
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const given = Object.hasOwn(value, name) ? value[name] : undefined;
    if (!isMissing(given, property)) continue;
    if (property.default !== undefined) setOwn(value, name, copyJson(property.default));
    else delete value[name];
  }
  const values = valuesOf(schema);
  for (const name of Object.keys(value)) {
    const known = propertyOf(schema, name) ?? values;
    if (known === undefined) continue;
    if (values === known && isMissing(value[name], known)) {
      if (known.default !== undefined) setOwn(value, name, copyJson(known.default));
      else if (value[name] === null) delete value[name];
    }
    applyDefaults(value[name], known);
  }
}

/** Whether there is any default, so that nobody walks for nothing. */
export function hasDefaults(schema: Props): boolean {
  if (schema.default !== undefined) return true;
  const inner = [...Object.values(schema.properties ?? {}), itemsOf(schema), valuesOf(schema)];
  return inner.some((one) => one !== undefined && hasDefaults(one));
}
