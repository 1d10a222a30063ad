// Deletes finished Jobs, their pods first, when the time that they are kept for is over.
// Watches: jobs.  Owns: nothing.  Writes: jobs (delete).

import { Jobs } from "#client/refs.ts";
import type { Job } from "#machinery/gen/types/batch-v1.ts";
import { objectKey, type DeepReadonly } from "#machinery/meta.ts";
import { deleteAction } from "#reconcile/action.ts";
import { defineController, watching, type Plan, type PlanContext } from "#reconcile/controller.ts";

type ReadJob = DeepReadonly<Job>;

/** When it came to its end, in milliseconds. */
function finishedAtMs({ status }: ReadJob): number | undefined {
  const end = status?.conditions?.find(
    ({ type, status: is }) => (type === "Complete" || type === "Failed") && is === "True",
  );
  const time = Date.parse(end?.lastTransitionTime ?? "");
  return Number.isNaN(time) ? undefined : time;
}

export function planExpiry(job: ReadJob, { nowMs }: PlanContext): Plan {
  const ttl = job.spec?.ttlSecondsAfterFinished;
  const finishedMs = finishedAtMs(job);
  if (ttl === undefined || finishedMs === undefined || job.metadata?.deletionTimestamp !== undefined)
    return { actions: [] };
  const leftMs = finishedMs + ttl * 1000 - nowMs;
  if (leftMs > 0) return { actions: [], againAfterMs: leftMs };
  // Of exactly this version: its time may have been changed meanwhile.
  const { uid = "", resourceVersion = "" } = job.metadata ?? {};
  const options = { propagationPolicy: "Foreground", preconditions: { uid, resourceVersion } } as const;
  return { actions: [deleteAction(Jobs, job, { options })] };
}

export const ttlAfterFinishedController = defineController<ReadJob>({
  name: "ttl-after-finished-controller",
  owns: [],
  writes: [Jobs],
  watches: [watching<Job>({ ref: Jobs, keys: (job) => [objectKey(job)] })],
  read: (key, reads) => reads.of<Job>(Jobs).get(key),
  plan: planExpiry,
});
