// The strategic merge patch that turns the status that the API server has into the one that it should have.
// Only what differs is sent; conditions that others own stay.

import { sameJson } from "./equality.ts";
import type { PodCondition, PodStatus } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";

/** Fields that this kubelet writes; it never touches others. */
const owned = [
  "observedGeneration",
  "phase",
  "message",
  "reason",
  "hostIP",
  "hostIPs",
  "podIP",
  "podIPs",
  "startTime",
  "initContainerStatuses",
  "containerStatuses",
  "ephemeralContainerStatuses",
  "qosClass",
] as const;

/** Lists that strategic merge would join instead of replace. */
const merged = new Set<string>(["hostIPs", "podIPs"]);

function conditionPatch(old: readonly DeepReadonly<PodCondition>[], next: readonly PodCondition[]): object[] {
  const patch: object[] = [];
  for (const condition of next) {
    const before = old.find(({ type }) => type === condition.type);
    if (before !== undefined && sameCondition(before, condition)) continue;
    const entry: Record<string, unknown> = { ...condition };
    for (const field of ["reason", "message"] as const)
      if (before?.[field] !== undefined && condition[field] === undefined) entry[field] = null;
    patch.push(entry);
  }
  return patch;
}

function sameCondition(a: DeepReadonly<PodCondition>, b: PodCondition): boolean {
  return (
    a.status === b.status &&
    (a.reason ?? "") === (b.reason ?? "") &&
    (a.message ?? "") === (b.message ?? "") &&
    a.observedGeneration === b.observedGeneration
  );
}

/** The `status` part of the patch, or undefined when nothing differs. */
export function statusPatch(
  old: DeepReadonly<PodStatus>,
  next: PodStatus,
): Record<string, unknown> | undefined {
  const patch: Record<string, unknown> = {};
  for (const field of owned) {
    const before = old[field];
    const after = next[field];
    if (sameJson(before, after)) continue;
    if (after === undefined) patch[field] = null;
    else if (merged.has(field) && before !== undefined)
      patch[field] = [{ $patch: "replace" }, ...(after as object[])];
    else patch[field] = after;
  }
  const conditions = conditionPatch(old.conditions ?? [], next.conditions ?? []);
  if (conditions.length > 0) patch["conditions"] = conditions;
  return Object.keys(patch).length === 0 ? undefined : patch;
}
