// Strategic merge patch: like a merge patch, but lists with a merge key merge item by item. Pure; the schema says
// which lists do. Directives as documented: $patch (replace, delete, merge), $retainKeys, $deleteFromPrimitiveList/x,
// $setElementOrder/x.

import { isObject, setOwn, type JsonObject } from "../schema/decode.ts";
import { childSchema, type FieldSchema, type Schema } from "../schema/schema.ts";
import { badRequest } from "../status.ts";

const deleteFromPrimitive = "$deleteFromPrimitiveList/";
const setElementOrder = "$setElementOrder/";

const fieldOf = (schema: Schema | undefined, key: string): FieldSchema | undefined =>
  schema?.type === "struct" ? schema.byName.get(key) : undefined;

/** Applies `patch` to `target` (not changed) by the rules of `schema`; fields without a schema merge as in RFC 7386. */
export function applyStrategicMergePatch(
  target: unknown,
  patch: unknown,
  schema: Schema | undefined,
): unknown {
  if (!isObject(patch)) return patch;
  const directive = patch["$patch"];
  if (directive === "replace") return withoutDirectives(patch);
  if (directive === "delete") return {};
  if (directive !== undefined && directive !== "merge")
    throw badRequest(`unknown patch type: ${JSON.stringify(directive)}`);

  const result: JsonObject = {};
  if (isObject(target)) for (const [key, value] of Object.entries(target)) setOwn(result, key, value);
  retainKeys(result, patch);
  const orders = new Map<string, unknown[]>();
  for (const [key, value] of Object.entries(patch)) {
    if (key === "$patch" || key === "$retainKeys") continue;
    if (key.startsWith(deleteFromPrimitive)) {
      removePrimitives(result, key.slice(deleteFromPrimitive.length), value);
      continue;
    }
    if (key.startsWith(setElementOrder)) {
      if (!Array.isArray(value)) throw badRequest(`${key} must be a list`);
      orders.set(key.slice(setElementOrder.length), value);
      continue;
    }
    if (value === null) {
      delete result[key];
      continue;
    }
    const current = Object.hasOwn(result, key) ? result[key] : undefined;
    setOwn(result, key, mergeField(current, value, schema, key));
  }
  for (const [key, order] of orders) {
    const list = result[key];
    if (Array.isArray(list)) result[key] = ordered(list, order, fieldOf(schema, key)?.mergeKey);
  }
  return result;
}

function mergeField(current: unknown, value: unknown, schema: Schema | undefined, key: string): unknown {
  const field = fieldOf(schema, key);
  const inner = schema === undefined ? undefined : childSchema(schema, key);
  if (Array.isArray(value)) {
    if (field === undefined || !field.patchStrategy.includes("merge")) return value.map(stripDirectives);
    const list = Array.isArray(current) ? (current as unknown[]) : [];
    return field.mergeKey === undefined
      ? [...list, ...value.filter((item) => !list.includes(item))]
      : mergeList(list, value, field.mergeKey, inner?.type === "list" ? inner.item : undefined);
  }
  if (isObject(value)) {
    const replaces = field?.patchStrategy.includes("replace") === true && value["$patch"] === undefined;
    if (replaces) return withoutDirectives(value);
    return applyStrategicMergePatch(isObject(current) ? current : undefined, value, inner);
  }
  return value;
}

function mergeList(
  current: readonly unknown[],
  patch: readonly unknown[],
  mergeKey: string,
  item: Schema | undefined,
): unknown[] {
  const replace = patch.some(
    (one) => isObject(one) && one["$patch"] === "replace" && !Object.hasOwn(one, mergeKey),
  );
  if (replace)
    return patch
      .filter((one) => !(isObject(one) && one["$patch"] === "replace" && !Object.hasOwn(one, mergeKey)))
      .map(stripDirectives);
  const result = [...current];
  for (const one of patch) {
    if (!isObject(one)) throw badRequest(`map: a list merged by ${mergeKey} holds objects only`);
    if (!Object.hasOwn(one, mergeKey))
      throw badRequest(`map: ${JSON.stringify(one)} does not contain declared merge key: ${mergeKey}`);
    const at = result.findIndex((existing) => isObject(existing) && existing[mergeKey] === one[mergeKey]);
    if (one["$patch"] === "delete") {
      if (at >= 0) result.splice(at, 1);
    } else if (at < 0) result.push(withoutDirectives(applyStrategicMergePatch({}, one, item) as JsonObject));
    else result[at] = applyStrategicMergePatch(result[at], one, item);
  }
  return result;
}

function retainKeys(result: JsonObject, patch: JsonObject): void {
  const keep = patch["$retainKeys"];
  if (keep === undefined) return;
  if (!Array.isArray(keep)) throw badRequest("$retainKeys must be a list of field names");
  for (const key of Object.keys(result)) if (!keep.includes(key)) delete result[key];
}

function removePrimitives(result: JsonObject, key: string, values: unknown): void {
  if (!Array.isArray(values)) throw badRequest(`${deleteFromPrimitive}${key} must be a list`);
  const list = result[key];
  if (Array.isArray(list)) result[key] = list.filter((item) => !values.includes(item));
}

/** Items named by the order stand in that order; the others keep their places relative to what stood before them. */
function ordered(
  list: readonly unknown[],
  order: readonly unknown[],
  mergeKey: string | undefined,
): unknown[] {
  const identity = (value: unknown): unknown =>
    mergeKey !== undefined && isObject(value) ? value[mergeKey] : value;
  const rank = new Map(order.map((value, at) => [identity(value), at]));
  const named = list.filter((item) => rank.has(identity(item)));
  named.sort((a, b) => (rank.get(identity(a)) as number) - (rank.get(identity(b)) as number));
  let next = 0;
  return list.map((item) => (rank.has(identity(item)) ? named[next++] : item));
}

function withoutDirectives(object: JsonObject): JsonObject {
  const result: JsonObject = {};
  for (const [key, value] of Object.entries(object)) {
    if (
      key === "$patch" ||
      key === "$retainKeys" ||
      key.startsWith(deleteFromPrimitive) ||
      key.startsWith(setElementOrder)
    )
      continue;
    if (value !== null) setOwn(result, key, stripDirectives(value));
  }
  return result;
}

function stripDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(stripDirectives);
  return isObject(value) ? withoutDirectives(value) : value;
}
