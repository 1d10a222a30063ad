import assert from "node:assert/strict";
import { test } from "node:test";
import { schemaFor } from "#machinery/schema/schema.ts";
import { messageType } from "./message-type.ts";
import { typeCheckPolicy, type MatchedKind } from "./policy-types.ts";
import type { PolicySpec } from "./policy.ts";

function kind(group: string, version: string, name: string): MatchedKind {
  const schema = schemaFor(group, version, name);
  assert.ok(schema);
  return { label: `${group === "" ? "" : `${group}/`}${version}, Kind=${name}`, type: messageType(schema) };
}
const deployment = kind("apps", "v1", "Deployment");
const replicaSet = kind("apps", "v1", "ReplicaSet");
const configMap = kind("", "v1", "ConfigMap");
const check = (expression: string, more: Partial<PolicySpec> = {}): PolicySpec => ({
  validations: [{ expression }],
  ...more,
});

test("a field that a kind does not have: told for each kind", () => {
  const shown = (label: string): string =>
    `${label}: ERROR: <input>:1:7: undefined field 'replicas'\n | object.replicas > 1\n | ......^`;
  assert.deepEqual(typeCheckPolicy(check("object.replicas > 1"), [deployment, replicaSet], undefined), [
    {
      fieldRef: "spec.validations[0].expression",
      warning: `${shown("apps/v1, Kind=Deployment")}\n${shown("apps/v1, Kind=ReplicaSet")}`,
    },
  ]);
});

test("everything that is right says nothing", () => {
  for (const expression of [
    "object.spec.replicas > 1",
    "object.metadata.labels['a'] == 'b' && object.metadata.creationTimestamp > timestamp(0)",
    "object.spec.template.spec.containers.all(c, c.image.startsWith('x') && c.ports.all(p, p.containerPort > 1))",
    "object.spec.template.spec.containers.all(c, c.livenessProbe.httpGet.port == 'web' || c.livenessProbe.httpGet.port == 80)",
    "object.spec.template.spec.containers.all(c, quantity(c.resources.limits['cpu']).isLessThan(quantity('1')))",
    "object == oldObject || oldObject == null",
    "object.status.conditions.exists(c, c.type == 'Available')",
  ])
    assert.deepEqual(typeCheckPolicy(check(expression), [deployment], undefined), [], expression);
});

test("types of fields, of variables, of params; message expressions", () => {
  const warnings = (spec: PolicySpec): (string | undefined)[] =>
    typeCheckPolicy(spec, [deployment], configMap.type).map(
      ({ fieldRef, warning }) => `${fieldRef} ${warning.split("\n")[0]?.replace(/^.*<input>:/, "") ?? ""}`,
    );
  assert.deepEqual(warnings(check("object.spec.replicas == 'a'")), [
    "spec.validations[0].expression 1:22: found no matching overload for '_==_' applied to '(int, string)'",
  ]);
  const variables = [{ name: "n", expression: "object.spec.replicas" }];
  assert.deepEqual(warnings(check("variables.n.startsWith('x')", { variables })), [
    "spec.validations[0].expression 1:23: found no matching overload for 'startsWith' applied to 'int.(string)'",
  ]);
  assert.deepEqual(warnings(check("params.data.max == 1", { paramKind: {} })), [
    "spec.validations[0].expression 1:17: found no matching overload for '_==_' applied to '(string, int)'",
  ]);
  assert.deepEqual(warnings({ validations: [{ expression: "true", messageExpression: "object.nope" }] }), [
    "spec.validations[0].messageExpression 1:7: undefined field 'nope'",
  ]);
});
