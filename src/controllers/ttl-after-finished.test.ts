import assert from "node:assert/strict";
import { test } from "node:test";
import type { Job } from "#machinery/gen/types/batch-v1.ts";
import { checkPlan } from "#reconcile/check-plan.ts";
import { planExpiry, ttlAfterFinishedController } from "./ttl-after-finished.ts";

const nowMs = Date.parse("2026-01-01T12:00:00Z");

function job(ttl: number | undefined, end: string | undefined, more: Partial<Job["metadata"]> = {}): Job {
  return {
    metadata: { name: "j", namespace: "default", uid: "u", resourceVersion: "9", ...more },
    spec: { template: {}, ...(ttl === undefined ? {} : { ttlSecondsAfterFinished: ttl }) },
    status:
      end === undefined
        ? {}
        : { conditions: [{ type: end, status: "True", lastTransitionTime: "2026-01-01T11:59:00Z" }] },
  };
}

test("which Jobs are deleted, and when to look again", () => {
  const rows: [string, Job, "deleted" | number | undefined][] = [
    ["it runs", job(0, undefined), undefined],
    ["it is kept", job(undefined, "Complete"), undefined],
    ["its end is only announced", job(0, "FailureTarget"), undefined],
    ["at once", job(0, "Complete"), "deleted"],
    ["the time is over", job(60, "Failed"), "deleted"],
    ["not yet", job(100, "Complete"), 40_000],
    ["it goes already", job(0, "Complete", { deletionTimestamp: "2026-01-01T11:59:30Z" }), undefined],
  ];
  for (const [what, of, expected] of rows) {
    const { actions, againAfterMs } = planExpiry(of, { nowMs });
    checkPlan(ttlAfterFinishedController, actions);
    assert.equal(actions.length > 0 ? "deleted" : againAfterMs, expected, what);
  }
});

test("exactly the version that was looked at is deleted, and its pods go first", () => {
  const [action] = planExpiry(job(0, "Complete"), { nowMs }).actions;
  assert.deepEqual(action?.do === "delete" && action.options, {
    propagationPolicy: "Foreground",
    preconditions: { uid: "u", resourceVersion: "9" },
  });
});
