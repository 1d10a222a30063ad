// Which pods are removed because nobody else will remove them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Pods } from "#client/refs.ts";
import type { Pod } from "#machinery/gen/types/core-v1.ts";
import { checkPlan } from "#reconcile/check-plan.ts";
import { planPodGc, type PodGcInput } from "./pod-gc.ts";

const nowMs = Date.parse("2026-06-01T12:00:00Z");
const pod = (name: string, nodeName: string, phase = "Running", metadata: object = {}): Pod => ({
  metadata: { name, namespace: "default", uid: name, ...metadata },
  spec: { containers: [], ...(nodeName === "" ? {} : { nodeName }) },
  status: { phase },
});
const leaving = { deletionTimestamp: "2026-06-01T11:59:00Z" };

/** `name: failed` where it is marked as failed first, `name: gone` where it is only deleted. */
function removed(pods: readonly Pod[], more: Partial<PodGcInput> = {}): string[] {
  const input = {
    pods,
    goneNodes: new Set(["lost"]),
    outOfService: new Set(["broken"]),
    terminatedMax: 0,
    ...more,
  };
  const { actions } = planPodGc(input, nowMs);
  checkPlan({ name: "gc", owns: [], writes: [Pods] }, actions);
  const marked = new Set<string>();
  const found: string[] = [];
  for (const action of actions) {
    if (action.do === "patch") marked.add(action.name);
    if (action.do === "delete") {
      assert.equal(action.options?.gracePeriodSeconds, 0);
      found.push(`${action.name}: ${marked.has(action.name) ? "failed" : "gone"}`);
    }
  }
  return found;
}

const cases: readonly (readonly [name: string, pod: Pod, removed: readonly string[]])[] = [
  ["on a node that is there", pod("p", "n"), []],
  ["on a node that is gone", pod("p", "lost"), ["p: failed"]],
  ["finished, on a node that is gone", pod("p", "lost", "Succeeded"), ["p: gone"]],
  ["without a node", pod("p", "", "Pending"), []],
  ["deleted before it had a node", pod("p", "", "Pending", leaving), ["p: failed"]],
  ["deleted, on a node that ends it itself", pod("p", "n", "Running", leaving), []],
  ["deleted, on a node out of service", pod("p", "broken", "Running", leaving), ["p: failed"]],
  ["not deleted, on a node out of service", pod("p", "broken"), []],
];
for (const [name, given, wanted] of cases)
  test(`a pod ${name}`, () => {
    assert.deepEqual(removed([given]), wanted);
  });

test("of a node that is gone the pod says why it ends", () => {
  const { actions } = planPodGc(
    { pods: [pod("p", "lost")], goneNodes: new Set(["lost"]), outOfService: new Set(), terminatedMax: 0 },
    nowMs,
  );
  assert.deepEqual(actions[0]?.do === "patch" && actions[0].patch, {
    metadata: { uid: "p" },
    status: {
      phase: "Failed",
      conditions: [
        {
          type: "DisruptionTarget",
          status: "True",
          reason: "DeletionByPodGC",
          message: "PodGC: node no longer exists",
          lastTransitionTime: "2026-06-01T12:00:00Z",
        },
      ],
    },
  });
});

test("of finished pods the oldest go, beyond as many as are kept", () => {
  const at = (hour: number) => ({ creationTimestamp: `2026-06-01T0${hour}:00:00Z` });
  const pods = [
    pod("c", "n", "Failed", at(3)),
    pod("a", "n", "Succeeded", at(1)),
    pod("b", "n", "Succeeded", at(2)),
    pod("running", "n", "Running", at(0)),
  ];
  assert.deepEqual(removed(pods, { terminatedMax: 2 }), ["a: gone"]);
  assert.deepEqual(removed([...pods].reverse(), { terminatedMax: 1 }), ["a: gone", "b: gone"]);
  assert.deepEqual(removed(pods, { terminatedMax: 0 }), []);
});
