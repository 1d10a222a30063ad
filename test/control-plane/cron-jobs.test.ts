// CronJobs with the real control plane, on a clock that the test moves: days pass in milliseconds.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "#base/manual-clock.ts";
import type { Client } from "#client/client.ts";
import { CronJobs, Events, Jobs, Pods } from "#client/refs.ts";
import type { CronJob, CronJobSpec, Job } from "#machinery/gen/types/batch-v1.ts";
import type { Event, Pod } from "#machinery/gen/types/core-v1.ts";
import { eventually, startControlPlane } from "./control-plane.ts";

const startMs = Date.UTC(2026, 0, 1, 12, 0, 30);
const minuteMs = 60_000;

interface Stage {
  readonly admin: Client;
  readonly clock: ManualClock;
  jobs(): Promise<Job[]>;
  cron(): Promise<CronJob>;
  finish(): Promise<void>;
  saw(reason: string): Promise<Event>;
}

async function withCron(spec: Partial<CronJobSpec>, use: (stage: Stage) => Promise<void>): Promise<void> {
  const clock = new ManualClock(startMs);
  const plane = await startControlPlane({ clock, scheduler: false, nodeMonitorPeriodMs: 3_600_000 });
  const { admin } = plane;
  const jobs = async (): Promise<Job[]> => (await admin.list<Job>(Jobs, { namespace: "default" })).items;
  try {
    const template = { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "i" }] } };
    await admin.create<CronJob>(CronJobs, "default", {
      metadata: { name: "c", namespace: "default" },
      spec: { schedule: "* * * * *", timeZone: "UTC", jobTemplate: { spec: { template } }, ...spec },
    });
    await use({
      admin,
      clock,
      jobs,
      cron: () => admin.get<CronJob>(CronJobs, "default", "c"),
      async finish() {
        await eventually(async () => {
          const { items } = await admin.list<Pod>(Pods, { namespace: "default" });
          for (const { metadata, status } of items)
            if (status?.phase === "Pending")
              await admin.patch(
                Pods,
                "default",
                metadata?.name ?? "",
                "merge",
                { status: { phase: "Succeeded" } },
                "status",
              );
          return (await jobs()).every(({ status }) => status?.completionTime !== undefined);
        });
      },
      saw: (reason) =>
        eventually(async () => {
          const { items } = await admin.list<Event>(Events, { namespace: "default" });
          return items.find((event) => event.reason === reason && event.involvedObject?.kind === "CronJob");
        }),
    });
  } finally {
    await plane.stop();
  }
}

/** Lets what is under way come to rest: nothing is waited for but other turns of the loop. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Minute by minute, until the cluster is seen in a state. */
async function passUntil(clock: ManualClock, probe: () => Promise<boolean>): Promise<void> {
  await eventually(async () => {
    if (await probe()) return true;
    clock.advance(minuteMs);
    await settle();
    return probe();
  });
}

test("a Job each minute, several at once, named by the minute of the epoch; old ones are forgotten", () =>
  withCron({}, async ({ jobs, clock, cron, finish, saw }) => {
    await passUntil(clock, async () => (await jobs()).length >= 2);
    const names = (await jobs()).map(({ metadata }) => metadata?.name ?? "").sort();
    for (const name of names) assert.match(name, /^c-\d{8}$/);
    const first = (await jobs())[0];
    assert.equal(
      Date.parse(first?.metadata?.annotations?.["batch.kubernetes.io/cronjob-scheduled-timestamp"] ?? ""),
      Number(first?.metadata?.name?.slice(2)) * minuteMs,
    );
    await eventually(async () => ((await cron()).status?.active?.length ?? 0) >= 2);
    for (let round = 0; round < 6; round++) {
      await finish();
      clock.advance(minuteMs);
      await settle();
    }
    await finish();
    await eventually(
      async () => (await jobs()).length <= 4 && (await cron()).status?.lastSuccessfulTime !== undefined,
    );
    assert.match((await saw("SuccessfulCreate")).message ?? "", /^Created job c-\d{8}$/);
    await saw("SawCompletedJob");
    await saw("SuccessfulDelete");
  }));

test("Forbid: no second Job while one runs", () =>
  withCron({ concurrencyPolicy: "Forbid" }, async ({ jobs, clock, finish, saw }) => {
    await passUntil(clock, async () => (await jobs()).length === 1);
    for (let round = 0; round < 3; round++) {
      clock.advance(minuteMs);
      await settle();
      assert.equal((await jobs()).length, 1);
    }
    await saw("JobAlreadyActive");
    await finish();
    await passUntil(clock, async () => (await jobs()).length === 2);
  }));

test("Replace: the running Job goes, the next one comes", () =>
  withCron({ concurrencyPolicy: "Replace" }, async ({ jobs, clock, cron }) => {
    await passUntil(clock, async () => (await jobs()).length === 1);
    const [first] = await jobs();
    await eventually(async () => (await cron()).status?.active?.[0]?.uid === first?.metadata?.uid);
    await passUntil(clock, async () => {
      const now = await jobs();
      return now.length === 1 && now[0]?.metadata?.uid !== first?.metadata?.uid;
    });
  }));

test("a suspended CronJob starts nothing; resumed it does", () =>
  withCron({ suspend: true }, async ({ admin, jobs, clock }) => {
    for (let round = 0; round < 5; round++) {
      clock.advance(minuteMs);
      await settle();
    }
    assert.equal((await jobs()).length, 0);
    await admin.patch(CronJobs, "default", "c", "merge", { spec: { suspend: false } });
    await passUntil(clock, async () => (await jobs()).length >= 1);
  }));
