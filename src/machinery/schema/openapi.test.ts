import assert from "node:assert/strict";
import { test } from "node:test";
import { openApiRef, openApiSchemas, type OpenApiSchema } from "./openapi.ts";

const schemas = openApiSchemas(["core/v1.Pod", "core/v1.Service", "meta/v1.DeleteOptions"], "v3");
const definitions = openApiSchemas(["core/v1.Pod", "core/v1.Service"], "v2");
const property = (from: Record<string, OpenApiSchema>, name: string, field: string): unknown =>
  (from[name]?.["properties"] as OpenApiSchema | undefined)?.[field];

const core = "io.k8s.api.core.v1";
const meta = "io.k8s.apimachinery.pkg.apis.meta.v1";

test("a kind has its group, version and kind, required fields and sorted properties", () => {
  const pod = schemas[`${core}.Pod`];
  assert.deepEqual(pod?.["x-kubernetes-group-version-kind"], [{ group: "", kind: "Pod", version: "v1" }]);
  assert.deepEqual(Object.keys(pod?.["properties"] as object), [
    "apiVersion",
    "kind",
    "metadata",
    "spec",
    "status",
  ]);
  assert.deepEqual(schemas[`${core}.PodSpec`]?.["required"], ["containers"]);
});

const rows: [string, unknown, unknown][] = [
  [
    "a struct in v3 is wrapped with its default",
    property(schemas, `${core}.Pod`, "spec"),
    { default: {}, allOf: [{ $ref: `#/components/schemas/${core}.PodSpec` }] },
  ],
  [
    "a struct in v2 is a bare reference",
    property(definitions, `${core}.Pod`, "spec"),
    { $ref: `#/definitions/${core}.PodSpec` },
  ],
  [
    "a merged list",
    property(definitions, `${core}.PodSpec`, "containers"),
    {
      type: "array",
      items: { $ref: `#/definitions/${core}.Container` },
      "x-kubernetes-list-map-keys": ["name"],
      "x-kubernetes-list-type": "map",
      "x-kubernetes-patch-merge-key": "name",
      "x-kubernetes-patch-strategy": "merge",
    },
  ],
  [
    "a list of strings in v3",
    property(schemas, `${core}.Container`, "args"),
    { type: "array", items: { type: "string", default: "" }, "x-kubernetes-list-type": "atomic" },
  ],
  [
    "a documented default and values",
    property(schemas, `${core}.ServicePort`, "protocol"),
    { type: "string", enum: ["SCTP", "TCP", "UDP"], default: "TCP" },
  ],
  ["a required name", property(schemas, `${core}.Container`, "name"), { type: "string", default: "" }],
  [
    "inline fields stand in the parent",
    property(definitions, `${core}.Volume`, "hostPath"),
    { $ref: `#/definitions/${core}.HostPathVolumeSource` },
  ],
  [
    "int-or-string in v2",
    definitions["io.k8s.apimachinery.pkg.util.intstr.IntOrString"],
    { type: "string", format: "int-or-string" },
  ],
  ["times", definitions[`${meta}.Time`], { type: "string", format: "date-time" }],
  ["numbers", property(definitions, `${core}.ServicePort`, "port"), { type: "integer", format: "int32" }],
  ["a selector is atomic", definitions[`${meta}.LabelSelector`]?.["x-kubernetes-map-type"], "atomic"],
  [
    "an atomic struct that pods use",
    definitions[`${core}.LocalObjectReference`]?.["x-kubernetes-map-type"],
    "atomic",
  ],
];
for (const [name, got, want] of rows) {
  test(name, () => assert.deepEqual(got, want));
}

test("every reference is in the document", () => {
  for (const [set, prefix] of [
    [schemas, "#/components/schemas/"],
    [definitions, "#/definitions/"],
  ] as const) {
    for (const [, name] of JSON.stringify(set).matchAll(/"\$ref":"([^"]+)"/g)) {
      assert.ok(name !== undefined && name.startsWith(prefix));
      assert.ok(Object.hasOwn(set, name.slice(prefix.length)), name);
    }
  }
});

test("delete options travel under every group and version", () => {
  const kinds = schemas[`${meta}.DeleteOptions`]?.["x-kubernetes-group-version-kind"] as unknown[];
  assert.ok(kinds.length > 50);
});

test("references for paths", () => {
  assert.deepEqual(openApiRef({ group: "", version: "v1", kind: "Status" }, "v2"), {
    $ref: `#/definitions/${meta}.Status`,
  });
  assert.equal(openApiRef({ group: "example.com", version: "v1", kind: "Foo" }, "v3"), undefined);
});

test("descriptions come from the caller", () => {
  const said = openApiSchemas(["core/v1.Pod"], "v3", (ref, field) => `${ref} ${field ?? ""}`.trim());
  assert.equal(said[`${core}.Pod`]?.["description"], "core/v1.Pod");
  assert.equal((property(said, `${core}.Pod`, "spec") as OpenApiSchema)["description"], "core/v1.Pod spec");
});
