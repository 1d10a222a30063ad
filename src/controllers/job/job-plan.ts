// What a Job does next. Pure. The order of its writes is what keeps the counters right: first the status says that pods
// are to be counted, then their finalizers go; first it says that the Job fails, then its pods are deleted.

import { Jobs, Pods } from "#client/refs.ts";
import { deleteAction, referenceTo, type Action } from "#reconcile/action.ts";
import type { Plan, PlanContext } from "#reconcile/controller.ts";
import { isPodActive, type ReadPod } from "../pod-state.ts";
import { claim } from "./claim.ts";
import { isTracked, untrack, type ReadJob } from "./job-pod.ts";
import { announced, deadlineInMs, isFinished, outcomeOf } from "./outcome.ts";
import { populate, type Population } from "./population.ts";
import { planStatus } from "./status.ts";
import { account } from "./tracking.ts";

/** Who looks after a Job that names nobody else. */
const ownManager = "kubernetes.io/job-controller";

export interface JobInput {
  readonly job: ReadJob;
  /** Pods that it controls, and orphans that it may adopt; in any state. */
  readonly pods: readonly ReadPod[];
}

function removal(job: ReadJob, pod: ReadPod): Action {
  return deleteAction(Pods, pod, {
    announce: {
      about: referenceTo(Jobs, job),
      done: { reason: "SuccessfulDelete", message: "Deleted pod: {name}" },
      failed: { reason: "FailedDelete", message: "Error deleting: {error}" },
    },
  });
}

const byName = (a: ReadPod, b: ReadPod): number =>
  (a.metadata?.name ?? "") < (b.metadata?.name ?? "") ? -1 : 1;

export const isManagedElsewhere = ({ spec }: ReadJob): boolean =>
  spec?.managedBy !== undefined && spec.managedBy !== ownManager;

function decide({ job, pods }: JobInput, nowMs: number, mayCreate: boolean): Plan {
  if (isManagedElsewhere(job)) return { actions: [] };
  const { mine: unsorted, patches } = claim(job, pods);
  const mine = [...unsorted].sort(byName);
  if (job.metadata?.deletionTimestamp !== undefined || isFinished(job))
    return { actions: [...patches, ...mine.filter(isTracked).map(untrack)] };
  // What was adopted is looked at when the cache shows it so.
  if (patches.length > 0) return { actions: patches };
  const counted = account(job, mine, announced(job) !== undefined);
  const outcome = outcomeOf(job, mine, counted, nowMs);
  const population: Population =
    outcome === undefined ? populate(job, mine, counted, nowMs) : { create: [], remove: [] };
  const create = mayCreate ? population.create : [];
  const stopped = outcome === undefined ? [] : mine.filter(isPodActive);
  const { status, events } = planStatus({
    job,
    pods: mine,
    counted,
    outcome,
    created: create.length,
    removed: [...population.remove, ...stopped],
    nowMs,
  });
  const waits = [population.againAfterMs, outcome === undefined ? deadlineInMs(job, nowMs) : undefined];
  const againAfterMs = Math.min(...waits.map((wait) => wait ?? Infinity));
  return {
    actions: [
      ...create,
      ...status,
      ...events,
      ...counted.release.map(untrack),
      // Pods that are given up count neither as successes nor as failures.
      ...population.remove.filter(isTracked).map(untrack),
      ...[...population.remove, ...stopped].map((pod) => removal(job, pod)),
    ],
    ...(againAfterMs === Infinity ? {} : { againAfterMs: Math.max(1, againAfterMs) }),
  };
}

export function planJob(input: JobInput, { nowMs }: PlanContext): Plan {
  return decide(input, nowMs, true);
}

/** Pods could not be created: what has ended is counted nevertheless. */
export function planWithoutCreating(input: JobInput, { nowMs }: PlanContext): readonly Action[] {
  return decide(input, nowMs, false).actions;
}
