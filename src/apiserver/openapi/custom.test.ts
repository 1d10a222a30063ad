import assert from "node:assert/strict";
import { test } from "node:test";
import type { OpenApiSchema } from "#machinery/schema/openapi.ts";
import { customSchemas } from "./custom.ts";

const preserves = { "x-kubernetes-preserve-unknown-fields": true };
const describe = (ref: string, field?: string): string => `${ref} ${field ?? ""}`;
const made = (schema: OpenApiSchema, style: "v2" | "v3"): any =>
  customSchemas(
    { group: "example.com", version: "v1", kind: "Foo", listKind: "FooList", schema },
    { style, describe },
  )[0]?.[1];

test("the fields of every object are there, described", () => {
  const { properties } = made({ type: "object", properties: { spec: { type: "object" } } }, "v2");
  assert.deepEqual(properties, {
    apiVersion: { description: "core/v1.ConfigMap apiVersion", type: "string" },
    kind: { description: "core/v1.ConfigMap kind", type: "string" },
    metadata: {
      description: "core/v1.ConfigMap metadata",
      $ref: "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
    },
    spec: { type: "object" },
  });
  const v3 = made({ type: "object" }, "v3").properties.metadata;
  assert.deepEqual(v3.allOf, [
    { $ref: "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" },
  ]);
});

const fields: [name: string, field: OpenApiSchema, v2: OpenApiSchema][] = [
  ["null has no type", { type: "object", nullable: true, properties: { a: {} } }, {}],
  [
    "unknown fields",
    { type: "object", properties: { a: {} }, ...preserves },
    { type: "object", ...preserves },
  ],
  [
    "combinations",
    { type: "string", anyOf: [{ minLength: 1 }], oneOf: [], allOf: [], not: {}, pattern: "a" },
    { type: "string", pattern: "a" },
  ],
  [
    "a required field that may be null",
    { type: "object", required: ["a", "b"], properties: { a: { nullable: true }, b: { type: "string" } } },
    { type: "object", required: ["b"], properties: { a: {}, b: { type: "string" } } },
  ],
  [
    "inside lists and maps",
    { type: "array", items: { type: "object", additionalProperties: { nullable: true } } },
    { type: "array", items: { type: "object", additionalProperties: {} } },
  ],
];
for (const [name, field, expected] of fields) {
  test(`in v2: ${name}`, () => {
    const schema = { type: "object", properties: { field } };
    assert.deepEqual(made(schema, "v2").properties.field, expected);
    assert.deepEqual(made(schema, "v3").properties.field, field, "v3 says all of it");
  });
}

test("in v2 a kind with unknown fields has no properties, so that nobody takes those for all", () => {
  const schema = { type: "object", ...preserves, properties: { spec: {} } };
  assert.deepEqual(made(schema, "v2"), {
    type: "object",
    "x-kubernetes-group-version-kind": [{ group: "example.com", kind: "Foo", version: "v1" }],
  });
  assert.deepEqual(Object.keys(made(schema, "v3").properties), ["apiVersion", "kind", "metadata", "spec"]);
});

test("an embedded object has the fields of an object", () => {
  const template = { type: "object", "x-kubernetes-embedded-resource": true };
  const { properties } = made({ type: "object", properties: { template } }, "v3").properties.template;
  assert.deepEqual(Object.keys(properties), ["apiVersion", "kind", "metadata"]);
});
