// The schema of a custom resource as OpenAPI documents show it. Version 2 cannot say everything: what it has no words
// for is left out there, so that clients of it do not refuse what is valid. Pure.

import { isEmbedded, isIntOrString, keepsUnknown, type Props } from "#machinery/structural/schema-props.ts";

type OpenApi = Record<string, unknown>;

const refs = { v2: "#/definitions/", v3: "#/components/schemas/" } as const;
const objectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

const typeMeta: Readonly<Record<string, OpenApi>> = {
  apiVersion: {
    type: "string",
    description: "The version of the schema that this object is written in, with its group.",
  },
  kind: { type: "string", description: "Which kind of object this is, in CamelCase." },
};

const extensions = [
  "x-kubernetes-preserve-unknown-fields",
  "x-kubernetes-embedded-resource",
  "x-kubernetes-int-or-string",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-list-type",
  "x-kubernetes-map-type",
  "x-kubernetes-validations",
] as const;
const plain = [
  "description",
  "type",
  "format",
  "title",
  "default",
  "maximum",
  "exclusiveMaximum",
  "minimum",
  "exclusiveMinimum",
  "maxLength",
  "minLength",
  "pattern",
  "maxItems",
  "minItems",
  "multipleOf",
  "enum",
  "maxProperties",
  "minProperties",
  "required",
  "example",
  "externalDocs",
] as const;

function picked(schema: Props, names: readonly (keyof Props)[]): OpenApi {
  return Object.fromEntries(names.flatMap((name) => (schema[name] === undefined ? [] : [[name, schema[name]]])));
}

/** Version 2 has no null, no alternatives, and no "integer or string". */
function forV2(schema: Props): Props {
  const { allOf: _a, anyOf: _y, oneOf: _o, not: _n, nullable, ...rest } = schema;
  delete rest.default;
  if (isIntOrString(schema)) {
    const { format: _f, ...kept } = rest;
    delete kept.type;
    return kept;
  }
  if (nullable === true || keepsUnknown(schema)) {
    const { items: _i, properties: _p, additionalProperties: _m, required: _r, ...kept } = rest;
    delete kept.type;
    if (nullable !== true && schema.type !== undefined && schema.type !== "object") kept.type = schema.type;
    return kept;
  }
  return rest;
}

function convert(given: Props, style: "v2" | "v3", root: boolean): OpenApi {
  const schema = style === "v2" ? forV2(given) : given;
  const each = (inner: Props): OpenApi => convert(inner, style, false);
  const out: OpenApi = { ...picked(schema, plain), ...picked(schema, extensions) };
  if (style === "v3") {
    if (schema.nullable === true) out["nullable"] = true;
    for (const name of ["allOf", "anyOf", "oneOf"] as const)
      if (schema[name] !== undefined) out[name] = schema[name].map(each);
    if (schema.not !== undefined) out["not"] = each(schema.not);
  }
  const { items, additionalProperties: more, properties } = schema;
  if (items !== undefined) out["items"] = Array.isArray(items) ? items.map(each) : each(items);
  if (more !== undefined) out["additionalProperties"] = typeof more === "boolean" ? more : each(more);
  const inner = Object.fromEntries(Object.entries(properties ?? {}).map(([name, one]) => [name, each(one)]));
  const own = root || (isEmbedded(given) && properties !== undefined) ? ownFields(inner, style) : inner;
  if (Object.keys(own).length > 0) out["properties"] = own;
  return out;
}

function ownFields(properties: Record<string, OpenApi>, style: "v2" | "v3"): Record<string, OpenApi> {
  const ref = { $ref: `${refs[style]}${objectMeta}` };
  const description = "Standard metadata of every object.";
  // Beside a reference nothing else counts, unless it stands in a list.
  const metadata = style === "v2" ? { description, ...ref } : { description, default: {}, allOf: [ref] };
  return { ...properties, ...typeMeta, metadata };
}

export function customOpenApi(schema: Props, style: "v2" | "v3"): OpenApi {
  return { ...convert(schema, style, true), type: "object" };
}
