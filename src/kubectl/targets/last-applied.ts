// The annotation in which a manifest is kept, so that a later apply knows what was asked for. Pure.

import { isObject } from "#machinery/json-object.ts";
import type { KubeObject } from "#machinery/meta.ts";

const annotation = "kubectl.kubernetes.io/last-applied-configuration";

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return (value as unknown[]).map(sorted);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  );
}

export function withLastApplied(object: KubeObject): KubeObject {
  const { [annotation]: _replaced, ...annotations } = object.metadata?.annotations ?? {};
  const plain = { ...object, metadata: { ...object.metadata, annotations } };
  const text = `${JSON.stringify(sorted(plain))}\n`;
  return { ...object, metadata: { ...object.metadata, annotations: { ...annotations, [annotation]: text } } };
}
