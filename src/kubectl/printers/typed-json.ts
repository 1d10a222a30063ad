// JSON of objects that kubectl knows by type: their fields in the order of their definition, not of the alphabet. Pure.

import { escapeJson } from "#machinery/codec/json-print.ts";
import { isObject, type JsonObject } from "#machinery/json-object.ts";
import type { KubeObject } from "#machinery/meta.ts";

const metadataOrder = [
  "name",
  "generateName",
  "namespace",
  "selfLink",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "labels",
  "annotations",
  "ownerReferences",
  "finalizers",
  "managedFields",
];

function ordered(value: JsonObject, order: readonly string[]): JsonObject {
  const names = [...order.filter((name) => Object.hasOwn(value, name)), ...Object.keys(value)];
  return Object.fromEntries([...new Set(names)].map((name) => [name, value[name]]));
}

/** The object with its fields in the order of its type. */
export function inTypeOrder(object: KubeObject): JsonObject {
  const { metadata } = object;
  const whole = ordered(object as JsonObject, ["kind", "apiVersion", "metadata"]);
  return isObject(metadata) ? { ...whole, metadata: ordered(metadata, metadataOrder) } : whole;
}

export const printTypedJson = (object: KubeObject): string =>
  `${escapeJson(JSON.stringify(inTypeOrder(object), null, 4))}\n`;
