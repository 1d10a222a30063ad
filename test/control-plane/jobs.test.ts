// Jobs with the real control plane: their pods end because the test writes how they ended.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Client } from "#client/client.ts";
import { Events, Jobs, Pods } from "#client/refs.ts";
import type { Job, JobSpec } from "#machinery/gen/types/batch-v1.ts";
import type { Event, Pod } from "#machinery/gen/types/core-v1.ts";
import { eventually, startControlPlane, type ControlPlane } from "./control-plane.ts";

const indexKey = "batch.kubernetes.io/job-completion-index";

/** Without a scheduler: where pods run is not what this is about. */
async function withPlane(use: (admin: Client, plane: ControlPlane) => Promise<void>): Promise<void> {
  const plane = await startControlPlane({ scheduler: false, podGcPeriodMs: 50 });
  try {
    await use(plane.admin, plane);
  } finally {
    await plane.stop();
  }
}

async function createJob(admin: Client, spec: Partial<JobSpec>, name = "job"): Promise<Job> {
  const template = { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "i" }] } };
  return admin.create<Job>(Jobs, "default", {
    metadata: { name, namespace: "default" },
    spec: { template, ...spec },
  });
}

const getJob = (admin: Client, name = "job"): Promise<Job> => admin.get<Job>(Jobs, "default", name);

async function activePods(admin: Client): Promise<Pod[]> {
  const { items } = await admin.list<Pod>(Pods, { namespace: "default" });
  return items.filter(
    ({ metadata, status }) =>
      metadata?.deletionTimestamp === undefined &&
      status?.phase !== "Succeeded" &&
      status?.phase !== "Failed",
  );
}

const pods = (admin: Client, count: number): Promise<Pod[]> =>
  eventually(async () => {
    const found = await activePods(admin);
    return found.length === count && found;
  });

/** As a kubelet: the pod has ended, long enough ago that no delay is left. */
async function end(admin: Client, pod: Pod, exitCode = 0, more: Partial<Pod["status"]> = {}): Promise<void> {
  const finishedAt = "2020-01-01T00:00:00Z";
  const status = {
    phase: exitCode === 0 ? "Succeeded" : "Failed",
    containerStatuses: [
      {
        name: "c",
        ready: false,
        restartCount: 0,
        image: "i",
        imageID: "",
        state: { terminated: { exitCode, finishedAt, startedAt: finishedAt } },
      },
    ],
    ...more,
  };
  await admin.patch(Pods, "default", pod.metadata?.name ?? "", "strategic", { status }, "status");
}

const endsWith = (admin: Client, type: string, name = "job"): Promise<Job> =>
  eventually(async () => {
    const job = await getJob(admin, name);
    return job.status?.conditions?.some((one) => one.type === type && one.status === "True") && job;
  });

const reasonOf = (job: Job, type: string): string | undefined =>
  job.status?.conditions?.find((one) => one.type === type)?.reason;

async function untracked(admin: Client): Promise<void> {
  const { items } = await admin.list<Pod>(Pods, { namespace: "default" });
  for (const { metadata } of items)
    assert.ok(!(metadata?.finalizers ?? []).includes("batch.kubernetes.io/job-tracking"), metadata?.name);
}

const byIndex = (list: readonly Pod[], index: number): Pod =>
  list.find(({ metadata }) => metadata?.annotations?.[indexKey] === String(index)) as Pod;

test("a Job runs so many pods at once until enough have succeeded, and says so", () =>
  withPlane(async (admin) => {
    const { metadata } = await createJob(admin, { completions: 5, parallelism: 2 });
    for (let left = 5; left > 0; left -= 2) {
      const now = await pods(admin, Math.min(2, left));
      const labels = now[0]?.metadata?.labels ?? {};
      assert.equal(labels["batch.kubernetes.io/job-name"], "job");
      assert.equal(labels["job-name"], "job");
      assert.equal(labels["batch.kubernetes.io/controller-uid"], metadata?.uid);
      assert.equal(labels["controller-uid"], metadata?.uid);
      await Promise.all(now.map((pod) => end(admin, pod)));
    }
    const { status } = await endsWith(admin, "Complete");
    assert.equal(status?.succeeded, 5);
    assert.equal(status?.failed, undefined);
    assert.equal(status?.active, undefined);
    assert.deepEqual([status?.ready, status?.terminating, status?.uncountedTerminatedPods], [0, 0, {}]);
    assert.ok(status?.completionTime !== undefined && status.startTime !== undefined);
    assert.deepEqual(
      status.conditions?.map(({ type, reason, message }) => [type, reason, message]),
      [
        ["SuccessCriteriaMet", "CompletionsReached", "Reached expected number of succeeded pods"],
        ["Complete", "CompletionsReached", "Reached expected number of succeeded pods"],
      ],
    );
    await untracked(admin);
    await eventually(async () => {
      const { items } = await admin.list<Event>(Events, { namespace: "default" });
      const created = items.filter(({ reason }) => reason === "SuccessfulCreate");
      const done = items.find(({ reason }) => reason === "Completed");
      return (
        created.length === 5 &&
        done?.message === "Job completed" &&
        done.source?.component === "job-controller"
      );
    });
  }));

test("of a work queue the first success ends the creation of pods, and the last pod ends the Job", () =>
  withPlane(async (admin) => {
    await createJob(admin, { parallelism: 3 });
    const [first, ...others] = await pods(admin, 3);
    await end(admin, first as Pod);
    await eventually(async () => (await getJob(admin)).status?.succeeded === 1);
    assert.equal((await activePods(admin)).length, 2);
    for (const pod of others) await end(admin, pod);
    assert.equal((await endsWith(admin, "Complete")).status?.succeeded, 3);
  }));

test("failures beyond backoffLimit fail the Job, each counted once", () =>
  withPlane(async (admin) => {
    await createJob(admin, { backoffLimit: 2 });
    for (let tries = 1; tries <= 3; tries++) {
      const [pod] = await pods(admin, 1);
      await end(admin, pod as Pod, 1);
      if (tries < 3)
        await eventually(async () => {
          const now = await activePods(admin);
          return now.length === 1 && now[0]?.metadata?.uid !== pod?.metadata?.uid;
        });
    }
    const job = await endsWith(admin, "Failed");
    assert.equal(job.status?.failed, 3);
    assert.equal(reasonOf(job, "FailureTarget"), "BackoffLimitExceeded");
    assert.equal(reasonOf(job, "Failed"), "BackoffLimitExceeded");
    await untracked(admin);
  }));

test("an indexed Job gives each pod its index as annotation, label, variable and hostname, and notes which are done", () =>
  withPlane(async (admin) => {
    await createJob(admin, { completions: 4, parallelism: 4, completionMode: "Indexed" });
    const all = await pods(admin, 4);
    assert.deepEqual(all.map(({ metadata }) => metadata?.labels?.[indexKey]).sort(), ["0", "1", "2", "3"]);
    const third = byIndex(all, 2);
    assert.match(third.metadata?.name ?? "", /^job-2-[a-z0-9]{5}$/);
    assert.equal(third.spec?.hostname, "job-2");
    assert.deepEqual(third.spec?.containers?.[0]?.env, [
      {
        name: "JOB_COMPLETION_INDEX",
        valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: `metadata.labels['${indexKey}']` } },
      },
    ]);
    for (const index of [0, 2, 3]) await end(admin, byIndex(all, index));
    await eventually(async () => (await getJob(admin)).status?.completedIndexes === "0,2,3");
    await end(admin, byIndex(all, 1));
    const { status } = await endsWith(admin, "Complete");
    assert.deepEqual([status?.completedIndexes, status?.succeeded], ["0-3", 4]);
    await untracked(admin);
  }));

test("with backoffLimitPerIndex the others go on, and the Job fails at the end for the indexes that failed", () =>
  withPlane(async (admin) => {
    await createJob(admin, {
      completions: 3,
      parallelism: 3,
      completionMode: "Indexed",
      backoffLimitPerIndex: 1,
    });
    const first = await pods(admin, 3);
    await end(admin, byIndex(first, 1), 1);
    const again = await eventually(async () => {
      const now = await activePods(admin);
      const replacement = byIndex(now, 1);
      return (
        replacement !== undefined &&
        replacement.metadata?.uid !== byIndex(first, 1).metadata?.uid &&
        replacement
      );
    });
    assert.equal(again.metadata?.annotations?.["batch.kubernetes.io/job-index-failure-count"], "1");
    await end(admin, again, 1);
    await eventually(async () => (await getJob(admin)).status?.failedIndexes === "1");
    await end(admin, byIndex(first, 0));
    await end(admin, byIndex(first, 2));
    const job = await endsWith(admin, "Failed");
    const { completedIndexes, failedIndexes, succeeded, failed } = job.status ?? {};
    assert.deepEqual([completedIndexes, failedIndexes, succeeded, failed], ["0,2", "1", 2, 2]);
    assert.equal(reasonOf(job, "Failed"), "FailedIndexes");
    await untracked(admin);
  }));

test("more failed indexes than maxFailedIndexes end the Job with the pods that still run", () =>
  withPlane(async (admin) => {
    await createJob(admin, {
      completions: 4,
      parallelism: 4,
      completionMode: "Indexed",
      backoffLimitPerIndex: 0,
      maxFailedIndexes: 1,
    });
    const all = await pods(admin, 4);
    await end(admin, byIndex(all, 0), 1);
    await end(admin, byIndex(all, 3), 1);
    const job = await endsWith(admin, "Failed");
    assert.equal(reasonOf(job, "Failed"), "MaxFailedIndexesExceeded");
    assert.equal(job.status?.failedIndexes, "0,3");
    assert.equal((await activePods(admin)).length, 0);
  }));

test("an index fails at once when a FailIndex rule matches", () =>
  withPlane(async (admin) => {
    await createJob(admin, {
      completions: 2,
      parallelism: 2,
      completionMode: "Indexed",
      backoffLimitPerIndex: 5,
      podFailurePolicy: { rules: [{ action: "FailIndex", onExitCodes: { operator: "In", values: [42] } }] },
    });
    const all = await pods(admin, 2);
    await end(admin, byIndex(all, 0), 42);
    await end(admin, byIndex(all, 1));
    const job = await endsWith(admin, "Failed");
    assert.deepEqual([job.status?.failedIndexes, job.status?.completedIndexes], ["0", "1"]);
    assert.equal(reasonOf(job, "Failed"), "FailedIndexes");
  }));

test("a FailJob rule fails the Job at the first pod that ends so, and says which", () =>
  withPlane(async (admin) => {
    await createJob(admin, {
      completions: 4,
      parallelism: 2,
      backoffLimit: 6,
      podFailurePolicy: {
        rules: [{ action: "FailJob", onExitCodes: { containerName: "c", operator: "In", values: [42] } }],
      },
    });
    const [first] = await pods(admin, 2);
    await end(admin, first as Pod, 42);
    const job = await endsWith(admin, "Failed");
    const failed = job.status?.conditions?.find(({ type }) => type === "Failed");
    assert.equal(failed?.reason, "PodFailurePolicy");
    assert.equal(
      failed?.message,
      `Container c for pod default/${first?.metadata?.name} failed with exit code 42 matching FailJob rule at index 0`,
    );
  }));

test("a disrupted pod is replaced and not counted when the policy says Ignore", () =>
  withPlane(async (admin) => {
    await createJob(admin, {
      backoffLimit: 0,
      podFailurePolicy: {
        rules: [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] }],
      },
    });
    const [first] = await pods(admin, 1);
    await end(admin, first as Pod, 137, {
      conditions: [{ type: "DisruptionTarget", status: "True", reason: "EvictionByEvictionAPI" }],
    });
    const next = await eventually(async () => {
      const [now] = await activePods(admin);
      return now !== undefined && now.metadata?.uid !== first?.metadata?.uid && now;
    });
    await end(admin, next);
    const { status } = await endsWith(admin, "Complete");
    assert.deepEqual([status?.failed, status?.succeeded], [undefined, 1]);
  }));

test("a success policy ends the Job when the indexes that it names have succeeded, and stops the others", async () => {
  const rows: [string, JobSpec["successPolicy"], number[], string, string][] = [
    ["all indexes", undefined, [0, 1, 2], "0-2", "CompletionsReached"],
    ["succeededCount", { rules: [{ succeededCount: 1 }] }, [1], "1", "SuccessPolicy"],
    ["succeededIndexes", { rules: [{ succeededIndexes: "0,2" }] }, [0, 2], "0,2", "SuccessPolicy"],
  ];
  for (const [what, successPolicy, succeed, completed, reason] of rows)
    await withPlane(async (admin) => {
      await createJob(admin, {
        completions: 3,
        parallelism: 3,
        completionMode: "Indexed",
        ...(successPolicy === undefined ? {} : { successPolicy }),
      });
      const all = await pods(admin, 3);
      for (const index of succeed) await end(admin, byIndex(all, index));
      const job = await endsWith(admin, "Complete");
      assert.equal(job.status?.completedIndexes, completed, what);
      assert.equal(reasonOf(job, "Complete"), reason, what);
      assert.equal(reasonOf(job, "SuccessCriteriaMet"), reason, what);
      assert.equal((await activePods(admin)).length, 0, what);
      assert.equal(job.status?.terminating, 0, what);
    });
});

test("a suspended Job has no pods; resumed it starts anew", () =>
  withPlane(async (admin) => {
    await createJob(admin, { suspend: true, completions: 2, parallelism: 2 });
    const suspended = await endsWith(admin, "Suspended");
    assert.equal(suspended.status?.startTime, undefined);
    assert.equal(reasonOf(suspended, "Suspended"), "JobSuspended");
    assert.equal((await activePods(admin)).length, 0);
    const suspend = (value: boolean): Promise<unknown> =>
      admin.patch(Jobs, "default", "job", "merge", { spec: { suspend: value } });
    await suspend(false);
    await pods(admin, 2);
    await suspend(true);
    await pods(admin, 0);
    const again = await endsWith(admin, "Suspended");
    assert.equal(again.status?.failed, undefined, "pods that were stopped are no failures");
    await suspend(false);
    for (const pod of await pods(admin, 2)) await end(admin, pod);
    const done = await endsWith(admin, "Complete");
    assert.equal(reasonOf(done, "Suspended"), "JobResumed");
    await eventually(async () => {
      const { items } = await admin.list<Event>(Events, { namespace: "default" });
      return ["Suspended", "Resumed"].every((reason) => items.some((event) => event.reason === reason));
    });
  }));

test("a Job adopts orphans that it selects, and releases pods that lose their labels", () =>
  withPlane(async (admin) => {
    const { metadata } = await createJob(admin, { parallelism: 2, completions: 2 });
    const [pod] = await pods(admin, 2);
    const name = pod?.metadata?.name ?? "";
    const owners = async (): Promise<number> =>
      (await admin.get<Pod>(Pods, "default", name)).metadata?.ownerReferences?.length ?? 0;
    await admin.patch(Pods, "default", name, "merge", { metadata: { ownerReferences: [] } });
    await eventually(async () => (await owners()) === 1);
    const adopted = await admin.get<Pod>(Pods, "default", name);
    assert.equal(adopted.metadata?.ownerReferences?.[0]?.uid, metadata?.uid);
    const labels = Object.fromEntries(Object.keys(pod?.metadata?.labels ?? {}).map((label) => [label, null]));
    await admin.patch(Pods, "default", name, "merge", { metadata: { labels } });
    await eventually(async () => (await owners()) === 0);
    const released = await admin.get<Pod>(Pods, "default", name);
    assert.deepEqual(released.metadata?.finalizers ?? [], []);
    await pods(admin, 3);
  }));

test("activeDeadlineSeconds ends a Job that takes longer", () =>
  withPlane(async (admin) => {
    await createJob(admin, { activeDeadlineSeconds: 1 });
    await pods(admin, 1);
    const job = await endsWith(admin, "Failed");
    assert.equal(reasonOf(job, "Failed"), "DeadlineExceeded");
    assert.equal((await activePods(admin)).length, 0);
  }));

test("a Job that somebody else manages is left alone", () =>
  withPlane(async (admin) => {
    await createJob(admin, { managedBy: "example.com/queue" }, "theirs");
    await createJob(admin, {}, "ours");
    const [pod] = await pods(admin, 1);
    await end(admin, pod as Pod);
    await endsWith(admin, "Complete", "ours");
    assert.deepEqual((await getJob(admin, "theirs")).status, {});
  }));

test("a deleted Job takes its pods along, and leaves none of them tracked", () =>
  withPlane(async (admin) => {
    await createJob(admin, { parallelism: 2, completions: 2 });
    await pods(admin, 2);
    await admin.delete(Jobs, "default", "job", { propagationPolicy: "Background" });
    await eventually(async () => (await admin.list(Pods, { namespace: "default" })).items.length === 0);
  }));

test("a finished Job with ttlSecondsAfterFinished goes, and its pods with it", () =>
  withPlane(async (admin) => {
    await createJob(admin, { ttlSecondsAfterFinished: 0 });
    const [pod] = await pods(admin, 1);
    await end(admin, pod as Pod);
    await eventually(async () => (await admin.list(Jobs, { namespace: "default" })).items.length === 0);
    assert.deepEqual((await admin.list(Pods, { namespace: "default" })).items, []);
  }));
