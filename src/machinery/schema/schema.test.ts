import assert from "node:assert/strict";
import { test } from "node:test";
import { readFacts } from "./facts.ts";
import { kindsOf, message, messageRefFor, schemaAt, schemaFor, structSchema } from "./schema.ts";

const pod = structSchema("core/v1.Pod");

// Path → what stands there.
const places: [(string | number)[], string][] = [
  [["metadata"], "v1.ObjectMeta"],
  [["metadata", "labels"], "map[string]string"],
  [["spec", "containers"], "[]v1.Container"],
  [["spec", "containers", 0, "imagePullPolicy"], "v1.PullPolicy"],
  [["spec", "containers", 0, "resources", "limits"], "v1.ResourceList"],
  [["spec", "containers", 0, "resources", "limits", "cpu"], "resource.Quantity"],
  [["spec", "volumes", 0, "hostPath", "path"], "string"],
  [["spec", "containers", 0, "livenessProbe", "httpGet", "port"], "intstr.IntOrString"],
  [["status", "conditions", 0, "lastProbeTime"], "v1.Time"],
];
for (const [path, want] of places) {
  test(path.join("."), () => assert.equal(schemaAt(pod, path)?.goType, want));
}

test("paths that lead nowhere", () => {
  assert.equal(schemaAt(pod, ["spec", "nope"]), undefined);
  assert.equal(schemaAt(pod, ["spec", "nodeName", "x"]), undefined);
  assert.equal(schemaAt(pod, ["constructor"]), undefined);
});

test("lists know how they merge, by both kinds of merging", () => {
  const ports = schemaAt(pod, ["spec", "containers", 0, "ports"]);
  assert.ok(ports?.type === "list");
  assert.deepEqual([ports.listType, ports.keys], ["map", ["containerPort", "protocol"]]);
  const field = structSchema("core/v1.Container").byName.get("ports");
  assert.deepEqual([field?.mergeKey, field?.patchStrategy], ["containerPort", ["merge"]]);
});

const kinds: [string, string, string, string | undefined][] = [
  ["", "v1", "Pod", "core/v1.Pod"],
  ["apps", "v1", "Deployment", "apps/v1.Deployment"],
  ["apps", "v1", "DeleteOptions", "meta/v1.DeleteOptions"],
  ["", "v1", "Status", "meta/v1.Status"],
  ["apps", "v1", "Status", undefined],
  ["meta.k8s.io", "v1", "PartialObjectMetadata", "meta/v1.PartialObjectMetadata"],
  ["apiregistration.k8s.io", "v1", "APIService", "apiregistration/v1.APIService"],
  ["rbac.authorization.k8s.io", "v1", "ClusterRole", "rbac/v1.ClusterRole"],
  ["", "v1", "PodSpec", undefined],
  ["", "v1", "constructor", undefined],
  ["example.com", "v1", "Foo", undefined],
];
for (const [group, version, kind, want] of kinds) {
  test(`${group}/${version} ${kind}`, () => {
    assert.equal(messageRefFor(group, version, kind), want);
    assert.equal(schemaFor(group, version, kind)?.name, want);
  });
}

test("every message of the table compiles, and all that it refers to is there", () => {
  let fields = 0;
  for (const [package_, { messages }] of Object.entries(readFacts())) {
    for (const name of Object.keys(messages)) {
      assert.ok(message(`${package_}.${name}`));
      for (const field of structSchema(`${package_}.${name}`).fields) {
        assert.ok(field.schema.goType);
        fields++;
      }
    }
  }
  assert.ok(fields > 4000);
  assert.ok(kindsOf("", "v1").includes("ReplicationController"));
});
