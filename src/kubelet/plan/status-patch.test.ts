import assert from "node:assert/strict";
import test from "node:test";
import type { PodStatus } from "#machinery/gen/types/core-v1.ts";
import { statusPatch } from "./status-patch.ts";

const running: PodStatus = {
  phase: "Running",
  podIP: "10.0.0.2",
  podIPs: [{ ip: "10.0.0.2" }],
  conditions: [
    { type: "Ready", status: "True", lastTransitionTime: "t" },
    { type: "example.com/other", status: "True" },
  ],
};

const rows: [string, PodStatus, PodStatus, Record<string, unknown> | undefined][] = [
  ["nothing differs", running, { ...running, conditions: [{ type: "Ready", status: "True" }] }, undefined],
  [
    "empty and absent are the same",
    { ...running, containerStatuses: [] },
    { ...running, reason: undefined as never },
    { containerStatuses: null },
  ],
  ["a field changes", running, { ...running, phase: "Failed" }, { phase: "Failed" }],
  ["a field goes", { ...running, reason: "r" }, running, { reason: null }],
  [
    "addresses are replaced, not joined",
    running,
    { ...running, podIP: "10.0.0.3", podIPs: [{ ip: "10.0.0.3" }] },
    { podIP: "10.0.0.3", podIPs: [{ $patch: "replace" }, { ip: "10.0.0.3" }] },
  ],
  [
    "only the condition that differs is sent",
    {
      ...running,
      conditions: [{ type: "Ready", status: "False", reason: "r" }, ...(running.conditions ?? [])],
    },
    { ...running, conditions: [{ type: "Ready", status: "True" }] },
    { conditions: [{ type: "Ready", status: "True", reason: null }] },
  ],
];

for (const [title, old, next, expected] of rows)
  test(title, () => assert.deepEqual(statusPatch(old, next), expected));
