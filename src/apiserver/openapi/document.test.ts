import assert from "node:assert/strict";
import { test } from "node:test";
import { buildDocument, type DocumentKind } from "./document.ts";
import { groupWord } from "./paths.ts";

const silent = (): undefined => undefined;
const kind: DocumentKind = {
  group: "stable.example.com",
  version: "v1",
  kind: "CronTab",
  listKind: "CronTabList",
  resource: "crontabs",
  namespaced: true,
  verbs: ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
  subresources: [
    { name: "scale", verbs: ["get"], kind: { group: "autoscaling", version: "v1", kind: "Scale" } },
  ],
  schema: {
    type: "object",
    properties: {
      metadata: { $ref: "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" },
      spec: { type: "object", properties: { cronSpec: { type: "string", description: "When." } } },
    },
  },
};

interface Doc {
  paths: Record<string, Record<string, Record<string, any>>>;
  components: { schemas: Record<string, any> };
}

test("a kind with its own schema is named after its group, and has a list", () => {
  const { components, paths } = buildDocument({ style: "v3", kinds: [kind] }, silent) as Doc;
  const { schemas } = components;
  const one = schemas["com.example.stable.v1.CronTab"];
  assert.equal(one.properties.spec.properties.cronSpec.description, "When.");
  assert.deepEqual(one["x-kubernetes-group-version-kind"], [
    { group: "stable.example.com", kind: "CronTab", version: "v1" },
  ]);
  const list = schemas["com.example.stable.v1.CronTabList"];
  assert.equal(list.properties.items.items.$ref, "#/components/schemas/com.example.stable.v1.CronTab");
  assert.ok(schemas["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"]);
  assert.ok(schemas["io.k8s.api.autoscaling.v1.Scale"]);
  const item = paths["/apis/stable.example.com/v1/namespaces/{namespace}/crontabs/{name}"];
  assert.equal(item?.["get"]?.["operationId"], "readComExampleStableV1NamespacedCronTab");
  assert.deepEqual(Object.keys(item?.["patch"]?.["requestBody"].content as object), [
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/apply-patch+yaml",
  ]);
});

test("every reference leads somewhere, and every operation has an id of its own", () => {
  for (const style of ["v2", "v3"] as const) {
    const schema = { type: "object" };
    const document = buildDocument({ style, kinds: [{ ...kind, schema }] }, silent);
    const text = JSON.stringify(document);
    for (const [, name] of text.matchAll(/"\$ref":"#\/(?:definitions|components\/schemas)\/([^"]+)"/g))
      assert.ok(text.includes(`"${name}":{`), name);
    const ids = [...text.matchAll(/"operationId":"(\w+)"/g)].map(([, id]) => id);
    assert.equal(new Set(ids).size, ids.length, ids.join(" "));
    assert.ok(ids.includes("deleteComExampleStableV1CollectionNamespacedCronTab"));
    assert.ok(ids.includes("listComExampleStableV1CronTabForAllNamespaces"));
  }
});

for (const [group, word] of [
  ["", "core"],
  ["apps", "apps"],
  ["rbac.authorization.k8s.io", "rbacAuthorization"],
  ["coordination.k8s.io", "coordination"],
  ["stable.example.com", "comExampleStable"],
] as const) {
  test(`the word of group "${group}"`, () => assert.equal(groupWord(group), word));
}
