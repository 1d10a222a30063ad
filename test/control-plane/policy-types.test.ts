// What a ValidatingAdmissionPolicy's status says of its expressions.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ValidatingAdmissionPolicies } from "#client/refs.ts";
import type { ValidatingAdmissionPolicy } from "#machinery/gen/types/admissionregistration-v1.ts";
import { eventually, startControlPlane } from "./control-plane.ts";

const policy = (expression: string, resources: string[]): ValidatingAdmissionPolicy => ({
  metadata: { name: "replicas" },
  spec: {
    matchConstraints: {
      resourceRules: [{ apiGroups: ["apps"], apiVersions: ["v1"], operations: ["CREATE"], resources }],
    },
    validations: [{ expression, message: "no" }],
  },
});

test("expressions are checked against the kinds that the policy names, and again when it changes", async () => {
  const plane = await startControlPlane({ controllers: ["validatingadmissionpolicy-status-controller"] });
  const { admin } = plane;
  const judged = (generation: number): Promise<ValidatingAdmissionPolicy> =>
    eventually(async () => {
      const one = await admin.get<ValidatingAdmissionPolicy>(ValidatingAdmissionPolicies, "", "replicas");
      return one.status?.observedGeneration === generation && one;
    });
  try {
    await admin.create(
      ValidatingAdmissionPolicies,
      "",
      policy("object.replicas > 1", ["deployments", "replicasets"]),
    );
    const wrong = await judged(1);
    const told = (kind: string): string =>
      `apps/v1, Kind=${kind}: ERROR: <input>:1:7: undefined field 'replicas'\n | object.replicas > 1\n | ......^`;
    assert.deepEqual(wrong.status?.typeChecking, {
      expressionWarnings: [
        {
          fieldRef: "spec.validations[0].expression",
          warning: `${told("Deployment")}\n${told("ReplicaSet")}`,
        },
      ],
    });
    const { spec } = policy("object.spec.replicas > 1", ["deployments", "deployments/scale"]);
    await admin.update(ValidatingAdmissionPolicies, { ...wrong, spec });
    const right = await judged(2);
    assert.deepEqual(right.status?.typeChecking, {});
  } finally {
    await plane.stop();
  }
});
