// ConfigMap, Secret, Namespace, Node, Service, ServiceAccount, ReplicationController and the kinds of RBAC: what is refused
// and why, what may change, the rows of their tables.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ResourceDefinition } from "#machinery/define-resource.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { clusterRoleBinding } from "../rbac/cluster-role-binding.ts";
import { clusterRole } from "../rbac/cluster-role.ts";
import { roleBinding } from "../rbac/role-binding.ts";
import { role } from "../rbac/role.ts";
import { made, refused, refusedChange, row, withField } from "../kind-under-test.ts";
import { configMap } from "./config-map.ts";
import { namespace } from "./namespace.ts";
import { node } from "./node.ts";
import { replicationController } from "./replication-controller.ts";
import { secret } from "./secret.ts";
import { serviceAccount } from "./service-account.ts";
import { service } from "./service.ts";

type Row = readonly [name: string, path: string, value: unknown, ...errors: string[]];
const metadata = { name: "x", namespace: "default" };

function table<T extends KubeObject>(
  definition: ResourceDefinition<T>,
  valid: object,
  rows: readonly Row[],
): void {
  const { kind } = definition;
  const object = { metadata, ...valid };
  test(`${kind}: valid`, () => assert.deepEqual(refused(definition, object), []));
  for (const [name, path, value, ...errors] of rows)
    test(`${kind}: ${name}`, () =>
      assert.deepEqual(refused(definition, withField(object, path, value)), errors));
}

const badKey =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
table(configMap, { data: { a: "1" }, binaryData: { b: "aGk=" } }, [
  ["a key that is none", "data", { "a b": "1" }, `data[a b]: Invalid value: "a b": ${badKey}`],
  [
    "a key twice",
    "binaryData",
    { a: "aGk=" },
    'data[a]: Invalid value: "a": duplicate of key present in binaryData',
  ],
  [
    "more than it may hold",
    "data",
    { a: "x".repeat(2 ** 20 + 1) },
    "[]: Too long: may not be more than 1048576 bytes",
  ],
]);

test("ConfigMap: immutable is for ever", () => {
  const fixed = { metadata, immutable: true, data: { a: "1" } };
  const why = "field is immutable when `immutable` is set";
  assert.deepEqual(refusedChange(configMap, fixed, withField(fixed, "data", { a: "2" })), [
    `data: Forbidden: ${why}`,
  ]);
  assert.deepEqual(refusedChange(configMap, fixed, withField(fixed, "immutable", false)), [
    `immutable: Forbidden: ${why}`,
  ]);
  assert.deepEqual(row(configMap, made(configMap, fixed)), ["x", 1, "60m"]);
});

table(secret, { type: "kubernetes.io/tls", data: { "tls.crt": "aGk=", "tls.key": "aGk=" } }, [
  ["a certificate without its key", "data", { "tls.crt": "aGk=" }, "data[tls.key]: Required value"],
  [
    "a token of nobody",
    "type",
    "kubernetes.io/service-account-token",
    "metadata.annotations[kubernetes.io/service-account.name]: Required value",
  ],
  [
    "a key that is none",
    "data",
    { "tls.crt": "aGk=", "tls.key": "aGk=", "?": "aGk=" },
    `data[?]: Invalid value: "?": ${badKey}`,
  ],
]);

table(secret, { type: "kubernetes.io/dockerconfigjson", data: { ".dockerconfigjson": "e30=" } }, [
  [
    "a registry's login that is no JSON, which is not told",
    "data",
    { ".dockerconfigjson": "e30x" },
    'data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": must be valid JSON',
  ],
  [
    "a login with neither name nor password",
    "type",
    "kubernetes.io/basic-auth",
    "data[username]: Required value",
    "data[password]: Required value",
  ],
]);

test("Secret: its type stays; what is written as text is kept as bytes", () => {
  const object = { metadata, stringData: { a: "hi" } };
  assert.deepEqual(made(secret, object).data, { a: "aGk=" });
  assert.deepEqual(refusedChange(secret, object, { ...object, type: "other" }), [
    'type: Invalid value: "other": field is immutable',
  ]);
  assert.deepEqual(row(secret, made(secret, object)), ["x", "Opaque", 1, "60m"]);
});

table(node, { metadata: { name: "n" }, spec: { taints: [{ key: "a", effect: "NoSchedule" }] } }, [
  [
    "an effect that is none",
    "spec.taints",
    [{ key: "a", effect: "Never" }],
    'spec.taints[0].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
  ],
]);

test("Node: its pods' range stays", () => {
  const object = { metadata: { name: "n" }, spec: { podCIDR: "10.1.0.0/24" } };
  assert.deepEqual(refusedChange(node, object, withField(object, "spec.podCIDR", "10.2.0.0/24")), [
    'spec.podCIDR: Forbidden: node updates may not change podCIDR except from "" to valid',
  ]);
});

test("Namespace: it is finalized by the system, and shows its phase", () => {
  const object = made(namespace, { metadata: { name: "n" } });
  assert.deepEqual(object.spec?.finalizers, ["kubernetes"]);
  assert.deepEqual(row(namespace, object), ["n", "Active", "60m"]);
});

test("ServiceAccount: a row", () => {
  assert.deepEqual(refused(serviceAccount, { metadata }), []);
  assert.equal(row(serviceAccount, made(serviceAccount, { metadata, secrets: [{ name: "s" }] }))[0], "x");
});

table(service, { spec: { selector: { a: "b" }, ports: [{ name: "a", port: 80 }] } }, [
  ["no port", "spec.ports", [], "spec.ports: Required value"],
  [
    "a port out of range",
    "spec.ports",
    [{ port: 70000 }],
    "spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive",
    "spec.ports[0].targetPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
  ],
  [
    "two ports without names",
    "spec.ports",
    [{ port: 80 }, { port: 81 }],
    "spec.ports[0].name: Required value",
    "spec.ports[1].name: Required value",
  ],
  [
    "a port of the nodes without them",
    "spec.ports",
    [{ port: 80, nodePort: 30080 }],
    "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
  ],
  [
    "an unknown type",
    "spec.type",
    "Magic",
    'spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
  ],
  [
    "an unknown affinity",
    "spec.sessionAffinity",
    "Pod",
    'spec.sessionAffinity: Unsupported value: "Pod": supported values: "ClientIP", "None"',
  ],
  [
    "ranges of a balancer without one",
    "spec.loadBalancerSourceRanges",
    ["10.0.0.0/8"],
    "spec.loadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'",
  ],
]);

const template = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } };
table(replicationController, { spec: { template } }, [
  [
    "fewer than none",
    "spec.replicas",
    -1,
    "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
  ],
  [
    "a selector for others",
    "spec.selector",
    { c: "d" },
    'spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match template `labels`',
  ],
  [
    "pods that end",
    "spec.template.spec.restartPolicy",
    "Never",
    'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
  ],
]);

const rule = { apiGroups: [""], resources: ["pods"], verbs: ["get"] };
const ruleRows: readonly Row[] = [
  [
    "a rule of no verb",
    "rules",
    [{ ...rule, verbs: [] }],
    "rules[0].verbs: Required value: verbs must contain at least one value",
  ],
  [
    "a rule of no group",
    "rules",
    [{ ...rule, apiGroups: [] }],
    "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
  ],
  [
    "a rule of no resource",
    "rules",
    [{ ...rule, resources: [] }],
    "rules[0].resources: Required value: resource rules must supply at least one resource",
  ],
];
table(role, { rules: [rule] }, [
  ...ruleRows,
  [
    "paths in a namespace",
    "rules",
    [{ nonResourceURLs: ["/x"], verbs: ["get"] }],
    'rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs',
  ],
]);
table(clusterRole, { rules: [rule, { nonResourceURLs: ["/x"], verbs: ["get"] }] }, [
  ...ruleRows,
  [
    "paths and resources in one rule",
    "rules",
    [{ ...rule, nonResourceURLs: ["/x"] }],
    'rules[0].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both regular resources and non-resource URLs',
  ],
]);

const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "r" };
const bindingRows: readonly Row[] = [
  ["no role", "roleRef.name", "", "roleRef.name: Required value"],
  [
    "nobody in particular",
    "subjects",
    [{ kind: "Robot", name: "a" }],
    'subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"',
  ],
];
table(roleBinding, { roleRef, subjects: [{ kind: "User", name: "a" }] }, bindingRows);
table(clusterRoleBinding, { roleRef, subjects: [{ kind: "User", name: "a" }] }, [
  ...bindingRows,
  [
    "a role of a namespace",
    "roleRef.kind",
    "Role",
    'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
  ],
  [
    "an account of no namespace",
    "subjects",
    [{ kind: "ServiceAccount", name: "a" }],
    "subjects[0].namespace: Required value",
  ],
]);

test("a binding's role is for ever", () => {
  const object = { metadata, roleRef };
  const [error = ""] = refusedChange(roleBinding, object, withField(object, "roleRef.name", "other"));
  assert.match(error, /^roleRef: Invalid value: \{.*\}: cannot change roleRef$/);
});
