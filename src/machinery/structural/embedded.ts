// Objects inside of objects (`x-kubernetes-embedded-resource`): their metadata is that of every object. What does not
// fit is dropped, and they must say what they are. Pure.

import { child, index, keyed, required, type FieldError } from "../field-error.ts";
import { isObject, setOwn, type JsonObject } from "../json-object.ts";
import { decodeObject, DecodeError } from "../schema/decode.ts";
import { structSchema } from "../schema/schema.ts";
import { isEmbedded, itemsOf, propertyOf, valuesOf, type Props } from "./schema-props.ts";

/** Calls `visit` with every embedded object. */
function visitEmbedded(
  value: unknown,
  schema: Props,
  path: string,
  visit: (object: JsonObject, path: string) => void,
): void {
  if (Array.isArray(value)) {
    const items = itemsOf(schema);
    if (items !== undefined) value.forEach((item, at) => visitEmbedded(item, items, index(path, at), visit));
    return;
  }
  if (!isObject(value)) return;
  if (isEmbedded(schema) && path !== "") visit(value, path);
  const values = valuesOf(schema);
  for (const [name, inner] of Object.entries(value)) {
    const known = propertyOf(schema, name);
    if (known !== undefined) visitEmbedded(inner, known, child(path, name), visit);
    else if (values !== undefined) visitEmbedded(inner, values, keyed(path, name), visit);
  }
}

const embeds = new WeakMap<Props, boolean>();

function anyEmbedded(schema: Props): boolean {
  let known = embeds.get(schema);
  if (known === undefined) {
    const inner = [...Object.values(schema.properties ?? {}), itemsOf(schema), valuesOf(schema)];
    known = inner.some((one) => one !== undefined && (isEmbedded(one) || anyEmbedded(one)));
    embeds.set(schema, known);
  }
  return known;
}

/** Brings the metadata of embedded objects into its form; returns the paths of unknown fields there. */
export function coerceEmbedded(value: unknown, schema: Props): string[] {
  if (!anyEmbedded(schema)) return [];
  const unknown: string[] = [];
  visitEmbedded(value, schema, "", (object, path) => {
    const { metadata } = object;
    if (!isObject(metadata)) return;
    try {
      const { object: kept, strictErrors } = decodeObject(structSchema("meta/v1.ObjectMeta"), metadata);
      const { creationTimestamp, ...rest } = kept;
      setOwn(object, "metadata", creationTimestamp ? kept : rest);
      for (const error of strictErrors)
        unknown.push(`${path}.metadata.${JSON.parse(error.slice("unknown field ".length)) as string}`);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      delete object["metadata"];
    }
  });
  return unknown;
}

export function validateEmbedded(value: unknown, schema: Props): FieldError[] {
  if (!anyEmbedded(schema)) return [];
  const errors: FieldError[] = [];
  visitEmbedded(value, schema, "", (object, path) => {
    for (const name of ["apiVersion", "kind"])
      if (!object[name]) errors.push(required(child(path, name), "must not be empty"));
  });
  return errors;
}
