// Counts a Job's ended pods, each exactly once whatever crashes in between. Pure.
//
//   the pod has ended and is tracked   →  its uid goes into status.uncountedTerminatedPods
//   its uid is there                   →  its finalizer is taken away
//   … and the finalizer is gone        →  the uid leaves the list and the counter grows, in one write
//
// A success of an indexed Job needs no uid: its index is in completedIndexes or it is not.

import {
  isTerminating,
  isTracked,
  failuresBefore,
  hasFailed,
  hasSucceeded,
  indexOf,
  isIndexed,
  type ReadJob,
} from "./job-pod.ts";
import { judge } from "./failure-policy.ts";
import { countOf, hasIndex, noIndexes, parseIndexes, withIndexes, type IndexSet } from "./index-set.ts";
import { indexHistory, type IndexHistory } from "./index-history.ts";
import type { ReadPod } from "../pod-state.ts";

/** So many uids are in a status at most. */
export const uncountedMax = 500;

export interface Account {
  /** Counters as the next status tells them. */
  readonly succeeded: number;
  readonly failed: number;
  readonly uncounted: { readonly succeeded: readonly string[]; readonly failed: readonly string[] };
  readonly completedIndexes: IndexSet;
  readonly failedIndexes: IndexSet;
  /** With what has ended and is not in the counters yet. */
  readonly allSucceeded: number;
  readonly allFailed: number;
  /** Pods to let go once the status is written. */
  readonly release: readonly ReadPod[];
  /** Why the Job must fail, by its failure policy. */
  readonly failsJob: string | undefined;
  /** Every ended pod is in the counters, and let go. */
  readonly isSettled: boolean;
}

interface Draft {
  readonly uncounted: { succeeded: string[]; failed: string[] };
  readonly release: ReadPod[];
  readonly completed: Set<number>;
  readonly failedIndexes: Set<number>;
  /** Ended, and not in the list for want of room, or because their index needs them still. */
  waiting: { succeeded: number; failed: number };
  failsJob: string | undefined;
}

/** True when the pod's end is news: what the status says of it, and not the cache, decides whether it was counted. */
export function isNews(job: ReadJob, pod: ReadPod): boolean {
  if (!isTracked(pod) || !(hasSucceeded(pod) || hasFailed(job, pod))) return false;
  const { succeeded = [], failed = [] } = job.status?.uncountedTerminatedPods ?? {};
  const uid = pod.metadata?.uid ?? "";
  return !succeeded.includes(uid) && !failed.includes(uid);
}

/** `pods` are all that the Job has claimed. `isFinishing`: no pod of it will be replaced any more. */
export function account(job: ReadJob, pods: readonly ReadPod[], isFinishing: boolean): Account {
  const { status } = job;
  const completions = job.spec?.completions ?? 0;
  const tracked = new Map(pods.filter(isTracked).map((pod) => [pod.metadata?.uid ?? "", pod]));
  const known = status?.uncountedTerminatedPods ?? {};
  const kept = { succeeded: still(known.succeeded, tracked), failed: still(known.failed, tracked) };
  const draft: Draft = {
    uncounted: kept,
    release: [...kept.succeeded, ...kept.failed].map((uid) => tracked.get(uid) as ReadPod),
    completed: new Set(),
    failedIndexes: new Set(),
    waiting: { succeeded: 0, failed: 0 },
    failsJob: undefined,
  };
  const isKnown = new Set([...kept.succeeded, ...kept.failed]);
  const completed = isIndexed(job) ? parseIndexes(status?.completedIndexes, completions) : noIndexes;
  const history = perIndex(job) ? indexHistory(pods) : undefined;
  for (const [uid, pod] of tracked) {
    if (isKnown.has(uid)) continue;
    if (hasSucceeded(pod)) addSuccess(draft, job, pod);
    else if (hasFailed(job, pod)) addFailure(draft, { job, pod, history, completed, isFinishing });
  }
  const gone = (list: readonly string[] = [], left: readonly string[]): number => list.length - left.length;
  const before = {
    succeeded: status?.succeeded ?? 0,
    failed: (status?.failed ?? 0) + gone(known.failed, still(known.failed, tracked)),
  };
  const completedIndexes = withIndexes(completed, draft.completed);
  const succeeded = isIndexed(job)
    ? countOf(completedIndexes)
    : before.succeeded + gone(known.succeeded, still(known.succeeded, tracked));
  return {
    succeeded,
    failed: before.failed,
    uncounted: draft.uncounted,
    completedIndexes,
    failedIndexes: perIndex(job)
      ? withIndexes(parseIndexes(status?.failedIndexes, completions), draft.failedIndexes)
      : noIndexes,
    allSucceeded: succeeded + draft.uncounted.succeeded.length + draft.waiting.succeeded,
    allFailed: before.failed + draft.uncounted.failed.length + draft.waiting.failed,
    release: draft.release,
    failsJob: draft.failsJob,
    isSettled: draft.release.length === 0 && draft.waiting.succeeded + draft.waiting.failed === 0,
  };
}

export const perIndex = (job: ReadJob): boolean =>
  isIndexed(job) && job.spec?.backoffLimitPerIndex !== undefined;

const still = (uids: readonly string[] = [], tracked: ReadonlyMap<string, ReadPod>): string[] =>
  uids.filter((uid) => tracked.has(uid));

const hasRoom = ({ uncounted }: Draft): boolean =>
  uncounted.succeeded.length + uncounted.failed.length < uncountedMax;

/** The index of a pod, if the Job has such a one now. */
function validIndex(job: ReadJob, pod: ReadPod): number | undefined {
  const index = indexOf(pod);
  return index >= 0 && index < (job.spec?.completions ?? 0) ? index : undefined;
}

function addSuccess(draft: Draft, job: ReadJob, pod: ReadPod): void {
  if (isIndexed(job)) {
    const index = validIndex(job, pod);
    if (index !== undefined) draft.completed.add(index);
    draft.release.push(pod);
    return;
  }
  if (!hasRoom(draft)) {
    draft.waiting.succeeded++;
    return;
  }
  draft.uncounted.succeeded.push(pod.metadata?.uid ?? "");
  draft.release.push(pod);
}

interface Ended {
  readonly job: ReadJob;
  readonly pod: ReadPod;
  readonly history: IndexHistory | undefined;
  readonly completed: IndexSet;
  readonly isFinishing: boolean;
}

function addFailure(draft: Draft, ended: Ended): void {
  const { job, pod, history, completed, isFinishing } = ended;
  const index = isIndexed(job) ? validIndex(job, pod) : undefined;
  if (isIndexed(job) && index === undefined) {
    draft.release.push(pod);
    return;
  }
  const { action, message } = judge(job, pod);
  if (action === "FailJob") draft.failsJob ??= message;
  if (history !== undefined && index !== undefined) {
    const limit = job.spec?.backoffLimitPerIndex ?? 0;
    // What the Job's own end has stopped is no failure of its index.
    const isStopped = isFinishing && isTerminating(pod);
    const isOver = action === "Count" && failuresBefore(pod).counted >= limit && !isStopped;
    if (action === "FailIndex" || isOver) draft.failedIndexes.add(index);
    // Its replacement learns from it how often the index has failed.
    const isNeeded =
      history.get(index)?.last === pod &&
      !draft.failedIndexes.has(index) &&
      !hasIndex(completed, index) &&
      action !== "FailJob" &&
      !isFinishing;
    if (isNeeded) {
      if (action !== "Ignore") draft.waiting.failed++;
      return;
    }
  }
  if (action === "Ignore") {
    draft.release.push(pod);
    return;
  }
  if (!hasRoom(draft)) {
    draft.waiting.failed++;
    return;
  }
  draft.uncounted.failed.push(pod.metadata?.uid ?? "");
  draft.release.push(pod);
}
