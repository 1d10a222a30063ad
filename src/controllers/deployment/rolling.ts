// A rolling update: today's ReplicaSet grows as far as the surge allows, the old ones shrink as far as enough pods stay
// available. One step at a time; each is decided on what is there. Pure.

import type { Action } from "#reconcile/action.ts";
import {
  availableOf,
  byAge,
  desiredOf,
  fenceposts,
  isActive,
  replicasOf,
  resize,
  type ReadDeployment,
  type ReadSet,
} from "./replica-sets.ts";

const sumOf = (sets: readonly ReadSet[], of: (set: ReadSet) => number): number =>
  sets.reduce((total, set) => total + of(set), 0);

/** How large today's ReplicaSet may be now. `current` is its size, 0 when it does not exist. */
export function newSize(deployment: ReadDeployment, old: readonly ReadSet[], current: number): number {
  const desired = desiredOf(deployment);
  if (deployment.spec?.strategy?.type !== "RollingUpdate") return desired;
  if (current > desired) return desired;
  const most = desired + fenceposts(deployment).maxSurge;
  const room = most - sumOf(old, replicasOf) - current;
  return room <= 0 ? current : current + Math.min(room, desired - current);
}

/** Pods that go, since a set was made smaller, may still be in its status: they are not counted on. */
const staying = (set: ReadSet): number => Math.min(replicasOf(set), availableOf(set));

/** How far the old ones may shrink: first pods that are not available anyway, then others, the oldest first. */
export function oldSizes(
  deployment: ReadDeployment,
  newSet: ReadSet,
  old: readonly ReadSet[],
): Map<ReadSet, number> {
  const sizes = new Map<ReadSet, number>();
  const sizeOf = (set: ReadSet): number => sizes.get(set) ?? replicasOf(set);
  const all = [...old, newSet];
  const least = desiredOf(deployment) - fenceposts(deployment).maxUnavailable;
  const unavailableNew = replicasOf(newSet) - staying(newSet);
  const most = sumOf(all, replicasOf) - least - unavailableNew;
  if (most <= 0) return sizes;
  const oldest = old.toSorted(byAge);
  let gone = 0;
  for (const set of oldest) {
    const unhealthy = Math.min(most - gone, sizeOf(set) - availableOf(set));
    if (unhealthy <= 0) continue;
    sizes.set(set, sizeOf(set) - unhealthy);
    gone += unhealthy;
  }
  let spare = sumOf(all, staying) - least;
  for (const set of oldest) {
    const fewer = Math.min(sizeOf(set), spare);
    if (fewer <= 0) continue;
    sizes.set(set, sizeOf(set) - fewer);
    spare -= fewer;
  }
  return sizes;
}

/** The next step; nothing when there is none to take now. */
export function planRolling(deployment: ReadDeployment, newSet: ReadSet, old: readonly ReadSet[]): Action[] {
  const size = newSize(deployment, old, replicasOf(newSet));
  if (size !== replicasOf(newSet)) return resize(deployment, newSet, size);
  if (!old.some(isActive)) return [];
  return [...oldSizes(deployment, newSet, old)].flatMap(([set, smaller]) => resize(deployment, set, smaller));
}
