import assert from "node:assert/strict";
import { test } from "node:test";
import type { IngressClass, IngressClassParametersReference } from "#machinery/gen/types/networking-v1.ts";
import { kindTable, type Change } from "../kind-table.ts";
import { ingressClass } from "./ingress-class.ts";

const kind = kindTable<IngressClass>(ingressClass, {
  metadata: { name: "x", creationTimestamp: "2020-01-01T00:00:00Z" },
  spec: {
    controller: "example.com/a",
    parameters: { apiGroup: "k8s.example.com", kind: "P", name: "n" },
  },
});
const controller =
  (value: string): Change<IngressClass> =>
  (object) => {
    object.spec = { controller: value };
  };
const parameters =
  (given: Partial<IngressClassParametersReference>): Change<IngressClass> =>
  ({ spec }) =>
    Object.assign(spec?.parameters ?? {}, given);

const cases: [string, Change<IngressClass>, string[]][] = [
  ["nothing is wrong", () => undefined, []],
  ["no controller", (object) => (object.spec = {}), ["spec.controller: Required value"]],
  [
    "a controller without a domain",
    controller("a"),
    ['spec.controller: Invalid value: "a": must be a domain-prefixed path (such as "acme.io/foo")'],
  ],
  [
    "a path of no URL",
    controller("a.b/ü"),
    [
      `spec.controller: Invalid value: "ü": Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')`,
    ],
  ],
  [
    "a controller too long",
    controller(`a.b/${"c".repeat(250)}`),
    ["spec.controller: Too long: may not be more than 250 bytes"],
  ],
  ["in a namespace", parameters({ scope: "Namespace", namespace: "a" }), []],
  [
    "a namespace that is not named",
    parameters({ scope: "Namespace" }),
    ["spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'"],
  ],
  [
    "a namespace of the cluster",
    parameters({ scope: "Cluster", namespace: "a" }),
    ["spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'"],
  ],
  [
    "another scope",
    parameters({ scope: "All" }),
    ['spec.parameters.scope: Unsupported value: "All": supported values: "Cluster", "Namespace"'],
  ],
  [
    "half a reference",
    parameters({ kind: "", name: ".." }),
    [
      "spec.parameters.kind: Required value: kind is required",
      `spec.parameters.name: Invalid value: "..": may not be '..'`,
    ],
  ],
];
for (const [title, change, causes] of cases)
  test(`IngressClass: ${title}`, () => assert.deepEqual(kind.onCreate(change), causes));

test("IngressClass: parameters are of the cluster unless they say otherwise", () => {
  assert.equal(kind.created().spec?.parameters?.scope, "Cluster");
});

test("IngressClass: the controller stays, the parameters may change", () => {
  assert.deepEqual(kind.onUpdate(parameters({ name: "other" })), []);
  assert.deepEqual(kind.onUpdate(controller("example.com/b")), [
    'spec.controller: Invalid value: "example.com/b": field is immutable',
  ]);
});

test("IngressClass: its row", () => {
  assert.deepEqual(kind.row(), ["x", "example.com/a", "P.k8s.example.com/n", "24h"]);
  assert.deepEqual(kind.row(controller("a.b/c"))[2], "<none>");
});
