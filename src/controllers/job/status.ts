// A Job's status after one plan, and the events that go with its changes. Pure.

import { isDeepStrictEqual } from "node:util";
import { timestamp } from "#base/clock.ts";
import { Jobs } from "#client/refs.ts";
import type { JobCondition, JobStatus } from "#machinery/gen/types/batch-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { referenceTo, statusAction, type Action } from "#reconcile/action.ts";
import { isPodActive, isPodReady, type ReadPod } from "../pod-state.ts";
import { formatIndexes } from "./index-set.ts";
import { isIndexed, isTerminating, type ReadJob } from "./job-pod.ts";
import { isTrue, type Outcome } from "./outcome.ts";
import { perIndex, type Account } from "./tracking.ts";

export interface Findings {
  readonly job: ReadJob;
  readonly pods: readonly ReadPod[];
  readonly counted: Account;
  readonly outcome: Outcome | undefined;
  readonly created: number;
  /** Active pods that the plan gives up. */
  readonly removed: readonly ReadPod[];
  readonly nowMs: number;
}

type Conditions = DeepReadonly<JobCondition>[];
type Event = { type: "Normal" | "Warning"; reason: string; message: string };

export interface StatusPlan {
  readonly status: readonly Action[];
  readonly events: readonly Action[];
}

function condition(
  type: string,
  reason: string,
  message: string,
  nowMs: number,
  status = "True",
): JobCondition {
  const now = timestamp(nowMs);
  return { type, status, lastProbeTime: now, lastTransitionTime: now, reason, message };
}

/** Suspended and resumed, as the spec asks; true when the Job has just gone on. */
function suspension({ job, outcome, nowMs }: Findings, conditions: Conditions, events: Event[]): boolean {
  const at = conditions.findIndex(({ type }) => type === "Suspended");
  const isSuspended = conditions[at]?.status === "True";
  const wanted = job.spec?.suspend === true;
  if (outcome !== undefined || wanted === isSuspended) return false;
  const [reason, message] = wanted ? ["JobSuspended", "Job suspended"] : ["JobResumed", "Job resumed"];
  const next = condition("Suspended", reason, message, nowMs, wanted ? "True" : "False");
  if (at < 0) conditions.push(next);
  else conditions[at] = next;
  events.push({ type: "Normal", reason: wanted ? "Suspended" : "Resumed", message });
  return !wanted;
}

/** First the announcement; the end itself when no pod is left and everything is counted. */
function ending(findings: Findings, conditions: Conditions, events: Event[]): boolean {
  const { job, pods, counted, outcome, nowMs } = findings;
  if (outcome === undefined) return false;
  const { type, reason, message } = outcome;
  if (!isTrue(job, type)) conditions.push(condition(type, reason, message, nowMs));
  const isOver = counted.isSettled && !pods.some((pod) => isPodActive(pod) || isTerminating(pod));
  if (!isOver) return false;
  const isSuccess = type === "SuccessCriteriaMet";
  conditions.push(condition(isSuccess ? "Complete" : "Failed", reason, message, nowMs));
  if (!isSuccess) events.push({ type: "Warning", reason, message });
  else {
    const { completions } = job.spec ?? {};
    if (completions !== undefined && counted.succeeded > completions)
      events.push({
        type: "Warning",
        reason: "TooManySucceededPods",
        message: "Too many succeeded pods running after completion count reached",
      });
    events.push({ type: "Normal", reason: "Completed", message: "Job completed" });
  }
  return true;
}

function nextStatus(findings: Findings, events: Event[]): JobStatus {
  const { job, pods, counted, created, removed, nowMs } = findings;
  const conditions: Conditions = [...(job.status?.conditions ?? [])];
  const isResumed = suspension(findings, conditions, events);
  const isOver = ending(findings, conditions, events);
  const isStarted = job.spec?.suspend !== true || findings.outcome !== undefined;
  const startTime =
    isResumed || (job.status?.startTime === undefined && isStarted)
      ? timestamp(nowMs)
      : job.status?.startTime;
  const staying = pods.filter((pod) => isPodActive(pod) && !removed.includes(pod));
  const active = staying.length + created;
  const { succeeded, failed } = counted.uncounted;
  const numbers = { active, succeeded: counted.succeeded, failed: counted.failed };
  const completedIndexes = isIndexed(job) ? formatIndexes(counted.completedIndexes) : "";
  return {
    ...(conditions.length === 0 ? {} : { conditions: conditions as JobCondition[] }),
    ...(startTime === undefined ? {} : { startTime }),
    ...(isOver && findings.outcome?.type === "SuccessCriteriaMet"
      ? { completionTime: timestamp(nowMs) }
      : {}),
    // Zero and empty are written as absent, but for what is a pointer in the API.
    ...Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== 0)),
    terminating: pods.filter(isTerminating).length + removed.length,
    ...(completedIndexes === "" ? {} : { completedIndexes }),
    ...(perIndex(job) ? { failedIndexes: formatIndexes(counted.failedIndexes) } : {}),
    uncountedTerminatedPods: {
      ...(succeeded.length === 0 ? {} : { succeeded: [...succeeded] }),
      ...(failed.length === 0 ? {} : { failed: [...failed] }),
    },
    ready: staying.filter(isPodReady).length,
  };
}

export function planStatus(findings: Findings): StatusPlan {
  const { job } = findings;
  const events: Event[] = [];
  const status = nextStatus(findings, events);
  if (isDeepStrictEqual(status, job.status ?? {})) return { status: [], events: [] };
  const about = referenceTo(Jobs, job);
  return {
    status: [statusAction(Jobs, { ...job, status })],
    events: events.map((event): Action => ({ do: "event", about, ...event })),
  };
}
