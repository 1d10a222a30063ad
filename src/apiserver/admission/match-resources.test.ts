import assert from "node:assert/strict";
import { test } from "node:test";
import type { AdmissionRequest } from "./contract.ts";
import { resourcesView, ruleMatches, type MatchRequest } from "./match-resources.ts";

const resourcesMatch = (
  ...[constraints, of, namespace]: [object | undefined, MatchRequest, MatchRequest["object"]]
): boolean =>
  resourcesView(constraints, { ...of, equivalents: () => [] } as unknown as AdmissionRequest, namespace) !==
  undefined;

const request = (more: Partial<MatchRequest> = {}): MatchRequest => ({
  operation: "CREATE",
  resource: { group: "apps", version: "v1", resource: "deployments" },
  subresource: "",
  namespace: "shop",
  name: "web",
  object: { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web", labels: { env: "prod" } } },
  old: undefined,
  ...more,
});
const all = { operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*"] };

/** what differs from a rule for everything, what differs in the request → whether it matches */
const rules: readonly (readonly [string, object, Partial<MatchRequest>, boolean])[] = [
  ["everything", {}, {}, true],
  ["operation", { operations: ["CREATE", "UPDATE"] }, {}, true],
  ["other operation", { operations: ["DELETE"] }, {}, false],
  ["group", { apiGroups: ["apps"] }, {}, true],
  ["core group", { apiGroups: [""] }, {}, false],
  ["version", { apiVersions: ["v1beta1"] }, {}, false],
  ["resource", { resources: ["pods", "deployments"] }, {}, true],
  ["* has no subresources", {}, { subresource: "scale" }, false],
  ["*/* has all", { resources: ["*/*"] }, { subresource: "scale" }, true],
  ["*/* has resources, too", { resources: ["*/*"] }, {}, true],
  ["*/scale", { resources: ["*/scale"] }, { subresource: "scale" }, true],
  ["deployments/*", { resources: ["deployments/*"] }, { subresource: "status" }, true],
  ["deployments/status", { resources: ["deployments/status"] }, {}, false],
  ["scope of a namespace", { scope: "Namespaced" }, {}, true],
  ["scope of the cluster", { scope: "Cluster" }, {}, false],
  ["outside of namespaces", { scope: "Cluster" }, { namespace: "" }, true],
  [
    "a namespace is not in itself",
    { scope: "Cluster" },
    { resource: { group: "", version: "v1", resource: "namespaces" } },
    true,
  ],
  ["name", { resourceNames: ["web"] }, {}, true],
  ["other name", { resourceNames: ["db"] }, {}, false],
  ["nothing", { operations: [] }, {}, false],
];
for (const [name, rule, more, expected] of rules) {
  test(`rule: ${name}`, () => {
    assert.equal(ruleMatches({ ...all, ...rule }, request(more)), expected);
  });
}

const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop", labels: { team: "a" } } };

/** constraints → whether a creation in the namespace is meant */
const constraints: readonly (readonly [string, object | undefined, boolean])[] = [
  ["none", undefined, true],
  ["a rule", { resourceRules: [all] }, true],
  ["a rule that excludes", { resourceRules: [all], excludeResourceRules: [all] }, false],
  ["labels of the namespace", { namespaceSelector: { matchLabels: { team: "a" } } }, true],
  ["other labels of the namespace", { namespaceSelector: { matchLabels: { team: "b" } } }, false],
  ["labels of the object", { objectSelector: { matchLabels: { env: "prod" } } }, true],
  [
    "an expression",
    { objectSelector: { matchExpressions: [{ key: "env", operator: "NotIn", values: ["prod"] }] } },
    false,
  ],
];
for (const [name, given, expected] of constraints) {
  test(`constraints: ${name}`, () => {
    assert.equal(resourcesMatch(given, request(), namespace), expected);
  });
}

test("selectors look at the old object, too, and at no namespace where there is none", () => {
  const prod = { objectSelector: { matchLabels: { env: "prod" } } };
  const deletion = request({ operation: "DELETE", object: undefined, old: request().object });
  assert.equal(resourcesMatch(prod, deletion, namespace), true);
  const selector = { namespaceSelector: { matchLabels: { team: "b" } } };
  assert.equal(resourcesMatch(selector, request({ namespace: "" }), undefined), true);
  const own = request({
    resource: { group: "", version: "v1", resource: "namespaces" },
    object: { ...namespace, metadata: { name: "shop", labels: { team: "b" } } },
  });
  assert.equal(resourcesMatch(selector, own, undefined), true);
});
