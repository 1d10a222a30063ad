// What a client insists on before it sends a manifest: that the object's metadata has the documented types. Pure.

import { isObject } from "#machinery/json-object.ts";

type Kind =
  "string" | "types.UID" | "int64" | "time" | "map[string]string" | "[]string" | "[]v1.OwnerReference";

const fields: Readonly<Record<string, Kind>> = {
  name: "string",
  generateName: "string",
  namespace: "string",
  selfLink: "string",
  uid: "types.UID",
  resourceVersion: "string",
  generation: "int64",
  creationTimestamp: "time",
  deletionTimestamp: "time",
  deletionGracePeriodSeconds: "int64",
  labels: "map[string]string",
  annotations: "map[string]string",
  ownerReferences: "[]v1.OwnerReference",
  finalizers: "[]string",
};

const typeOf = (value: unknown): string =>
  Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;

const dateTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

function fieldProblem(name: string, kind: Kind, value: unknown): string | undefined {
  const wrong = (of: unknown, type: string): string =>
    `json: cannot unmarshal ${typeOf(of)} into Go struct field ObjectMeta.metadata.${name} of type ${type}`;
  if (value === null) return undefined;
  switch (kind) {
    case "string":
    case "types.UID":
      return typeof value === "string" ? undefined : wrong(value, kind);
    case "int64":
      return typeof value === "number" ? undefined : wrong(value, kind);
    case "time":
      if (typeof value !== "string") return wrong(value, "string");
      return dateTime.test(value)
        ? undefined
        : `parsing time ${JSON.stringify(value)} as "2006-01-02T15:04:05Z07:00": cannot parse ${JSON.stringify(value)} as "2006"`;
    case "map[string]string": {
      if (!isObject(value)) return wrong(value, kind);
      const bad = Object.values(value).find((one) => one !== null && typeof one !== "string");
      return bad === undefined ? undefined : wrong(bad, "string");
    }
    case "[]string":
    case "[]v1.OwnerReference": {
      if (!Array.isArray(value)) return wrong(value, kind);
      if (kind !== "[]string") return undefined;
      const bad = (value as unknown[]).find((one) => one !== null && typeof one !== "string");
      return bad === undefined ? undefined : wrong(bad, "string");
    }
  }
}

/** Why this cannot be an object's metadata, or undefined. */
export function metadataProblem(metadata: unknown): string | undefined {
  if (metadata === undefined || metadata === null) return undefined;
  if (!isObject(metadata))
    return `json: cannot unmarshal ${typeOf(metadata)} into Go struct field metadataOnlyObject.metadata of type v1.ObjectMeta`;
  for (const [name, kind] of Object.entries(fields)) {
    const problem = Object.hasOwn(metadata, name) ? fieldProblem(name, kind, metadata[name]) : undefined;
    if (problem !== undefined) return problem;
  }
  return undefined;
}
