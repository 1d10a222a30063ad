// Whether a Job has come to its end, and why: what was announced stays; otherwise failures are looked at before
// successes. Pure.

import { matches } from "./success-policy.ts";
import { countOf } from "./index-set.ts";
import { isIndexed, type ReadJob } from "./job-pod.ts";
import { isPodActive, type ReadPod } from "../pod-state.ts";
import { perIndex, type Account } from "./tracking.ts";

export interface Outcome {
  readonly type: "FailureTarget" | "SuccessCriteriaMet";
  readonly reason: string;
  readonly message: string;
}

const failed = (reason: string, message: string): Outcome => ({ type: "FailureTarget", reason, message });
const met = (reason: string, message: string): Outcome => ({ type: "SuccessCriteriaMet", reason, message });

export function isTrue(job: ReadJob, type: string): boolean {
  return job.status?.conditions?.some((one) => one.type === type && one.status === "True") === true;
}

export const isFinished = (job: ReadJob): boolean => isTrue(job, "Complete") || isTrue(job, "Failed");

/** The end that the status announces already. */
export function announced(job: ReadJob): Outcome | undefined {
  for (const type of ["FailureTarget", "SuccessCriteriaMet"] as const) {
    const condition = job.status?.conditions?.find((one) => one.type === type && one.status === "True");
    if (condition !== undefined)
      return { type, reason: condition.reason ?? "", message: condition.message ?? "" };
  }
  return undefined;
}

/** How long it may still be active; undefined when nothing limits it. */
export function deadlineInMs(job: ReadJob, nowMs: number): number | undefined {
  const seconds = job.spec?.activeDeadlineSeconds;
  const startMs = Date.parse(job.status?.startTime ?? "");
  if (seconds === undefined || Number.isNaN(startMs)) return undefined;
  // Suspended, or just resumed: the time starts anew.
  if (job.spec?.suspend === true || isTrue(job, "Suspended")) return undefined;
  return startMs + seconds * 1000 - nowMs;
}

/** Containers that are restarted where they are count one by one. */
function hasTooManyRestarts(job: ReadJob, pods: readonly ReadPod[]): boolean {
  if (job.spec?.template.spec?.restartPolicy !== "OnFailure") return false;
  const limit = job.spec.backoffLimit ?? 0;
  let restarts = 0;
  for (const { status } of pods) {
    if (status?.phase !== "Running" && status?.phase !== "Pending") continue;
    for (const { restartCount } of [
      ...(status.initContainerStatuses ?? []),
      ...(status.containerStatuses ?? []),
    ])
      restarts += restartCount;
  }
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

function failedIndexes(job: ReadJob, { failedIndexes, succeeded }: Account): Outcome | undefined {
  if (!perIndex(job)) return undefined;
  const count = countOf(failedIndexes);
  const most = job.spec?.maxFailedIndexes;
  if (most !== undefined && count > most)
    return failed(
      "MaxFailedIndexesExceeded",
      "Job has exceeded the specified maximal number of failed indexes",
    );
  return count > 0 && count + succeeded >= (job.spec?.completions ?? 0)
    ? failed("FailedIndexes", "Job has failed indexes")
    : undefined;
}

function completion(job: ReadJob, pods: readonly ReadPod[], counted: Account): Outcome | undefined {
  if (isIndexed(job)) {
    const rule = matches(job, counted.completedIndexes);
    if (rule !== undefined) return met("SuccessPolicy", `Matched rules at index ${rule}`);
  }
  const completions = job.spec?.completions;
  const isReached =
    completions === undefined ? counted.allSucceeded > 0 : counted.allSucceeded >= completions;
  // Of a work queue the others are waited for; with a number of completions surplus pods are stopped first.
  return isReached && !pods.some(isPodActive)
    ? met("CompletionsReached", "Reached expected number of succeeded pods")
    : undefined;
}

export function outcomeOf(
  job: ReadJob,
  pods: readonly ReadPod[],
  counted: Account,
  nowMs: number,
): Outcome | undefined {
  const known = announced(job);
  if (known !== undefined) return known;
  if (counted.failsJob !== undefined) return failed("PodFailurePolicy", counted.failsJob);
  if (counted.allFailed > (job.spec?.backoffLimit ?? 6) || hasTooManyRestarts(job, pods))
    return failed("BackoffLimitExceeded", "Job has reached the specified backoff limit");
  if ((deadlineInMs(job, nowMs) ?? 1) <= 0)
    return failed("DeadlineExceeded", "Job was active longer than specified deadline");
  return failedIndexes(job, counted) ?? completion(job, pods, counted);
}
