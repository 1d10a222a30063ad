import assert from "node:assert/strict";
import { test } from "node:test";
import { makeKubeConfig, type KubeConfig } from "#client/kubeconfig.ts";
import { hasEntries, withEntries, withoutEntries } from "./kubeconfig.ts";

const ours = makeKubeConfig({
  name: "kubernetes",
  user: "kubernetes-admin",
  access: { server: "https://10.200.0.1:6443", clientCertificate: "c", clientKey: "k" },
});
const theirs: KubeConfig = {
  apiVersion: "v1",
  kind: "Config",
  clusters: [{ name: "work", cluster: { server: "https://work" } }],
  contexts: [{ name: "work", context: { cluster: "work", user: "me", namespace: "n" } }],
  users: [{ name: "me", user: { token: "t" } }],
  "current-context": "work",
};

test("our entries go in under the cluster's name and become current; others stay", () => {
  const merged = withEntries(theirs, ours, "leme");
  assert.deepEqual(
    merged.clusters?.map((entry) => entry.name),
    ["work", "leme"],
  );
  assert.deepEqual(merged.contexts?.[1], { name: "leme", context: { cluster: "leme", user: "leme" } });
  assert.deepEqual(merged.users?.[0], theirs.users?.[0]);
  assert.equal(merged["current-context"], "leme");
  assert.deepEqual(withEntries(merged, ours, "leme"), merged);
});

test("going into an empty file", () => {
  assert.equal(withEntries({}, ours, "leme").clusters?.length, 1);
});

test("taking them out leaves what was there", () => {
  const removed = withoutEntries(withEntries(theirs, ours, "leme"), "leme");
  assert.ok(!hasEntries(removed, "leme"));
  assert.deepEqual(removed.clusters, theirs.clusters);
  assert.equal(removed["current-context"], "");
  const elsewhere = { ...withEntries(theirs, ours, "leme"), "current-context": "work" };
  assert.equal(withoutEntries(elsewhere, "leme")["current-context"], "work");
});
