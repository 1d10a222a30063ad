// Jobs of random shape whose controller crashes after any write, while pods end as they like: every ended pod is counted
// exactly once, no status is refused by the API's rules, and the Job comes to its end.

import assert from "node:assert/strict";
import { test } from "node:test";
import { timestamp } from "#base/clock.ts";
import { seededRandom, type Random } from "#base/random.ts";
import type { Job, JobSpec } from "#machinery/gen/types/batch-v1.ts";
import type { Pod } from "#machinery/gen/types/core-v1.ts";
import type { Action } from "#reconcile/action.ts";
import { checkPlan } from "#reconcile/check-plan.ts";
import { validateJobStatus } from "#resources/batch/job-status.ts";
import { jobController } from "../job.ts";
import { countOf, parseIndexes } from "./index-set.ts";
import { planJob } from "./job-plan.ts";
import { indexOf, isTracked, trackingFinalizer } from "./job-pod.ts";
import { isPodActive, isPodTerminal } from "../pod-state.ts";

class World {
  nowMs = Date.UTC(2026, 0, 1);
  job: Job;
  readonly pods = new Map<string, Pod>();
  /** Pods that ended while the Job tracked them: what it must come to count. */
  readonly ended = { succeeded: new Set<string>(), failed: new Set<string>(), ignored: new Set<string>() };
  readonly succeededIndexes = new Set<number>();
  readonly random: Random;
  readonly seed: number;
  serial = 0;

  constructor(seed: number) {
    this.seed = seed;
    this.random = seededRandom(seed);
    this.job = randomJob(this.random);
  }

  get isOver(): boolean {
    return (this.job.status?.conditions ?? []).some(({ type }) => type === "Complete" || type === "Failed");
  }

  plan(): readonly Action[] {
    const pods = [...this.pods.values()];
    if (this.random.integer(2) === 0) pods.reverse();
    const { actions } = planJob({ job: this.job, pods }, { nowMs: this.nowMs });
    checkPlan(jobController, actions);
    return actions;
  }

  /** What the server makes of the first writes of a plan; then the controller is gone. */
  apply(actions: readonly Action[]): void {
    for (const action of actions) {
      if (action.do === "create") this.#create(action.object as Pod);
      if (action.do === "status") this.#write(action.object as Job);
      if (action.do === "patch") this.#untrack(action.name);
      if (action.do === "delete") this.#delete(action.name);
    }
  }

  #create(pod: Pod): void {
    const name = `p${this.serial++}`;
    const metadata = { ...pod.metadata, name, uid: `u-${name}`, creationTimestamp: timestamp(this.nowMs) };
    this.pods.set(name, { ...structuredClone(pod), metadata, status: { phase: "Pending" } });
  }

  #write(next: Job): void {
    assert.deepEqual(validateJobStatus(structuredClone(next), this.job), [], `seed ${this.seed}`);
    const { active = 0 } = next.status ?? {};
    assert.ok(active <= (next.spec?.parallelism ?? 0), `seed ${this.seed}: ${active} active`);
    this.job = structuredClone(next);
  }

  #untrack(name: string): void {
    const pod = this.pods.get(name) as Pod;
    assert.ok(isTracked(pod), `seed ${this.seed}: ${name} is let go twice`);
    pod.metadata = { ...pod.metadata, finalizers: [] };
    if (pod.metadata.deletionTimestamp !== undefined && isPodTerminal(pod)) this.pods.delete(name);
  }

  #delete(name: string): void {
    const pod = this.pods.get(name);
    if (pod === undefined) return;
    pod.metadata = { ...pod.metadata, deletionTimestamp: timestamp(this.nowMs) };
    if (isTracked(pod)) this.#countEnd(pod);
  }

  /** A pod that is being deleted counts as failed at once, unless its end is waited for. */
  #countEnd(pod: Pod): void {
    const { name = "" } = pod.metadata ?? {};
    const waits = this.job.spec?.podReplacementPolicy === "Failed";
    if (pod.status?.phase === "Succeeded") {
      if (!this.ended.failed.has(name)) this.ended.succeeded.add(name);
      if (isTracked(pod)) this.succeededIndexes.add(indexOf(pod));
    } else if (pod.status?.phase === "Failed" || !waits) {
      const isIgnored =
        pod.status?.containerStatuses?.[0]?.state?.terminated?.exitCode === 9 && hasPolicy(this.job);
      this.ended[isIgnored ? "ignored" : "failed"].add(name);
    }
  }

  /** Kubelets and users: pods start, end, and are deleted. */
  live(): void {
    this.nowMs += 400_000;
    for (const [name, pod] of this.pods) {
      const isDeleting = pod.metadata?.deletionTimestamp !== undefined;
      if (isPodTerminal(pod)) {
        if (isDeleting && !isTracked(pod)) this.pods.delete(name);
        continue;
      }
      const dice = this.random.integer(10);
      if (isDeleting) this.#end(pod, 1);
      else if (dice < 3) this.#end(pod, 0);
      else if (dice < 5) this.#end(pod, [1, 9, 42][this.random.integer(3)] as number);
      else if (dice < 6) this.#delete(name);
      else pod.status = { phase: "Running" };
    }
  }

  #end(pod: Pod, exitCode: number): void {
    const terminated = { exitCode, finishedAt: timestamp(this.nowMs) };
    const containerStatuses = [
      { name: "c", ready: false, restartCount: 0, image: "", imageID: "", state: { terminated } },
    ];
    const wasTracked = isTracked(pod);
    pod.status = { phase: exitCode === 0 ? "Succeeded" : "Failed", containerStatuses };
    if (wasTracked && !this.ended.failed.has(pod.metadata?.name ?? "")) this.#countEnd(pod);
  }
}

const hasPolicy = (job: Job): boolean => job.spec?.podFailurePolicy !== undefined;

function randomJob(random: Random): Job {
  const isIndexed = random.integer(2) === 0;
  const completions = random.integer(6);
  const isQueue = !isIndexed && random.integer(3) === 0;
  const policy: JobSpec["podFailurePolicy"] = {
    rules: [{ action: "Ignore", onExitCodes: { operator: "In", values: [9] } }],
  };
  const withPolicy = random.integer(3) === 0;
  return {
    metadata: { name: "j", namespace: "default", uid: "j1" },
    spec: {
      parallelism: 1 + random.integer(5),
      ...(isQueue ? {} : { completions }),
      backoffLimit: random.integer(2) === 0 ? 2 : 1000,
      completionMode: isIndexed ? "Indexed" : "NonIndexed",
      ...(isIndexed && random.integer(2) === 0 ? { backoffLimitPerIndex: random.integer(3) } : {}),
      podReplacementPolicy: withPolicy || random.integer(2) === 0 ? "Failed" : "TerminatingOrFailed",
      ...(withPolicy ? { podFailurePolicy: policy } : {}),
      selector: { matchLabels: { a: "b" } },
      template: {
        metadata: { labels: { a: "b" } },
        spec: { restartPolicy: "Never", containers: [{ name: "c", image: "i" }] },
      },
    },
    status: {},
  };
}

const roundsMax = 400;

test("whatever crashes: every ended pod is counted once, and the Job ends", () => {
  let [completed, failed] = [0, 0];
  for (let seed = 1; seed <= 400; seed++) {
    const world = new World(seed);
    let rounds = 0;
    for (; !world.isOver && rounds < roundsMax; rounds++) {
      const actions = world.plan();
      const isCrash = world.random.integer(3) === 0;
      world.apply(isCrash ? actions.slice(0, world.random.integer(actions.length + 1)) : actions);
      if (world.random.integer(2) === 0) world.live();
    }
    assert.ok(world.isOver, `seed ${seed}: no end after ${rounds} rounds`);
    const { status = {}, spec } = world.job;
    if (status.conditions?.some(({ type }) => type === "Complete")) completed++;
    else failed++;
    const { ended } = world;
    if (spec?.completionMode !== "Indexed")
      assert.equal(status.succeeded ?? 0, ended.succeeded.size, `seed ${seed}: successes`);
    else
      assert.equal(
        status.succeeded ?? 0,
        countOf(parseIndexes(status.completedIndexes, 100)),
        `seed ${seed}`,
      );
    assert.equal(status.failed ?? 0, ended.failed.size, `seed ${seed}: failures`);
    assert.ok(![...world.pods.values()].some(isPodActive), `seed ${seed}: pods are left`);
    assert.ok(![...world.pods.values()].some(isTracked), `seed ${seed}: tracked pods are left`);
    assert.deepEqual(world.plan(), [], `seed ${seed}: nothing more to do`);
  }
  assert.ok(completed > 50 && failed > 50, `${completed} completed, ${failed} failed`);
});

test("the plan is the same for pods in any order, and asks for nothing twice", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const world = new World(seed);
    for (let round = 0; round < 6 && !world.isOver; round++) {
      const pods = [...world.pods.values()];
      const context = { nowMs: world.nowMs };
      const one = planJob({ job: world.job, pods }, context);
      assert.deepEqual(planJob({ job: world.job, pods: pods.toReversed() }, context), one, `seed ${seed}`);
      world.apply(one.actions);
      // Without news, it comes to rest by itself: a status, the finalizers, the counters.
      for (let again = 0; again < 6; again++) world.apply(world.plan());
      if (!world.isOver) assert.deepEqual(world.plan(), [], `seed ${seed}: at rest`);
      world.live();
    }
  }
});

test("the finalizer is the documented one", () => {
  assert.equal(trackingFinalizer, "batch.kubernetes.io/job-tracking");
});
