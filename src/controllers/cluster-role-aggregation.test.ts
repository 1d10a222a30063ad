// Aggregated ClusterRoles: whose rules they have, in which order.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ClusterRoles } from "#client/refs.ts";
import type { ClusterRole, PolicyRule } from "#machinery/gen/types/rbac-v1.ts";
import { checkPlan } from "#reconcile/check-plan.ts";
import { aggregatedRules, planAggregation } from "./cluster-role-aggregation.ts";

const rule = (resource: string): PolicyRule => ({ apiGroups: [""], resources: [resource], verbs: ["get"] });
const role = (name: string, labels: Record<string, string>, ...resources: string[]): ClusterRole => ({
  metadata: { name, labels, uid: name },
  rules: resources.map(rule),
});
const all = (...matchLabels: Record<string, string>[]): ClusterRole => ({
  metadata: { name: "all", uid: "all", labels: { a: "1" } },
  aggregationRule: { clusterRoleSelectors: matchLabels.map((one) => ({ matchLabels: one })) },
  rules: [],
});
const roles = [
  role("z", { a: "1" }, "pods", "nodes"),
  role("b", { a: "1", b: "1" }, "pods"),
  role("c", {}, "secrets"),
];
const resources = (rules: readonly { readonly resources?: readonly string[] }[]): string[] =>
  rules.flatMap((one) => one.resources ?? []);

test("rules of the selected roles, by name, each once; its own do not count", () => {
  const own = all({ a: "1" });
  assert.deepEqual(resources(aggregatedRules({ role: own, roles: [...roles, own] })), ["pods", "nodes"]);
  assert.deepEqual(resources(aggregatedRules({ role: all({ b: "1" }, { a: "1" }), roles })), [
    "pods",
    "nodes",
  ]);
  assert.deepEqual(aggregatedRules({ role: all({ none: "1" }), roles }), []);
});

test("a role is written only when it differs, and only when it aggregates", () => {
  const own = all({ a: "1" });
  const { actions } = planAggregation({ role: own, roles });
  checkPlan({ name: "c", owns: [], writes: [ClusterRoles] }, actions);
  const [first] = actions;
  assert.ok(first?.do === "patch");
  const { rules } = first.patch as { rules: PolicyRule[] };
  assert.deepEqual(planAggregation({ role: { ...own, rules }, roles: [...roles].reverse() }).actions, []);
  assert.deepEqual(planAggregation({ role: roles[0] as ClusterRole, roles }).actions, []);
});
