import assert from "node:assert/strict";
import { test } from "node:test";
import type { CronJob, CronJobSpec, CronJobStatus, Job } from "#machinery/gen/types/batch-v1.ts";
import type { Action } from "#reconcile/action.ts";
import { checkPlan } from "#reconcile/check-plan.ts";
import { cronJobController } from "../cron-job.ts";
import { planCronJob, planWithoutStarting } from "./cron-job-plan.ts";

const nowMs = Date.parse("2026-01-01T12:00:30Z");
const minute = (minutes: number): string =>
  new Date(nowMs - 30_000 - minutes * 60_000).toISOString().slice(0, 19) + "Z";
const due = Math.floor(nowMs / 60_000);

function cron(spec: Partial<CronJobSpec> = {}, status: CronJobStatus = {}, created = 1): CronJob {
  return {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name: "c", namespace: "default", uid: "c1", creationTimestamp: minute(created) },
    spec: {
      schedule: "* * * * *",
      timeZone: "UTC",
      concurrencyPolicy: "Allow",
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
      jobTemplate: { metadata: { labels: { app: "x" } }, spec: { template: {}, backoffLimit: 2 } },
      ...spec,
    },
    status,
  };
}

function job(
  name: string,
  end?: "Complete" | "Failed",
  started = 5,
  more: Partial<Job["metadata"]> = {},
): Job {
  return {
    metadata: {
      name,
      namespace: "default",
      uid: `u-${name}`,
      annotations: { "batch.kubernetes.io/cronjob-scheduled-timestamp": minute(started) },
      ownerReferences: [{ apiVersion: "batch/v1", kind: "CronJob", name: "c", uid: "c1", controller: true }],
      ...more,
    },
    spec: { template: {} },
    status: {
      startTime: minute(started),
      ...(end === undefined ? {} : { conditions: [{ type: end, status: "True" }] }),
      ...(end === "Complete" ? { completionTime: minute(started - 1) } : {}),
    },
  };
}

const active = (...names: string[]): NonNullable<CronJobStatus["active"]> =>
  names.map((name) => ({
    apiVersion: "batch/v1",
    kind: "Job",
    namespace: "default",
    name,
    uid: `u-${name}`,
  }));

const plan = (of: CronJob, jobs: Job[] = []): readonly Action[] => {
  const { actions } = planCronJob({ cronJob: of, jobs }, { nowMs });
  checkPlan(cronJobController, actions);
  return actions;
};
const created = (actions: readonly Action[]): (string | undefined)[] =>
  actions.flatMap((action) => (action.do === "create" ? [action.object.metadata?.name] : []));
const deleted = (actions: readonly Action[]): string[] =>
  actions.flatMap((action) => (action.do === "delete" ? [action.name] : []));
const reasons = (actions: readonly Action[]): string[] =>
  actions.flatMap((action) => (action.do === "event" ? [action.reason] : []));
const statusIn = (actions: readonly Action[]): CronJobStatus | undefined => {
  const found = actions.find((action) => action.do === "status");
  return found?.do === "status" ? (found.object as CronJob).status : undefined;
};

test("a Job of the template, named by the minute, with the time as annotation", () => {
  const actions = plan(cron({ timeZone: "Europe/Berlin" }));
  const [create] = actions;
  assert.deepEqual(create?.do === "create" && create.object, {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name: `c-${due}`,
      namespace: "default",
      labels: { app: "x" },
      annotations: { "batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-01-01T13:00:00+01:00" },
      ownerReferences: [
        {
          apiVersion: "batch/v1",
          kind: "CronJob",
          name: "c",
          uid: "c1",
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: { template: {}, backoffLimit: 2 },
  });
  assert.equal(statusIn(actions)?.lastScheduleTime, "2026-01-01T12:00:00Z");
});

test("whether a Job is started, by what is missed and what still runs", () => {
  const running = job("old");
  const rows: [string, CronJob, Job[], boolean, string[], string[]][] = [
    ["it is due", cron(), [], true, [], []],
    ["this time was used", cron({}, { lastScheduleTime: minute(0) }), [], false, [], []],
    ["created after the last time", cron({}, {}, 0), [], false, [], []],
    ["suspended", cron({ suspend: true }), [], false, [], []],
    ["several times were missed: one Job", cron({}, { lastScheduleTime: minute(50) }), [], true, [], []],
    [
      "too many were missed",
      cron({}, { lastScheduleTime: minute(150) }),
      [],
      true,
      ["TooManyMissedTimes"],
      [],
    ],
    [
      "… but for a deadline",
      cron({ startingDeadlineSeconds: 200 }, { lastScheduleTime: minute(150) }),
      [],
      true,
      [],
      [],
    ],
    ["too late to start", cron({ startingDeadlineSeconds: 20 }), [], false, [], []],
    ["Allow", cron({}, { active: active("old") }), [running], true, [], []],
    [
      "Forbid",
      cron({ concurrencyPolicy: "Forbid" }, { active: active("old") }),
      [running],
      false,
      ["JobAlreadyActive"],
      [],
    ],
    [
      "Replace",
      cron({ concurrencyPolicy: "Replace" }, { active: active("old") }),
      [running],
      true,
      [],
      ["old"],
    ],
    ["an unknown zone", cron({ timeZone: "Mars/Olympus" }), [], false, ["UnknownTimeZone"], []],
    ["no schedule", cron({ schedule: "x" }), [], false, ["UnparseableSchedule"], []],
  ];
  for (const [what, of, jobs, isStarted, said, gone] of rows) {
    const actions = plan(of, jobs);
    assert.deepEqual(created(actions), isStarted ? [`c-${due}`] : [], what);
    assert.deepEqual(reasons(actions), said, what);
    assert.deepEqual(deleted(actions), gone, what);
  }
});

test("it comes back at the next time", () => {
  const { againAfterMs } = planCronJob({ cronJob: cron({ schedule: "5 12 * * *" }), jobs: [] }, { nowMs });
  assert.equal(againAfterMs, 4.5 * 60_000 + 100);
  assert.equal(
    planCronJob({ cronJob: cron({ suspend: true }), jobs: [] }, { nowMs }).againAfterMs,
    undefined,
  );
});

test("what the status tells of its Jobs", () => {
  const idle = { suspend: true };
  const rows: [string, CronJobStatus, Job[], string[], string[]][] = [
    ["a new one", {}, [job("a")], ["a"], []],
    ["known", { active: active("a") }, [job("a")], ["a"], []],
    ["completed", { active: active("a") }, [job("a", "Complete")], [], ["SawCompletedJob"]],
    ["failed", { active: active("a") }, [job("a", "Failed")], [], ["SawCompletedJob"]],
    ["gone", { active: active("a") }, [], [], ["MissingJob"]],
    ["a user's", {}, [job("mine", undefined, 5, { annotations: {} })], [], ["UnexpectedJob"]],
  ];
  for (const [what, status, jobs, names, said] of rows) {
    const actions = plan(cron(idle, status), jobs);
    const now = statusIn(actions) ?? status;
    assert.deepEqual(
      (now.active ?? []).map(({ name }) => name),
      names,
      what,
    );
    assert.deepEqual(reasons(actions), said, what);
  }
  const seen = plan(cron(idle, { active: active("a") }), [job("a", "Complete")]);
  assert.equal(statusIn(seen)?.lastSuccessfulTime, minute(4));
  const event = seen.find((action) => action.do === "event");
  assert.equal(event?.do === "event" && event.message, "Saw completed job: a, condition: Complete");
});

test("a newer version of an active Job is no news", () => {
  const withVersion = active("a").map((one) => ({ ...one, resourceVersion: "3" }));
  assert.deepEqual(plan(cron({ suspend: true }, { active: withVersion }), [job("a")]), []);
});

test("of finished Jobs the newest are kept", () => {
  const jobs = [
    ...[9, 8, 7, 6, 5].map((started) => job(`s${started}`, "Complete", started)),
    ...[9, 8].map((started) => job(`f${started}`, "Failed", started)),
    job("running"),
  ];
  const spec = { suspend: true };
  assert.deepEqual(deleted(plan(cron(spec), jobs)), ["s9", "s8", "f9"]);
  assert.deepEqual(deleted(plan(cron(spec), jobs.toReversed())), ["s9", "s8", "f9"]);
  const none = { ...spec, successfulJobsHistoryLimit: 0, failedJobsHistoryLimit: 0 };
  assert.equal(deleted(plan(cron(none), jobs)).length, 7);
});

test("when a Job cannot be created, this time stays unused", () => {
  const input = { cronJob: cron({}, { active: active("a") }), jobs: [job("a", "Complete")] };
  const [status] = planWithoutStarting(input, { nowMs });
  assert.deepEqual(status?.do === "status" && (status.object as CronJob).status, {
    lastSuccessfulTime: minute(4),
  });
});

test("one that is being deleted starts nothing", () => {
  const of = cron();
  of.metadata = { ...of.metadata, deletionTimestamp: minute(0) };
  assert.deepEqual(plan(of), []);
});
