import assert from "node:assert/strict";
import { test } from "node:test";
import { missingRules } from "./escalation.ts";
import type { PolicyRule } from "./rbac.ts";

const rule = (verbs: string, resources: string, resourceNames: string[] = []): PolicyRule => ({
  verbs: verbs.split(","),
  apiGroups: [""],
  resources: resources.split(","),
  resourceNames,
});
const urls = (...nonResourceURLs: string[]): PolicyRule => ({ verbs: ["get"], nonResourceURLs });

const rows: [string, PolicyRule[], PolicyRule[], PolicyRule[]][] = [
  ["the same", [rule("get,list", "pods")], [rule("list,get", "pods")], []],
  ["less", [rule("get,list", "pods,secrets")], [rule("get", "secrets")], []],
  ["from two rules together", [rule("get", "pods"), rule("list", "pods")], [rule("get,list", "pods")], []],
  ["by stars", [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }], [rule("get", "pods/log", ["x"])], []],
  [
    "a star is more than everything listed",
    [rule("get,list", "pods")],
    [rule("*", "pods")],
    [rule("*", "pods")],
  ],
  [
    "verbs that are missing, together",
    [rule("get", "pods")],
    [rule("get,list,watch", "pods")],
    [rule("list,watch", "pods")],
  ],
  ["one name out of all", [rule("get", "pods")], [rule("get", "pods", ["a"])], []],
  ["all out of one name", [rule("get", "pods", ["a"])], [rule("get", "pods")], [rule("get", "pods")]],
  [
    "another name",
    [rule("get", "pods", ["a"])],
    [rule("get", "pods", ["a", "b"])],
    [rule("get", "pods", ["b"])],
  ],
  [
    "a subresource is not its resource",
    [rule("get", "pods")],
    [rule("get", "pods/log")],
    [rule("get", "pods/log")],
  ],
  ["every resource's subresource", [rule("get", "*/scale")], [rule("get", "deployments/scale")], []],
  [
    "another group",
    [{ ...rule("get", "pods"), apiGroups: ["apps"] }],
    [rule("get", "pods")],
    [rule("get", "pods")],
  ],
  [
    "paths below",
    [urls("/healthz/*")],
    [urls("/healthz/etcd", "/healthz/*", "/metrics")],
    [urls("/metrics")],
  ],
];
for (const [name, held, wanted, missing] of rows) {
  test(name, () => assert.deepEqual(missingRules(held, wanted), missing));
}
