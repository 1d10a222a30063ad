// What a CronJob does next: which of its Jobs are active, which old ones go, and whether one more is due. Pure.

import { isDeepStrictEqual } from "node:util";
import { toError } from "#base/assert.ts";
import { timestamp } from "#base/clock.ts";
import { CronJobs, Jobs } from "#client/refs.ts";
import type { CronJob, CronJobStatus, Job } from "#machinery/gen/types/batch-v1.ts";
import type { ObjectReference } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { createAction, deleteAction, referenceTo, statusAction, type Action } from "#reconcile/action.ts";
import type { Plan, PlanContext } from "#reconcile/controller.ts";
import {
  isTooMany,
  lastTime,
  nextTime,
  zonedSchedule,
  zonedTimestamp,
  type ZonedSchedule,
} from "./cron-time.ts";

export type ReadCronJob = DeepReadonly<CronJob>;
export type ReadJob = DeepReadonly<Job>;
type ActiveRef = DeepReadonly<ObjectReference>;

const scheduledKey = "batch.kubernetes.io/cronjob-scheduled-timestamp";
/** A timer that fires a little early would find nothing due. */
const latenessMs = 100;

export interface CronInput {
  readonly cronJob: ReadCronJob;
  /** The Jobs that it controls. */
  readonly jobs: readonly ReadJob[];
}

interface Draft {
  readonly cronJob: ReadCronJob;
  active: ActiveRef[];
  lastScheduleTime: string | undefined;
  lastSuccessfulTime: string | undefined;
  readonly creates: Action[];
  readonly deletes: Action[];
  readonly events: Action[];
}

function tell(draft: Draft, type: "Normal" | "Warning", reason: string, message: string): void {
  draft.events.push({ do: "event", about: referenceTo(CronJobs, draft.cronJob), type, reason, message });
}

function endOf({ status }: ReadJob): "Complete" | "Failed" | undefined {
  const end = status?.conditions?.find(
    ({ type, status: is }) => (type === "Complete" || type === "Failed") && is === "True",
  );
  return end?.type as "Complete" | "Failed" | undefined;
}

/** Made by us at a time of the schedule, and not by a user from the template. */
const isScheduled = ({ metadata }: ReadJob): boolean => metadata?.annotations?.[scheduledKey] !== undefined;

function noteJobs(draft: Draft, jobs: readonly ReadJob[]): void {
  const byUid = new Map(jobs.map((job) => [job.metadata?.uid, job]));
  draft.active = draft.active.filter((active) => {
    const job = byUid.get(active.uid);
    const end = job === undefined ? undefined : endOf(job);
    if (job === undefined) tell(draft, "Normal", "MissingJob", `Active job went missing: ${active.name}`);
    else if (end !== undefined)
      tell(draft, "Normal", "SawCompletedJob", `Saw completed job: ${active.name}, condition: ${end}`);
    return job !== undefined && end === undefined;
  });
  const known = new Set(draft.active.map(({ uid }) => uid));
  for (const job of [...jobs].sort(byStart)) {
    const { name = "", uid } = job.metadata ?? {};
    const end = endOf(job);
    const completed = end === "Complete" ? job.status?.completionTime : undefined;
    if (completed !== undefined && completed > (draft.lastSuccessfulTime ?? ""))
      draft.lastSuccessfulTime = completed;
    if (end !== undefined || known.has(uid)) continue;
    if (isScheduled(job)) draft.active.push(referenceTo(Jobs, job));
    else
      tell(
        draft,
        "Warning",
        "UnexpectedJob",
        `Saw a job that the controller did not create or forgot: ${name}`,
      );
  }
}

function byStart(a: ReadJob, b: ReadJob): number {
  const start = ({ status, metadata }: ReadJob): string =>
    status?.startTime ?? metadata?.creationTimestamp ?? "";
  if (start(a) !== start(b)) return start(a) < start(b) ? -1 : 1;
  return (a.metadata?.name ?? "") < (b.metadata?.name ?? "") ? -1 : 1;
}

function remove(draft: Draft, job: ReadJob): void {
  const announce = {
    about: referenceTo(CronJobs, draft.cronJob),
    done: { reason: "SuccessfulDelete", message: "Deleted job {name}" },
    failed: { reason: "FailedDelete", message: "Deleted job: {error}" },
  };
  draft.deletes.push(deleteAction(Jobs, job, { announce, options: { propagationPolicy: "Background" } }));
  draft.active = draft.active.filter(({ uid }) => uid !== job.metadata?.uid);
}

/** The oldest finished Jobs beyond the limits go. */
function forgetOld(draft: Draft, jobs: readonly ReadJob[]): void {
  const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = draft.cronJob.spec ?? {};
  for (const [end, limit] of [
    ["Complete", successfulJobsHistoryLimit],
    ["Failed", failedJobsHistoryLimit],
  ] as const) {
    if (limit === undefined) continue;
    const ended = jobs.filter((job) => endOf(job) === end && job.metadata?.deletionTimestamp === undefined);
    for (const job of ended.sort(byStart).slice(0, Math.max(0, ended.length - limit))) remove(draft, job);
  }
}

function newJob({ cronJob }: Draft, { offset }: ZonedSchedule, dueMs: number): Action {
  const { name = "", namespace = "", uid = "" } = cronJob.metadata ?? {};
  const template = cronJob.spec?.jobTemplate;
  const { labels, annotations } = template?.metadata ?? {};
  const job = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name: `${name}-${Math.floor(dueMs / 60_000)}`,
      namespace,
      ...(labels === undefined ? {} : { labels }),
      annotations: { ...annotations, [scheduledKey]: zonedTimestamp(offset, dueMs) },
      ownerReferences: [
        { apiVersion: "batch/v1", kind: "CronJob", name, uid, controller: true, blockOwnerDeletion: true },
      ],
    },
    spec: template?.spec,
  };
  return createAction(Jobs, job as unknown as ReadJob, {
    existsIsFine: true,
    announce: {
      about: referenceTo(CronJobs, cronJob),
      done: { reason: "SuccessfulCreate", message: "Created job {name}" },
      failed: { reason: "FailedCreate", message: "Error creating job: {error}" },
    },
  });
}

/** The schedule, or an event about why there is none. */
function scheduleOf(draft: Draft): ZonedSchedule | undefined {
  const { schedule = "", timeZone } = draft.cronJob.spec ?? {};
  try {
    return zonedSchedule(schedule, timeZone);
  } catch (thrown) {
    const { message } = toError(thrown);
    if (thrown instanceof RangeError && timeZone !== undefined)
      tell(draft, "Warning", "UnknownTimeZone", `invalid timeZone: ${JSON.stringify(timeZone)}: ${message}`);
    else
      tell(
        draft,
        "Warning",
        "UnparseableSchedule",
        `unparseable schedule: ${JSON.stringify(schedule)} : ${message}`,
      );
    return undefined;
  }
}

/** From when on times count as missed: the last one that was used, and not before the deadline for starting late. */
function earliestMs({ cronJob, lastScheduleTime }: Draft, nowMs: number): number {
  const from = Date.parse(lastScheduleTime ?? cronJob.metadata?.creationTimestamp ?? "");
  const deadline = cronJob.spec?.startingDeadlineSeconds;
  const since = Number.isNaN(from) ? nowMs : from;
  return deadline === undefined ? since : Math.max(since, nowMs - deadline * 1000);
}

function start(draft: Draft, jobs: readonly ReadJob[], zoned: ZonedSchedule, nowMs: number): void {
  const fromMs = earliestMs(draft, nowMs);
  const dueMs = lastTime(zoned, fromMs, nowMs);
  if (dueMs === undefined) return;
  if (isTooMany(zoned, fromMs, nowMs))
    tell(
      draft,
      "Warning",
      "TooManyMissedTimes",
      "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew",
    );
  const { concurrencyPolicy } = draft.cronJob.spec ?? {};
  if (concurrencyPolicy === "Forbid" && draft.active.length > 0) {
    tell(
      draft,
      "Normal",
      "JobAlreadyActive",
      "Not starting job because prior execution is running and concurrency policy is Forbid",
    );
    return;
  }
  if (concurrencyPolicy === "Replace")
    for (const { uid } of [...draft.active]) {
      const job = jobs.find(({ metadata }) => metadata?.uid === uid);
      if (job !== undefined) remove(draft, job);
    }
  draft.creates.push(newJob(draft, zoned, dueMs));
  draft.lastScheduleTime = timestamp(dueMs);
}

const withoutVersion = ({ resourceVersion: _, ...rest }: ActiveRef): ActiveRef => rest;

function statusOf({ cronJob, active, lastScheduleTime, lastSuccessfulTime }: Draft): Action[] {
  const status: DeepReadonly<CronJobStatus> = {
    ...(active.length === 0 ? {} : { active }),
    ...(lastScheduleTime === undefined ? {} : { lastScheduleTime }),
    ...(lastSuccessfulTime === undefined ? {} : { lastSuccessfulTime }),
  };
  const comparable = (one: DeepReadonly<CronJobStatus>): unknown => ({
    ...one,
    active: (one.active ?? []).map(withoutVersion),
  });
  if (isDeepStrictEqual(comparable(status), comparable(cronJob.status ?? {}))) return [];
  return [statusAction(CronJobs, { ...cronJob, status })];
}

function decide({ cronJob, jobs }: CronInput, nowMs: number, mayStart: boolean): Plan {
  const draft: Draft = {
    cronJob,
    active: [...(cronJob.status?.active ?? [])],
    lastScheduleTime: cronJob.status?.lastScheduleTime,
    lastSuccessfulTime: cronJob.status?.lastSuccessfulTime,
    creates: [],
    deletes: [],
    events: [],
  };
  noteJobs(draft, jobs);
  forgetOld(draft, jobs);
  let nextMs: number | undefined;
  if (cronJob.metadata?.deletionTimestamp === undefined && cronJob.spec?.suspend !== true) {
    const zoned = scheduleOf(draft);
    if (zoned !== undefined) {
      if (mayStart) start(draft, jobs, zoned, nowMs);
      nextMs = nextTime(zoned, nowMs);
    }
  }
  const { creates, deletes, events } = draft;
  // What is replaced goes before the new one comes; then the status says that this time is used.
  const actions = [...deletes, ...creates, ...statusOf(draft), ...events];
  return nextMs === undefined ? { actions } : { actions, againAfterMs: nextMs - nowMs + latenessMs };
}

export function planCronJob(input: CronInput, { nowMs }: PlanContext): Plan {
  return decide(input, nowMs, true);
}

/** The Job could not be created: the status tells of the others nevertheless. */
export function planWithoutStarting(input: CronInput, { nowMs }: PlanContext): readonly Action[] {
  return decide(input, nowMs, false).actions.filter((action) => action.do === "status");
}
