// An object without the paths of a set. What becomes empty by that is null: the decoder drops it.

import { isObject, setOwn, type JsonObject } from "../json-object.ts";
import { isEmpty, isMember, type FieldSet } from "./field-set.ts";
import { memberOf, settle, storedElement, type Shape } from "./shape.ts";

export function removeItems(given: Shape, value: unknown, remove: FieldSet): unknown {
  if (isEmpty(remove)) return value;
  const shape = settle(given, value);
  switch (shape.as) {
    case "leaf":
      return value;
    case "struct":
    case "map":
      if (!isObject(value)) return value;
      return removeMembers(value, remove, (name) => memberOf(shape, name));
    case "set":
    case "keyed": {
      if (!Array.isArray(value) || value.length === 0) return value;
      const kept = (value as unknown[]).flatMap((item) => {
        const node = remove[storedElement(shape, item)];
        if (node === undefined) return [item];
        return isMember(node) ? [] : [removeItems(shape.item, item, node)];
      });
      return kept.length === 0 ? null : kept;
    }
  }
}

function removeMembers(
  value: JsonObject,
  remove: FieldSet,
  member: (name: string) => { element: string; shape: Shape },
): JsonObject | null {
  const out: JsonObject = {};
  let kept = 0;
  let removed = 0;
  for (const name of Object.keys(value)) {
    const { element, shape } = member(name);
    const node = remove[element];
    if (node !== undefined && isMember(node)) {
      removed++;
      continue;
    }
    kept++;
    setOwn(out, name, node === undefined ? value[name] : removeItems(shape, value[name], node));
  }
  return kept > 0 || removed === 0 ? out : null;
}
