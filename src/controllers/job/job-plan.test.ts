import assert from "node:assert/strict";
import { test } from "node:test";
import type { Job, JobSpec, JobStatus } from "#machinery/gen/types/batch-v1.ts";
import type { Pod, PodStatus } from "#machinery/gen/types/core-v1.ts";
import type { Action } from "#reconcile/action.ts";
import { checkPlan } from "#reconcile/check-plan.ts";
import { jobController } from "../job.ts";
import { planJob, planWithoutCreating } from "./job-plan.ts";
import { indexFailuresKey, indexIgnoredKey, indexKey, trackingFinalizer } from "./job-pod.ts";

const nowMs = Date.parse("2026-01-01T12:00:00Z");
const ago = (seconds: number): string => `${new Date(nowMs - seconds * 1000).toISOString().slice(0, 19)}Z`;

function job(spec: Partial<JobSpec> = {}, status: JobStatus = {}): Job {
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "j", namespace: "default", uid: "j1", resourceVersion: "7" },
    spec: {
      parallelism: 1,
      completions: 1,
      backoffLimit: 6,
      completionMode: "NonIndexed",
      podReplacementPolicy: "TerminatingOrFailed",
      selector: { matchLabels: { "batch.kubernetes.io/controller-uid": "j1" } },
      template: {
        metadata: { labels: { "batch.kubernetes.io/controller-uid": "j1" } },
        spec: { restartPolicy: "Never", containers: [{ name: "c", image: "i" }] },
      },
      ...spec,
    },
    status: { startTime: ago(1000), terminating: 0, ready: 0, uncountedTerminatedPods: {}, ...status },
  };
}
const indexed = (spec: Partial<JobSpec> = {}, status: JobStatus = {}): Job =>
  job({ completionMode: "Indexed", completions: 3, parallelism: 3, ...spec }, status);

interface Shape {
  readonly name: string;
  readonly phase?: string;
  readonly index?: number;
  readonly failures?: number;
  readonly ignored?: number;
  readonly tracked?: boolean;
  readonly deleting?: boolean;
  readonly exit?: number;
  readonly endedAgo?: number;
  readonly restarts?: number;
  readonly ready?: boolean;
  readonly condition?: string;
  readonly owner?: string;
  readonly labels?: Record<string, string>;
}

function podStatus({
  phase = "Running",
  exit,
  endedAgo = 5000,
  restarts = 0,
  ready,
  condition,
}: Shape): PodStatus {
  const types = [...(ready === true ? ["Ready"] : []), ...(condition === undefined ? [] : [condition])];
  const terminated = { exitCode: exit ?? 0, finishedAt: ago(endedAgo) };
  const state = phase === "Running" || phase === "Pending" ? {} : { state: { terminated } };
  return {
    phase,
    conditions: types.map((type) => ({ type, status: "True", lastTransitionTime: ago(endedAgo) })),
    containerStatuses: [
      { name: "c", ready: false, restartCount: restarts, image: "", imageID: "", ...state },
    ],
  };
}

function pod(shape: Shape): Pod {
  const { name, index, failures, ignored, tracked = true, deleting, owner = "j1" } = shape;
  const annotations = {
    ...(index === undefined ? {} : { [indexKey]: String(index) }),
    ...(failures === undefined ? {} : { [indexFailuresKey]: String(failures) }),
    ...(ignored === undefined ? {} : { [indexIgnoredKey]: String(ignored) }),
  };
  return {
    metadata: {
      name,
      namespace: "default",
      uid: `u-${name}`,
      creationTimestamp: ago(6000),
      labels: shape.labels ?? { "batch.kubernetes.io/controller-uid": "j1" },
      annotations,
      finalizers: tracked ? [trackingFinalizer] : [],
      ...(deleting === true ? { deletionTimestamp: ago(1) } : {}),
      ownerReferences:
        owner === ""
          ? []
          : [{ apiVersion: "batch/v1", kind: "Job", name: "j", uid: owner, controller: true }],
    },
    spec: { containers: [], nodeName: "n" },
    status: podStatus(shape),
  };
}

const plan = (of: Job, shapes: readonly Shape[]): readonly Action[] => {
  const { actions } = planJob({ job: of, pods: shapes.map(pod) }, { nowMs });
  checkPlan(jobController, actions);
  return actions;
};
const count = (actions: readonly Action[], what: Action["do"]): number =>
  actions.filter((action) => action.do === what).length;
const statusIn = (actions: readonly Action[]): JobStatus | undefined => {
  const found = actions.find((action) => action.do === "status");
  return found?.do === "status" ? (found.object as Job).status : undefined;
};
const untracked = (actions: readonly Action[]): string[] =>
  actions.flatMap((action) =>
    action.do === "patch" && JSON.stringify(action.patch).includes("$deleteFromPrimitiveList")
      ? [action.name]
      : [],
  );
const created = (actions: readonly Action[]): (string | undefined)[] =>
  actions.flatMap((action) =>
    action.do === "create" ? [action.object.metadata?.annotations?.[indexKey]] : [],
  );
const deleted = (actions: readonly Action[]): string[] =>
  actions.flatMap((action) => (action.do === "delete" ? [action.name] : []));
const outcome = (actions: readonly Action[]): [string, string | undefined][] =>
  (statusIn(actions)?.conditions ?? []).map(({ type, reason }) => [type, reason]);

test("how many pods are created", () => {
  const rows: [string, Job, Shape[], number][] = [
    ["all at once at first", job({ parallelism: 3, completions: 5 }), [], 3],
    ["no more than are needed", job({ parallelism: 3, completions: 5 }, { succeeded: 4 }), [], 1],
    ["what is missing", job({ parallelism: 3, completions: 5 }), [{ name: "a" }], 2],
    ["none of parallelism 0", job({ parallelism: 0 }), [], 0],
    ["none while suspended", job({ suspend: true }), [], 0],
    ["at most 500 in one go", job({ parallelism: 2000, completions: 5000 }), [], 500],
    ["one in place of a pod that is being deleted", job(), [{ name: "a", deleting: true }], 1],
    [
      "none before it is gone, if asked so",
      job({ podReplacementPolicy: "Failed" }),
      [{ name: "a", deleting: true }],
      0,
    ],
    [
      "no more once a work queue's pod has succeeded",
      queue(2),
      [{ name: "a", phase: "Succeeded", tracked: false }],
      0,
    ],
  ];
  for (const [what, of, pods, creates] of rows) assert.equal(count(plan(of, pods), "create"), creates, what);
});

function queue(parallelism: number): Job {
  const of = job({ parallelism }, { succeeded: 1, active: 1 });
  delete of.spec?.completions;
  return of;
}

test("which indexes are created: the lowest that are neither done, nor failed, nor under way", () => {
  const rows: [string, Job, Shape[], string[]][] = [
    ["from zero", indexed({ parallelism: 2 }), [], ["0", "1"]],
    ["not what is done", indexed({}, { completedIndexes: "0,2", succeeded: 2 }), [], ["1"]],
    ["not what has just succeeded", indexed(), [{ name: "a", index: 1, phase: "Succeeded" }], ["0", "2"]],
    ["not what is running", indexed(), [{ name: "a", index: 0 }], ["1", "2"]],
    ["again what failed", indexed(), [{ name: "a", index: 0, phase: "Failed", exit: 1 }], ["0", "1", "2"]],
    [
      "not what has failed for good",
      indexed({ backoffLimitPerIndex: 1 }, { failedIndexes: "1" }),
      [],
      ["0", "2"],
    ],
  ];
  for (const [what, of, pods, indexes] of rows) assert.deepEqual(created(plan(of, pods)), indexes, what);
});

test("the delay before the next try: 10 s, doubled with each failure, six minutes at most", () => {
  const rows: [failures: number, endedAgo: number, waitsMs: number | undefined][] = [
    [1, 3, 7_000],
    [1, 11, undefined],
    [2, 0, 20_000],
    [3, 15, 25_000],
    [7, 0, 360_000],
    [7, 361, undefined],
  ];
  for (const [failures, endedAgo, waitsMs] of rows) {
    const pods = Array.from({ length: failures }, (_, at) =>
      pod({ name: `p${at}`, phase: "Failed", exit: 1, endedAgo, tracked: false }),
    );
    const { actions, againAfterMs } = planJob(
      { job: job({ backoffLimit: 10 }, { failed: failures }), pods },
      { nowMs },
    );
    assert.equal(againAfterMs, waitsMs, `${failures} failures ${endedAgo} s ago`);
    assert.equal(count(actions, "create"), waitsMs === undefined ? 1 : 0);
  }
  const since = [
    pod({ name: "f", phase: "Failed", exit: 1, endedAgo: 5, tracked: false }),
    pod({ name: "s", phase: "Succeeded", endedAgo: 1, tracked: false }),
  ];
  const after = planJob(
    { job: job({ completions: 2 }, { failed: 1, succeeded: 1 }), pods: since },
    { nowMs },
  );
  assert.equal(count(after.actions, "create"), 1, "a success ends the delay");
});

test("each index has a delay of its own with backoffLimitPerIndex, and its pods hand on how often it failed", () => {
  const of = indexed({ backoffLimitPerIndex: 3 });
  const ended = (name: string, index: number, more: Partial<Shape>): Shape => ({
    name,
    index,
    phase: "Failed",
    exit: 1,
    ...more,
  });
  const shapes = [
    ended("a", 0, { failures: 1, endedAgo: 5 }),
    ended("b", 1, { failures: 1, ignored: 2, endedAgo: 500 }),
  ];
  const { actions, againAfterMs } = planJob({ job: of, pods: shapes.map(pod) }, { nowMs });
  assert.deepEqual(created(actions), ["1", "2"]);
  assert.equal(againAfterMs, 15_000);
  const [first] = actions;
  const annotations = first?.do === "create" ? first.object.metadata?.annotations : {};
  assert.deepEqual(annotations, { [indexKey]: "1", [indexFailuresKey]: "2", [indexIgnoredKey]: "2" });
  assert.deepEqual(untracked(actions), [], "the last pod of an index is kept until its replacement is there");
  const replaced = plan(of, [...shapes, { name: "b2", index: 1, failures: 2, ignored: 2 }]);
  assert.deepEqual(untracked(replaced), ["b"]);
});

test("an ended pod is counted in three steps", () => {
  const ended: Shape = { name: "a", phase: "Succeeded" };
  const first = plan(job({ completions: 2 }), [ended]);
  assert.deepEqual(statusIn(first)?.uncountedTerminatedPods, { succeeded: ["u-a"] });
  assert.equal(statusIn(first)?.succeeded, undefined);
  const order = first.map((action) => action.do);
  assert.ok(
    order.indexOf("status") < order.indexOf("patch"),
    "the status is written before the finalizer goes",
  );
  assert.deepEqual(untracked(first), ["a"]);
  const noted = job({ completions: 2 }, { uncountedTerminatedPods: { succeeded: ["u-a"] }, active: 1 });
  const still = plan(noted, [ended, { name: "b" }]);
  assert.deepEqual(
    [statusIn(still), untracked(still)],
    [undefined, ["a"]],
    "a crash before the finalizer went",
  );
  for (const pods of [[{ ...ended, tracked: false }, { name: "b" }], [{ name: "b" }]]) {
    const third = plan(noted, pods);
    assert.equal(statusIn(third)?.succeeded, 1);
    assert.deepEqual(statusIn(third)?.uncountedTerminatedPods, {});
    assert.deepEqual(untracked(third), []);
  }
});

test("at most 500 pods are in the status at once", () => {
  const pods = Array.from({ length: 700 }, (_, at) => ({ name: `p${at}`, phase: "Succeeded" }));
  const actions = plan(job({ completions: 1000, parallelism: 700 }), pods);
  assert.equal(statusIn(actions)?.uncountedTerminatedPods?.succeeded?.length, 500);
  assert.equal(untracked(actions).length, 500);
  assert.equal(count(actions, "create"), 300, "the others count for what is left to do");
});

test("how a Job ends", () => {
  const failed = (name: string, more: Partial<Shape> = {}): Shape => ({
    name,
    phase: "Failed",
    exit: 1,
    ...more,
  });
  const rows: [string, Job, Shape[], [string, string][]][] = [
    ["no completions wanted", job({ completions: 0 }), [], both("Complete", "CompletionsReached")],
    ["enough successes", job({}, { succeeded: 1 }), [], both("Complete", "CompletionsReached")],
    [
      "… not while pods are still counted",
      job(),
      [{ name: "a", phase: "Succeeded" }],
      met("CompletionsReached"),
    ],
    [
      "… not while a pod is ending",
      job({}, { succeeded: 1 }),
      [{ name: "a", deleting: true, tracked: false }],
      met("CompletionsReached"),
    ],
    [
      "too many failures",
      job({ backoffLimit: 1 }, { failed: 2 }),
      [],
      both("Failed", "BackoffLimitExceeded"),
    ],
    ["as many as may be", job({ backoffLimit: 1 }, { failed: 1 }), [], []],
    [
      "too many, with those not counted yet",
      job({ backoffLimit: 0 }),
      [failed("a")],
      target("BackoffLimitExceeded"),
    ],
    ["restarts in place", restarting(2), [{ name: "a", restarts: 2 }], target("BackoffLimitExceeded")],
    ["fewer restarts", restarting(2), [{ name: "a", restarts: 1 }], []],
    ["any restart of limit 0", restarting(0), [{ name: "a", restarts: 1 }], target("BackoffLimitExceeded")],
    ["the deadline", job({ activeDeadlineSeconds: 1000 }), [{ name: "a" }], target("DeadlineExceeded")],
    ["before the deadline", job({ activeDeadlineSeconds: 1001 }), [{ name: "a" }], []],
    [
      "suspended, no deadline",
      job({ activeDeadlineSeconds: 1, suspend: true }),
      [],
      [["Suspended", "JobSuspended"]],
    ],
    [
      "an index fails for good",
      indexed({ backoffLimitPerIndex: 0, maxFailedIndexes: 0 }),
      [failed("a", { index: 1, failures: 0 })],
      target("MaxFailedIndexesExceeded"),
    ],
    [
      "failed indexes at the end",
      indexed(
        { backoffLimitPerIndex: 0 },
        { completedIndexes: "0,2", succeeded: 2, failedIndexes: "1", failed: 1 },
      ),
      [],
      both("Failed", "FailedIndexes"),
    ],
    [
      "a success policy before completion",
      indexed(
        { successPolicy: { rules: [{ succeededIndexes: "0", succeededCount: 1 }] } },
        { completedIndexes: "0", succeeded: 1 },
      ),
      [],
      both("Complete", "SuccessPolicy"),
    ],
    [
      "failures before successes",
      job({ backoffLimit: 0 }, { succeeded: 1, failed: 1 }),
      [],
      both("Failed", "BackoffLimitExceeded"),
    ],
  ];
  for (const [what, of, pods, conditions] of rows)
    assert.deepEqual(outcome(plan(of, pods)), conditions, what);
});

function met(reason: string): [string, string][] {
  return [["SuccessCriteriaMet", reason]];
}
function target(reason: string): [string, string][] {
  return [["FailureTarget", reason]];
}
function both(end: "Complete" | "Failed", reason: string): [string, string][] {
  return [
    [end === "Complete" ? "SuccessCriteriaMet" : "FailureTarget", reason],
    [end, reason],
  ];
}
function restarting(backoffLimit: number): Job {
  const of = job({ backoffLimit }, { active: 1 });
  if (of.spec?.template.spec !== undefined) of.spec.template.spec.restartPolicy = "OnFailure";
  return of;
}

test("what a failure policy makes of a failed pod", () => {
  const exits = (
    action: string,
    operator: string,
    values: number[],
    containerName?: string,
  ): JobSpec["podFailurePolicy"] => ({
    rules: [
      {
        action,
        onExitCodes: { operator, values, ...(containerName === undefined ? {} : { containerName }) },
      },
    ],
  });
  const on = (action: string, type: string): JobSpec["podFailurePolicy"] => ({
    rules: [{ action, onPodConditions: [{ type, status: "True" }] }],
  });
  type Verdict = "counted" | "ignored" | "fails the Job";
  const rows: [string, JobSpec["podFailurePolicy"], Partial<Shape>, Verdict][] = [
    ["no policy", undefined, { exit: 1 }, "counted"],
    ["exit code in", exits("FailJob", "In", [3]), { exit: 3 }, "fails the Job"],
    ["exit code not in", exits("FailJob", "In", [3]), { exit: 4 }, "counted"],
    ["another exit code", exits("FailJob", "NotIn", [3]), { exit: 4 }, "fails the Job"],
    ["NotIn never means success", exits("FailJob", "NotIn", [3]), { exit: 0 }, "counted"],
    ["another container", exits("FailJob", "In", [3], "d"), { exit: 3 }, "counted"],
    ["that container", exits("FailJob", "In", [3], "c"), { exit: 3 }, "fails the Job"],
    ["a condition", on("Ignore", "DisruptionTarget"), { exit: 9, condition: "DisruptionTarget" }, "ignored"],
    ["without the condition", on("Ignore", "DisruptionTarget"), { exit: 9 }, "counted"],
    ["Count", on("Count", "DisruptionTarget"), { condition: "DisruptionTarget" }, "counted"],
  ];
  for (const [what, podFailurePolicy, shape, verdict] of rows) {
    const policy = podFailurePolicy === undefined ? {} : { podFailurePolicy };
    const actions = plan(job(policy), [{ name: "a", phase: "Failed", ...shape }]);
    const { conditions = [], uncountedTerminatedPods } = statusIn(actions) ?? {};
    const found = conditions.some(({ reason }) => reason === "PodFailurePolicy")
      ? "fails the Job"
      : uncountedTerminatedPods?.failed === undefined
        ? "ignored"
        : "counted";
    assert.equal(found, verdict, what);
    assert.deepEqual(untracked(actions), ["a"], what);
  }
});

test("a Job that fails deletes its pods after it has said so", () => {
  const actions = plan(job({ parallelism: 2, completions: 2, activeDeadlineSeconds: 10 }, { active: 2 }), [
    { name: "a" },
    { name: "b" },
  ]);
  assert.deepEqual(
    actions.map((action) => action.do),
    ["status", "delete", "delete"],
  );
  assert.deepEqual(untracked(actions), [], "they count when they have ended");
  assert.equal(statusIn(actions)?.terminating, 2);
});

test("pods that are given up: no surplus more, without counting", () => {
  const actions = plan(job({ parallelism: 1, completions: 5 }), [{ name: "a" }, { name: "b", ready: true }]);
  assert.deepEqual([deleted(actions), untracked(actions)], [["a"], ["a"]]);
  const twice = plan(indexed({ parallelism: 2 }), [
    { name: "a", index: 0 },
    { name: "b", index: 0 },
    { name: "c", index: 7 },
  ]);
  assert.deepEqual(deleted(twice), ["b", "c"], "an index twice, and one that is not there");
  const suspended = plan(job({ suspend: true, parallelism: 2, completions: 2 }), [
    { name: "a" },
    { name: "b" },
  ]);
  assert.deepEqual(deleted(suspended), ["a", "b"]);
});

test("who is claimed", () => {
  const rows: [string, Shape, string | undefined][] = [
    ["its own", { name: "p" }, undefined],
    ["an orphan", { name: "p", owner: "", tracked: false }, "adopted"],
    ["an orphan that is being deleted", { name: "p", owner: "", tracked: false, deleting: true }, undefined],
    ["another's", { name: "p", owner: "j2" }, undefined],
    ["its own that is no longer selected", { name: "p", labels: {} }, "released"],
  ];
  for (const [what, shape, patched] of rows) {
    const patch = plan(job({}, { active: 1 }), [shape]).find((action) => action.do === "patch");
    const text = patch?.do === "patch" ? JSON.stringify(patch.patch) : "";
    const found = text.includes('"controller":true')
      ? "adopted"
      : text.includes('"$patch"')
        ? "released"
        : undefined;
    assert.equal(found, patched, what);
  }
});

test("a finished Job, one that is being deleted, and one of another manager", () => {
  const finished = job({}, { conditions: [{ type: "Complete", status: "True" }], succeeded: 1 });
  const deleting = job();
  deleting.metadata = { ...deleting.metadata, deletionTimestamp: ago(1) };
  const shapes: Shape[] = [{ name: "a" }, { name: "b", phase: "Failed" }, { name: "c", tracked: false }];
  for (const ended of [finished, deleting]) {
    const actions = plan(ended, shapes);
    assert.deepEqual([count(actions, "patch"), actions.length], [2, 2]);
    assert.deepEqual(untracked(actions), ["a", "b"]);
  }
  assert.deepEqual(plan(job({ managedBy: "example.com/x" }), shapes), []);
  assert.notDeepEqual(plan(job({ managedBy: "kubernetes.io/job-controller" }), shapes), []);
});

test("resuming starts the time anew, and does not fail by the old one", () => {
  const conditions = [{ type: "Suspended", status: "True", reason: "JobSuspended" }];
  const of = job({ activeDeadlineSeconds: 10, suspend: false }, { conditions });
  const actions = plan(of, []);
  assert.equal(statusIn(actions)?.startTime, ago(0));
  assert.deepEqual(outcome(actions), [["Suspended", "JobResumed"]]);
  assert.equal(count(actions, "create"), 1);
});

test("ended pods are counted even when none can be created", () => {
  const input = {
    job: job({ completions: 3, parallelism: 2 }),
    pods: [pod({ name: "a", phase: "Succeeded" })],
  };
  const actions = planWithoutCreating(input, { nowMs });
  assert.equal(count(actions, "create"), 0);
  assert.equal(statusIn(actions)?.active, undefined);
  assert.deepEqual(untracked(actions), ["a"]);
});
