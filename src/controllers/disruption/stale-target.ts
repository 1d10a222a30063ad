// Clears the mark of a pod that was to be disrupted, when it has not been for a while: whoever put it there has given up.
// Pure.

import { timestamp } from "#base/clock.ts";
import { Pods } from "#client/refs.ts";
import { patchAction } from "#reconcile/action.ts";
import type { Plan } from "#reconcile/controller.ts";
import { isPodTerminal, podCondition, type ReadPod } from "../pod-state.ts";

const staleMs = 120_000;

export const isMarked = (pod: ReadPod): boolean =>
  podCondition(pod, "DisruptionTarget")?.status === "True" &&
  pod.metadata?.deletionTimestamp === undefined &&
  !isPodTerminal(pod);

export function planStaleTarget(pod: ReadPod, nowMs: number): Plan {
  const condition = podCondition(pod, "DisruptionTarget");
  if (condition === undefined || !isMarked(pod)) return { actions: [] };
  const leftMs = (Date.parse(condition.lastTransitionTime ?? "") || 0) + staleMs - nowMs;
  if (leftMs > 0) return { actions: [], againAfterMs: leftMs };
  const cleared = {
    type: "DisruptionTarget",
    status: "False",
    reason: null,
    message: null,
    lastTransitionTime: timestamp(nowMs),
  };
  const { uid, resourceVersion } = pod.metadata ?? {};
  const patch = { metadata: { uid, resourceVersion }, status: { conditions: [cleared] } };
  return {
    actions: [patchAction(Pods, pod, "strategic", patch, { subresource: "status", absentIsFine: true })],
  };
}
