// Takes away what a structural schema does not know, and tells where that was. Pure; changes the value it is given.

import { isObject, type JsonObject } from "../json-object.ts";
import {
  isEmbedded,
  itemsOf,
  keepsUnknown,
  propertyOf,
  typeFields,
  valuesOf,
  type Props,
} from "./schema-props.ts";

type Path = readonly (string | number)[];

/** `resource`: the value is a whole object, whose type and metadata stay. Returns the paths of what went. */
export function prune(value: unknown, schema: Props, resource: boolean): Path[] {
  const dropped: Path[] = [];
  walk(value, schema, resource, [], dropped);
  return dropped;
}

function walk(value: unknown, schema: Props, resource: boolean, path: Path, dropped: Path[]): void {
  if (Array.isArray(value)) {
    const items = itemsOf(schema);
    // A list that no schema describes is left as it is: it stands where unknown fields are kept.
    if (items !== undefined)
      value.forEach((item, at) => walk(item, items, isEmbedded(items), [...path, at], dropped));
    return;
  }
  if (isObject(value)) fields(value, schema, resource, path, dropped);
}

function fields(value: JsonObject, schema: Props, resource: boolean, path: Path, dropped: Path[]): void {
  const values = valuesOf(schema);
  const keepsAll = keepsUnknown(schema) || schema.additionalProperties === true;
  for (const name of Object.keys(value)) {
    if (resource && typeFields.has(name)) continue;
    const known = propertyOf(schema, name) ?? values;
    if (known !== undefined) walk(value[name], known, isEmbedded(known), [...path, name], dropped);
    else if (!keepsAll) {
      delete value[name];
      dropped.push([...path, name]);
    }
  }
}
