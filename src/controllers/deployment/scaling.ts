// A Deployment that is asked for another size in the middle of a rollout, or while it is paused, spreads the change over
// its ReplicaSets in proportion to their sizes. Pure.

import type { Action } from "#reconcile/action.ts";
import {
  availableOf,
  byAge,
  desiredOf,
  fenceposts,
  isActive,
  replicasOf,
  resize,
  revisionOf,
  sizeBefore,
  type ReadDeployment,
  type ReadSet,
} from "./replica-sets.ts";

/** The size that some of its active ReplicaSets were made for is not that of today. */
export function isScaling(deployment: ReadDeployment, sets: readonly ReadSet[]): boolean {
  return sets.some((set) => {
    const { desired } = sizeBefore(set);
    return isActive(set) && desired !== undefined && desired !== desiredOf(deployment);
  });
}

/** The one to scale, if there is only one that matters. */
function onlyOne(newSet: ReadSet | undefined, old: readonly ReadSet[]): ReadSet | undefined {
  const active = [...(newSet === undefined ? [] : [newSet]), ...old].filter(isActive);
  if (active.length > 1) return undefined;
  return active[0] ?? newSet ?? old.toSorted((a, b) => byAge(b, a))[0];
}

/** What falls to one ReplicaSet of a change of size. */
function shareOf(deployment: ReadDeployment, set: ReadSet): number {
  const desired = desiredOf(deployment);
  const replicas = replicasOf(set);
  if (desired === 0) return -replicas;
  const max = desired + fenceposts(deployment).maxSurge;
  const before = sizeBefore(set).max ?? deployment.status?.replicas ?? 0;
  return before === 0 ? 0 : Math.round((replicas * max) / before) - replicas;
}

/** The sizes that bring the sum to the allowed one; those that grow are helped newest first, others the oldest first. */
export function proportionalSizes(
  deployment: ReadDeployment,
  active: readonly ReadSet[],
): Map<ReadSet, number> {
  const total = active.reduce((sum, set) => sum + replicasOf(set), 0);
  const desired = desiredOf(deployment);
  const allowed = desired > 0 ? desired + fenceposts(deployment).maxSurge : 0;
  const toAdd = allowed - total;
  const order = active.toSorted(
    (a, b) => replicasOf(b) - replicasOf(a) || (toAdd > 0 ? byAge(b, a) : byAge(a, b)),
  );
  const sizes = new Map<ReadSet, number>();
  let added = 0;
  for (const set of order) {
    const left = toAdd - added;
    const share = left === 0 || replicasOf(set) === 0 ? 0 : shareOf(deployment, set);
    const bounded = toAdd > 0 ? Math.min(share, left) : Math.max(share, left);
    sizes.set(set, replicasOf(set) + (left === 0 ? 0 : bounded));
    if (left !== 0) added += bounded;
  }
  // What rounding has left over goes to the largest.
  const [largest] = order;
  if (largest !== undefined && toAdd !== 0)
    sizes.set(largest, Math.max(0, (sizes.get(largest) ?? 0) + toAdd - added));
  return sizes;
}

function isSaturated(deployment: ReadDeployment, newSet: ReadSet | undefined): newSet is ReadSet {
  const desired = desiredOf(deployment);
  return (
    newSet !== undefined &&
    replicasOf(newSet) === desired &&
    sizeBefore(newSet).desired === desired &&
    availableOf(newSet) === desired
  );
}

export function planScaling(
  deployment: ReadDeployment,
  newSet: ReadSet | undefined,
  old: readonly ReadSet[],
): Action[] {
  const desired = desiredOf(deployment);
  const one = onlyOne(newSet, old);
  if (one !== undefined) return replicasOf(one) === desired ? [] : resize(deployment, one, desired);
  if (isSaturated(deployment, newSet))
    return old.filter(isActive).flatMap((set) => resize(deployment, set, 0));
  if (deployment.spec?.strategy?.type !== "RollingUpdate") return [];
  const active = [...(newSet === undefined ? [] : [newSet]), ...old].filter(isActive);
  return [...proportionalSizes(deployment, active)].flatMap(([set, size]) => resize(deployment, set, size));
}

/** Which of the old ReplicaSets, all of size 0, are more than the history keeps. */
export function beyondHistory(deployment: ReadDeployment, old: readonly ReadSet[]): ReadSet[] {
  const limit = deployment.spec?.revisionHistoryLimit;
  if (limit === undefined) return [];
  const alive = old.filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
  const surplus = alive.length - limit;
  if (surplus <= 0) return [];
  return alive
    .toSorted((a, b) => revisionOf(a) - revisionOf(b) || byAge(a, b))
    .slice(0, surplus)
    .filter(
      (set) =>
        (set.status?.replicas ?? 0) === 0 &&
        replicasOf(set) === 0 &&
        (set.metadata?.generation ?? 0) <= (set.status?.observedGeneration ?? 0),
    );
}
