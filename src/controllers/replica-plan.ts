// Which pods a set of replicas gives up first, and what its pods amount to. Shared by all controllers of replicas.

import { isPodActive, isPodReady, maxRestarts, readySinceMs, type ReadPod } from "./pod-state.ts";

const phaseOrder: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

interface Ranked {
  readonly pod: ReadPod;
  /** How many of the pods share its node. */
  readonly onNode: number;
}

/** Ages count by their magnitude, so that no deployment order is given away by seconds. */
function magnitude(sinceMs: number, nowMs: number): number {
  const nanoseconds = (nowMs - sinceMs) * 1e6;
  return nanoseconds > 0 ? Math.floor(Math.log2(nanoseconds)) : -1;
}

function deletionCost(pod: ReadPod): number {
  const text = pod.metadata?.annotations?.["controller.kubernetes.io/pod-deletion-cost"];
  return text !== undefined && /^(0|-?[1-9][0-9]*)$/.test(text) ? Number(text) : 0;
}

/** Younger first; of one magnitude by uid. Undefined when both moments are the same. */
function compareAges(a: number, b: number, pods: [ReadPod, ReadPod], nowMs: number): number | undefined {
  if (a === b) return undefined;
  const difference = magnitude(a, nowMs) - magnitude(b, nowMs);
  if (difference !== 0) return difference;
  return (pods[0].metadata?.uid ?? "") < (pods[1].metadata?.uid ?? "") ? -1 : 1;
}

/**
 * Sorts those to delete first to the front: unassigned < assigned; Pending < Unknown < Running; not ready < ready;
 * lower deletion cost; more pods on its node; ready for a shorter time; more restarts; younger.
 */
function compareForDeletion(a: Ranked, b: Ranked, nowMs: number): number {
  const assigned = (pod: ReadPod): number => ((pod.spec?.nodeName ?? "") === "" ? 0 : 1);
  const phase = (pod: ReadPod): number => phaseOrder[pod.status?.phase ?? ""] ?? 0;
  const ready = (pod: ReadPod): number => (isPodReady(pod) ? 1 : 0);
  for (const order of [
    assigned(a.pod) - assigned(b.pod),
    phase(a.pod) - phase(b.pod),
    ready(a.pod) - ready(b.pod),
    deletionCost(a.pod) - deletionCost(b.pod),
    b.onNode - a.onNode,
  ])
    if (order !== 0) return order;
  const [sinceA, sinceB] = [readySinceMs(a.pod), readySinceMs(b.pod)];
  if (sinceA !== undefined && sinceB !== undefined) {
    const order = compareAges(sinceA, sinceB, [a.pod, b.pod], nowMs);
    if (order !== undefined) return order;
  }
  const restarts = maxRestarts(b.pod) - maxRestarts(a.pod);
  if (restarts !== 0) return restarts;
  const created = (pod: ReadPod): number => Date.parse(pod.metadata?.creationTimestamp ?? "") || 0;
  const byAge = compareAges(created(a.pod), created(b.pod), [a.pod, b.pod], nowMs);
  return byAge ?? ((a.pod.metadata?.uid ?? "") < (b.pod.metadata?.uid ?? "") ? -1 : 1);
}

/** The `surplus` pods to delete, of all active `pods`; nodes that hold many of `related` are relieved first. */
export function podsToDelete(
  pods: readonly ReadPod[],
  surplus: number,
  nowMs: number,
  related: readonly ReadPod[] = pods,
): ReadPod[] {
  if (surplus <= 0) return [];
  const perNode = new Map<string, number>();
  for (const pod of related) {
    if (!isPodActive(pod)) continue;
    const node = pod.spec?.nodeName ?? "";
    if (node !== "") perNode.set(node, (perNode.get(node) ?? 0) + 1);
  }
  return pods
    .map((pod): Ranked => ({ pod, onNode: perNode.get(pod.spec?.nodeName ?? "") ?? 0 }))
    .sort((a, b) => compareForDeletion(a, b, nowMs))
    .slice(0, surplus)
    .map(({ pod }) => pod);
}
