import assert from "node:assert/strict";
import { test } from "node:test";
import type { Lease } from "#machinery/gen/types/coordination-v1.ts";
import { planLease } from "./leader-election.ts";

const held = (holderIdentity: string, leaseDurationSeconds = 15): Lease => ({
  metadata: { resourceVersion: "5" },
  spec: { holderIdentity, leaseDurationSeconds, leaseTransitions: 3, acquireTime: "then", renewTime: "then" },
});

test("create, renew, wait and take", () => {
  const rows: [string, Lease | undefined, number, string][] = [
    ["nobody ever led", undefined, 0, "create"],
    ["we lead", held("me"), 0, "renew"],
    ["we lead, though late", held("me"), 60_000, "renew"],
    ["another leads", held("you"), 14_999, "wait"],
    ["its time is over", held("you"), 15_000, "take"],
    ["it gave up", held("", 1), 0, "take"],
  ];
  for (const [what, lease, sinceSeenMs, step] of rows)
    assert.equal(planLease({ lease, seenMs: 100 }, "me", 15_000, 0, 100 + sinceSeenMs).step, step, what);
});

test("a taken lease counts the transition and starts its times anew; a renewed one keeps acquireTime", () => {
  const taken = planLease({ lease: held("you"), seenMs: 0 }, "me", 15_000, 0, 99_000);
  assert.deepEqual(taken, {
    step: "take",
    spec: {
      holderIdentity: "me",
      leaseDurationSeconds: 15,
      acquireTime: "1970-01-01T00:00:00.000000Z",
      renewTime: "1970-01-01T00:00:00.000000Z",
      leaseTransitions: 4,
    },
  });
  const renewed = planLease({ lease: held("me"), seenMs: 0 }, "me", 15_000, 0, 0);
  assert.equal(renewed.step === "renew" && renewed.spec.acquireTime, "then");
});
