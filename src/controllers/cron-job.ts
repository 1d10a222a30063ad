// Creates a Job each time that a CronJob's schedule says, and forgets old ones; the plan is in cron-job/.
// Watches: cronjobs, jobs (by owner).  Owns: jobs.  Writes: jobs (create, delete), cronjobs/status.

import type { Client } from "#client/client.ts";
import { CronJobs, Jobs } from "#client/refs.ts";
import type { CronJob, Job } from "#machinery/gen/types/batch-v1.ts";
import { controllerOf, objectKey } from "#machinery/meta.ts";
import { ApiError } from "#machinery/status.ts";
import { defineController, watching } from "#reconcile/controller.ts";
import { hasReached } from "#reconcile/resource-version.ts";
import { planCronJob, planWithoutStarting, type CronInput, type ReadJob } from "./cron-job/cron-job-plan.ts";

interface Input extends CronInput {
  /** The Jobs' cache may be older than the CronJob's status. */
  readonly isBehind: boolean;
}

/** Active Jobs that the cache does not have may not have come to it yet: whether they are there is asked of the server. */
async function confirm(input: Input, client: Client): Promise<Input> {
  const { cronJob, jobs, isBehind } = input;
  const known = new Set(jobs.map(({ metadata }) => metadata?.uid));
  const missing = (cronJob.status?.active ?? []).filter(({ uid }) => !known.has(uid));
  if (!isBehind || missing.length === 0) return input;
  const found: ReadJob[] = [];
  for (const { name = "", uid } of missing) {
    try {
      const job = await client.get<Job>(Jobs, cronJob.metadata?.namespace ?? "", name);
      if (job.metadata?.uid === uid) found.push(job);
    } catch (thrown) {
      if (!(thrown instanceof ApiError && thrown.code === 404)) throw thrown;
    }
  }
  return { ...input, jobs: [...jobs, ...found] };
}

export const cronJobController = defineController<Input>({
  name: "cronjob-controller",
  owns: [Jobs],
  writes: [Jobs, CronJobs],
  watches: [
    watching<CronJob>({ ref: CronJobs, keys: (cronJob) => [objectKey(cronJob)] }),
    watching<Job>({
      ref: Jobs,
      indexes: { "controller-uid": (job) => [controllerOf(job)?.uid ?? []].flat() },
      keys: (job) => {
        const owner = controllerOf(job);
        return owner?.kind === "CronJob" ? [`${job.metadata?.namespace ?? ""}/${owner.name}`] : [];
      },
    }),
  ],
  read: (key, reads) => {
    const cronJob = reads.of<CronJob>(CronJobs).get(key);
    if (cronJob === undefined) return undefined;
    const jobs = reads.of<Job>(Jobs);
    return {
      cronJob,
      jobs: jobs.byIndex("controller-uid", cronJob.metadata?.uid ?? ""),
      isBehind: !hasReached(jobs.resourceVersion, cronJob.metadata?.resourceVersion ?? ""),
    };
  },
  confirm,
  plan: planCronJob,
  planAfterFailure: (input, { action }, context) =>
    action.do === "create" ? planWithoutStarting(input, context) : [],
});
