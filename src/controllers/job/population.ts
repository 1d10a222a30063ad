// Which pods a Job that goes on creates, and which it gives up: so many at once as it wants and still needs, after the
// delays that failures ask for. Pure.

import { backoffDelay, type BackoffOptions } from "#base/backoff.ts";
import type { Action } from "#reconcile/action.ts";
import { isPodActive, type ReadPod } from "../pod-state.ts";
import { podsToDelete } from "../replica-plan.ts";
import { failuresAfter, indexHistory } from "./index-history.ts";
import { countOf, hasIndex } from "./index-set.ts";
import {
  endedAtMs,
  failuresBefore,
  hasFailed,
  hasSucceeded,
  indexOf,
  isIndexed,
  isTerminating,
  newPod,
  waitsForEnd,
  type IndexFailures,
  type ReadJob,
} from "./job-pod.ts";
import { perIndex, type Account } from "./tracking.ts";

/** Pods created or deleted in one go, at most. */
const burst = 500;
/** From ten seconds to six minutes between a failure and the next try. */
export const podBackoff: BackoffOptions = { initialMs: 10_000, maxMs: 360_000 };

export interface Population {
  readonly create: readonly Action[];
  /** Given up without counting. */
  readonly remove: readonly ReadPod[];
  readonly againAfterMs?: number;
}

const nothing: Population = { create: [], remove: [] };

export function populate(
  job: ReadJob,
  pods: readonly ReadPod[],
  counted: Account,
  nowMs: number,
): Population {
  const active = pods.filter(isPodActive);
  if (job.spec?.suspend === true) return { create: [], remove: active.slice(0, burst) };
  const useless = isIndexed(job) ? uselessPods(job, active, counted) : [];
  const useful = useless.length === 0 ? active : active.filter((pod) => !useless.includes(pod));
  const wanted = wantedPods(job, useful.length, counted);
  const surplus = [...useless, ...podsToDelete(useful, useful.length - wanted, nowMs)];
  if (surplus.length > 0) return { create: [], remove: surplus.slice(0, burst) };
  const ending = waitsForEnd(job) ? pods.filter(isTerminating) : [];
  const missing = Math.min(wanted - useful.length - ending.length, burst);
  if (missing <= 0) return nothing;
  if (!perIndex(job)) {
    const waitMs = jobDelayMs(job, pods, nowMs);
    if (waitMs > 0) return { ...nothing, againAfterMs: waitMs };
  }
  if (!isIndexed(job)) return { create: Array.from({ length: missing }, () => newPod(job)), remove: [] };
  return createIndexes(job, { pods, taken: [...useful, ...ending], counted, missing, nowMs });
}

/** How many pods should be active now. */
function wantedPods(job: ReadJob, active: number, counted: Account): number {
  const { parallelism = 1, completions } = job.spec ?? {};
  // A work queue is empty once a pod has succeeded: the others finish, and none begins.
  if (completions === undefined) return counted.allSucceeded > 0 ? active : parallelism;
  const left = completions - counted.allSucceeded - countOf(counted.failedIndexes);
  return Math.max(0, Math.min(parallelism, left));
}

/** Pods of indexes that are done, failed, not there any more, or done by another pod already. */
function uselessPods(job: ReadJob, active: readonly ReadPod[], counted: Account): ReadPod[] {
  const { completions = 0 } = job.spec ?? {};
  const seen = new Set<number>();
  const byAge = [...active].sort((a, b) => {
    const [x, y] = [a.metadata?.creationTimestamp ?? "", b.metadata?.creationTimestamp ?? ""];
    return x < y ? -1 : x > y ? 1 : (a.metadata?.name ?? "") < (b.metadata?.name ?? "") ? -1 : 1;
  });
  return byAge.filter((pod) => {
    const index = indexOf(pod);
    const isUseful =
      index >= 0 &&
      index < completions &&
      !seen.has(index) &&
      !hasIndex(counted.completedIndexes, index) &&
      !hasIndex(counted.failedIndexes, index);
    seen.add(index);
    return !isUseful;
  });
}

/** What is left of the delay after the failures since the last success. */
function jobDelayMs(job: ReadJob, pods: readonly ReadPod[], nowMs: number): number {
  const successMs = pods.filter(hasSucceeded).reduce((latest, pod) => Math.max(latest, endedAtMs(pod)), -1);
  let [failures, latestMs] = [0, 0];
  for (const pod of pods) {
    // One that somebody has deleted is replaced at once.
    if (!hasFailed(job, pod) || pod.metadata?.deletionTimestamp !== undefined) continue;
    const endedMs = endedAtMs(pod);
    if (endedMs <= successMs) continue;
    failures++;
    latestMs = Math.max(latestMs, endedMs);
  }
  return failures === 0 ? 0 : latestMs + backoffDelay(failures, podBackoff) - nowMs;
}

interface Missing {
  readonly pods: readonly ReadPod[];
  /** Pods whose indexes are being worked on. */
  readonly taken: readonly ReadPod[];
  readonly counted: Account;
  readonly missing: number;
  readonly nowMs: number;
}

/** The lowest indexes first. */
function createIndexes(job: ReadJob, { pods, taken, counted, missing, nowMs }: Missing): Population {
  const { completions = 0 } = job.spec ?? {};
  const isTaken = new Set(taken.map(indexOf));
  const history = perIndex(job) ? indexHistory(pods) : undefined;
  const create: Action[] = [];
  let waitMs = Infinity;
  for (let index = 0; index < completions && create.length < missing; index++) {
    if (isTaken.has(index) || hasIndex(counted.completedIndexes, index)) continue;
    if (hasIndex(counted.failedIndexes, index)) continue;
    const last = history?.get(index)?.last;
    let failures: IndexFailures | undefined;
    if (last !== undefined && hasFailed(job, last)) {
      const leftMs = indexDelayMs(last, nowMs);
      if (leftMs > 0) {
        waitMs = Math.min(waitMs, leftMs);
        continue;
      }
      failures = failuresAfter(job, last);
    }
    create.push(newPod(job, index, failures));
  }
  return { create, remove: [], ...(waitMs === Infinity ? {} : { againAfterMs: waitMs }) };
}

function indexDelayMs(last: ReadPod, nowMs: number): number {
  if (last.metadata?.deletionTimestamp !== undefined) return 0;
  const { counted, ignored } = failuresBefore(last);
  return endedAtMs(last) + backoffDelay(counted + ignored + 1, podBackoff) - nowMs;
}
