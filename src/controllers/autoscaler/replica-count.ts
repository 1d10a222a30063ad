// How many replicas a metric asks for: as many as bring it to its target, none more or less while it is near, and with
// what is not known taken to be what changes least. Pure.

import type { PodGroups } from "./pod-metrics.ts";

export interface Tolerance {
  readonly up: number;
  readonly down: number;
}

export const isNear = (ratio: number, { up, down }: Tolerance): boolean =>
  ratio >= 1 - down && ratio <= 1 + up;

export interface PodQuestion {
  readonly groups: PodGroups;
  /** The use of all these pods over what it should be. */
  readonly ratioOf: (usage: ReadonlyMap<string, number>) => number;
  /** What a pod that is not measured is taken to use when that hinders giving replicas up. */
  readonly assumed: (pod: string) => number;
  readonly currentReplicas: number;
  readonly tolerance: Tolerance;
}

export function replicasByPods({
  groups,
  ratioOf,
  assumed,
  currentReplicas,
  tolerance,
}: PodQuestion): number {
  const { ready, unready, missing } = groups;
  const first = ratioOf(ready);
  // Pods that start up would use something too: they count, as using nothing, only against more replicas.
  const countUnready = unready.size > 0 && first > 1;
  if (!countUnready && missing.size === 0)
    return isNear(first, tolerance) ? currentReplicas : Math.ceil(first * ready.size);
  const all = new Map(ready);
  if (first !== 1) for (const pod of missing) all.set(pod, first < 1 ? assumed(pod) : 0);
  if (countUnready) for (const pod of unready) all.set(pod, 0);
  const second = ratioOf(all);
  const isTurned = (first < 1 && second > 1) || (first > 1 && second < 1);
  if (isNear(second, tolerance) || isTurned) return currentReplicas;
  const replicas = Math.ceil(second * all.size);
  const isAgainst = (second < 1 && replicas > currentReplicas) || (second > 1 && replicas < currentReplicas);
  return isAgainst ? currentReplicas : replicas;
}

/** Of a metric that is one value for all: by the pods that are ready, or from zero. */
export function replicasByRatio(
  ratio: number,
  currentReplicas: number,
  readyPods: number,
  tolerance: Tolerance,
): number {
  if (currentReplicas === 0) return Math.ceil(ratio);
  return isNear(ratio, tolerance) ? currentReplicas : Math.ceil(ratio * readyPods);
}

/** Of a metric that is to be shared out: so much for each. */
export function replicasByShare(
  milli: number,
  targetMilli: number,
  { current, observed }: { current: number; observed: number },
  tolerance: Tolerance,
): number {
  if (observed > 0 && isNear(milli / (targetMilli * observed), tolerance)) return current;
  return Math.ceil(milli / targetMilli);
}

export const sum = (usage: ReadonlyMap<string, number>): number => {
  let total = 0;
  for (const milli of usage.values()) total += milli;
  return total;
};
