// What controllers ask of a pod: is it active, ready, available.

import type { Pod, PodCondition } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";

export type ReadPod = DeepReadonly<Pod>;

/** Asked of every pod at every look, so that it is a loop. */
export function podCondition(pod: ReadPod, type: string): DeepReadonly<PodCondition> | undefined {
  const conditions = pod.status?.conditions;
  if (conditions !== undefined)
    for (const condition of conditions) if (condition.type === type) return condition;
  return undefined;
}

/** Neither finished nor being deleted: it counts as a replica. */
export function isPodActive(pod: ReadPod): boolean {
  const phase = pod.status?.phase;
  return phase !== "Succeeded" && phase !== "Failed" && pod.metadata?.deletionTimestamp === undefined;
}

export function isPodTerminal(pod: ReadPod): boolean {
  return pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
}

export function isPodReady(pod: ReadPod): boolean {
  return podCondition(pod, "Ready")?.status === "True";
}

/** When it became ready, in milliseconds; undefined when it is not. */
export function readySinceMs(pod: ReadPod): number | undefined {
  const ready = podCondition(pod, "Ready");
  if (ready?.status !== "True") return undefined;
  return ready.lastTransitionTime == null ? 0 : Date.parse(ready.lastTransitionTime);
}

/** How long until it has been ready for `minReadySeconds`: 0 is available now, undefined is not ready. */
export function availableInMs(pod: ReadPod, minReadySeconds: number, nowMs: number): number | undefined {
  if (minReadySeconds === 0) return isPodReady(pod) ? 0 : undefined;
  const sinceMs = readySinceMs(pod);
  return sinceMs === undefined ? undefined : Math.max(0, sinceMs + minReadySeconds * 1000 - nowMs);
}

/** The most often restarted container of the pod, sidecars included. */
export function maxRestarts(pod: ReadPod): number {
  const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
  return statuses.reduce((most, status) => Math.max(most, status.restartCount), 0);
}
