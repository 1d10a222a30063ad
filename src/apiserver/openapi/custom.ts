// The OpenAPI definitions of a kind that brings its own schema (OpenAPI v3): with the fields that every object has, a
// list, and for v2 without what v2 and its readers cannot express. Pure.

import { isObject } from "#machinery/json-object.ts";
import type { Describe, OpenApiSchema, OpenApiStyle } from "#machinery/schema/openapi.ts";
import type { Gvk } from "./paths.ts";

const metaV1 = "io.k8s.apimachinery.pkg.apis.meta.v1";
/** Whose texts the fields that every object and every list has are described with. */
const [anyObject, anyList] = ["core/v1.ConfigMap", "core/v1.ConfigMapList"];
const preserves = "x-kubernetes-preserve-unknown-fields";
const embeds = "x-kubernetes-embedded-resource";

interface Building {
  readonly style: OpenApiStyle;
  readonly describe: Describe;
}

/** `stable.example.com`, `v1`, `CronTab` → `com.example.stable.v1.CronTab` */
export const customName = ({ group, version, kind }: Gvk): string =>
  [...group.split(".").reverse(), version, kind].join(".");

export const pointer = (style: OpenApiStyle, name: string): { $ref: string } => ({
  $ref: `${style === "v2" ? "#/definitions/" : "#/components/schemas/"}${name}`,
});

function described({ describe }: Building, ref: string, field: string, schema: OpenApiSchema): OpenApiSchema {
  const description = describe(ref, field);
  return description === undefined ? schema : { description, ...schema };
}

/** A reference beside which v3 allows nothing. */
const meta = ({ style }: Building, name: string): OpenApiSchema => {
  const reference = pointer(style, `${metaV1}.${name}`);
  return style === "v2" ? reference : { allOf: [reference] };
};

const typeMeta = (building: Building, ref: string): OpenApiSchema => ({
  apiVersion: described(building, ref, "apiVersion", { type: "string" }),
  kind: described(building, ref, "kind", { type: "string" }),
});

const objectFields = (building: Building): OpenApiSchema => ({
  ...typeMeta(building, anyObject),
  metadata: described(building, anyObject, "metadata", meta(building, "ObjectMeta")),
});

const dropped = ["allOf", "anyOf", "oneOf", "not", "nullable"];

/** What readers of v2 understand: a field that may be null, or may hold anything, has no shape that they could check. */
function toV2(schema: OpenApiSchema): OpenApiSchema {
  const out: OpenApiSchema = {};
  for (const [key, value] of Object.entries(schema)) if (!dropped.includes(key)) out[key] = value;
  if (schema["nullable"] === true) delete out["type"];
  if (schema["nullable"] === true || schema[preserves] === true) {
    delete out["items"];
    delete out["properties"];
  }
  const properties = isObject(out["properties"]) ? out["properties"] : {};
  if (Array.isArray(out["required"])) {
    const nullable = (name: string): boolean => {
      const property = properties[name];
      return isObject(property) && property["nullable"] === true;
    };
    const required = (out["required"] as string[]).filter((name) => !nullable(name));
    if (required.length > 0) out["required"] = required;
    else delete out["required"];
  }
  return out;
}

/** The same change to a schema and to all that it holds. */
function walk(schema: OpenApiSchema, building: Building): OpenApiSchema {
  const inner = (value: unknown): unknown => (isObject(value) ? walk(value, building) : value);
  const out: OpenApiSchema = building.style === "v2" ? toV2(schema) : { ...schema };
  for (const key of ["items", "additionalProperties"]) if (key in out) out[key] = inner(out[key]);
  if (isObject(out["properties"])) {
    out["properties"] = Object.fromEntries(
      Object.entries(out["properties"]).map(([name, value]) => [name, inner(value)]),
    );
  }
  const open = building.style === "v2" && schema[preserves] === true;
  if (schema[embeds] === true && !open)
    out["properties"] = { ...(out["properties"] as object | undefined), ...objectFields(building) };
  return out;
}

function objectSchema(schema: OpenApiSchema, building: Building): OpenApiSchema {
  // To readers of v2, what has properties has no others.
  if (building.style === "v2" && schema[preserves] === true) return { type: "object" };
  const { properties, ...rest } = walk(schema, building);
  const all = Object.entries({ ...(properties as object | undefined), ...objectFields(building) });
  return { ...rest, properties: Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) };
}

/** The definitions of one object and of a list of them, by name. */
export function customSchemas(
  kind: Gvk & { readonly listKind: string; readonly schema: OpenApiSchema | undefined },
  building: Building,
): [string, OpenApiSchema][] {
  const { group, version, listKind, schema } = kind;
  const { style } = building;
  const gvk = (name: string): OpenApiSchema => ({
    "x-kubernetes-group-version-kind": [{ group, kind: name, version }],
  });
  const own = customName(kind);
  const list: OpenApiSchema = {
    description: `${listKind} is a list of ${kind.kind}`,
    type: "object",
    required: ["items"],
    properties: {
      ...typeMeta(building, anyList),
      items: {
        description: `The ${kind.kind} objects of this list.`,
        type: "array",
        items: pointer(style, own),
      },
      metadata: described(building, anyList, "metadata", meta(building, "ListMeta")),
    },
    ...gvk(listKind),
  };
  return [
    [own, { ...objectSchema(schema ?? { type: "object" }, building), ...gvk(kind.kind) }],
    [customName({ group, version, kind: listKind }), list],
  ];
}
