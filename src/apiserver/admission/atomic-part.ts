// Whether a part of an object to be laid over another would replace something that is owned as a whole: a policy may
// not do that by accident.
import { childSchema, type Schema } from "#machinery/schema/schema.ts";

/** The path of the first list, map or struct that is owned as a whole; undefined where there is none. */
export function atomicPart(schema: Schema, value: unknown, path = ""): string | undefined {
  if (Array.isArray(value)) {
    if (schema.type !== "list" || schema.listType === "set") return undefined;
    if (schema.listType === "atomic") return path;
    for (const item of value) {
      const found = atomicPart(schema.item, item, `${path}[]`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  if ((schema.type === "struct" || schema.type === "map") && schema.atomic) return path;
  for (const [name, part] of Object.entries(value)) {
    const next = childSchema(schema, name);
    const found = next === undefined ? undefined : atomicPart(next, part, `${path}.${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
