// StatefulSets step by step, played against a kubelet that the test moves on: order, updates, claims, history.

import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "#base/random.ts";
import type { ControllerRevision, StatefulSet, StatefulSetSpec } from "#machinery/gen/types/apps-v1.ts";
import type { PersistentVolumeClaim, Pod } from "#machinery/gen/types/core-v1.ts";
import type { KubeObject } from "#machinery/meta.ts";
import type { Action } from "#reconcile/action.ts";
import { checkPlan } from "#reconcile/check-plan.ts";
import { statefulSetController } from "../stateful-set.ts";
import { planStatefulSet } from "./stateful-plan.ts";

const startMs = Date.parse("2026-01-01T12:00:00Z");
const at = (ms: number): string => new Date(ms).toISOString();

class World {
  set: StatefulSet;
  pods: Pod[] = [];
  revisions: ControllerRevision[] = [];
  claims = new Map<string, PersistentVolumeClaim>();
  nowMs = startMs;
  serial = 0;
  log: string[] = [];

  constructor(spec: Partial<StatefulSetSpec> = {}) {
    this.set = {
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata: { name: "db", namespace: "default", uid: "s1", generation: 1 },
      spec: {
        replicas: 3,
        selector: { matchLabels: { app: "db" } },
        serviceName: "dbs",
        template: {
          metadata: { labels: { app: "db" } },
          spec: { containers: [{ name: "c", image: "db:v1" }] },
        },
        podManagementPolicy: "OrderedReady",
        updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0, maxUnavailable: 1 } },
        revisionHistoryLimit: 10,
        ...spec,
      },
      status: { replicas: 0, availableReplicas: 0 },
    };
  }

  plan(): readonly Action[] {
    const { set, pods, revisions } = this;
    const { actions } = planStatefulSet(
      { set, pods, revisions, claim: (name) => this.claims.get(name) },
      { nowMs: this.nowMs },
    );
    checkPlan(statefulSetController, actions);
    return actions;
  }

  step(): readonly Action[] {
    const actions = this.plan();
    for (const action of actions) this.#apply(action);
    return actions;
  }

  #apply(action: Action): void {
    if (action.do === "status") this.set = structuredClone(action.object) as StatefulSet;
    if (action.do === "create") {
      const object = structuredClone(action.object) as KubeObject;
      object.metadata = { ...object.metadata, uid: `u${this.serial++}` };
      const name = object.metadata.name ?? "";
      if (action.ref.kind === "Pod") {
        this.log.push(`+${name.slice(3)}`);
        this.pods.push({ ...(object as Pod), status: { phase: "Pending" } });
      } else if (action.ref.kind === "ControllerRevision") this.revisions.push(object as ControllerRevision);
      else this.claims.set(name, object as PersistentVolumeClaim);
    }
    if (action.do === "delete" && action.ref.kind === "Pod") {
      this.log.push(`-${action.name.slice(3)}`);
      for (const { metadata } of this.pods)
        if (metadata?.name === action.name) metadata.deletionTimestamp = at(this.nowMs);
    }
    if (action.do === "delete" && action.ref.kind === "ControllerRevision")
      this.revisions = this.revisions.filter(({ metadata }) => metadata?.name !== action.name);
    if (action.do === "patch" && action.ref.kind === "ControllerRevision")
      for (const one of this.revisions)
        if (one.metadata?.name === action.name)
          one.revision = (action.patch as { revision: number }).revision;
    if (action.do === "patch" && action.ref.kind === "PersistentVolumeClaim") {
      const claim = this.claims.get(action.name);
      const { ownerReferences } = (action.patch as PersistentVolumeClaim).metadata ?? {};
      if (claim?.metadata !== undefined && ownerReferences !== undefined)
        claim.metadata.ownerReferences = ownerReferences;
    }
  }

  /** As a kubelet: pods run, those that are deleted are gone. */
  obey(isReady: (ordinal: number) => boolean = () => true): void {
    this.pods = this.pods.filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
    for (const pod of this.pods) {
      const ready = isReady(Number(pod.metadata?.name?.slice(3)));
      pod.status = {
        phase: "Running",
        conditions: [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime: at(this.nowMs) }],
      };
    }
  }

  finish(): void {
    for (let round = 0; round < 200; round++) {
      if (this.step().length > 0) continue;
      const before = JSON.stringify(this.pods);
      this.obey();
      if (JSON.stringify(this.pods) === before && this.plan().length === 0) return;
    }
    assert.fail("does not finish");
  }

  /** Until nothing more is to do before a kubelet acts. */
  settle(): void {
    for (let round = 0; round < 50; round++) if (this.step().length === 0) return;
    assert.fail("does not settle");
  }

  change(spec: Partial<StatefulSetSpec>): void {
    const generation = (this.set.metadata?.generation ?? 0) + 1;
    this.set = {
      ...this.set,
      metadata: { ...this.set.metadata, generation },
      spec: { ...(this.set.spec as StatefulSetSpec), ...spec },
    };
    this.log = [];
  }

  update(image: string): void {
    const template = { ...this.set.spec?.template, spec: { containers: [{ name: "c", image }] } };
    this.change({ template });
  }

  images(): string[] {
    return this.pods
      .toSorted((a, b) => ((a.metadata?.name ?? "") < (b.metadata?.name ?? "") ? -1 : 1))
      .map(({ spec }) => spec?.containers[0]?.image?.slice(3) ?? "");
  }
}

const rolling = (rollingUpdate: object): StatefulSetSpec["updateStrategy"] => ({
  type: "RollingUpdate",
  rollingUpdate: { partition: 0, maxUnavailable: 1, ...rollingUpdate },
});

test("in order: each pod after the one before it is ready", () => {
  const world = new World();
  world.settle();
  assert.deepEqual(world.log, ["+0"]);
  world.obey(() => false);
  world.settle();
  assert.deepEqual(world.log, ["+0"], "not before it is ready");
  world.obey();
  world.settle();
  assert.deepEqual(world.log, ["+0", "+1"]);
  world.finish();
  const [revision] = world.revisions;
  const name = revision?.metadata?.name ?? "";
  assert.match(name, /^db-[bcdfghjklmnpqrstvwxz2456789]{1,10}$/);
  assert.deepEqual(world.set.status, {
    observedGeneration: 1,
    replicas: 3,
    readyReplicas: 3,
    currentReplicas: 3,
    updatedReplicas: 3,
    currentRevision: name,
    updateRevision: name,
    availableReplicas: 3,
  });
  const [pod] = world.pods;
  assert.deepEqual(pod?.metadata?.labels, {
    app: "db",
    "controller-revision-hash": name,
    "statefulset.kubernetes.io/pod-name": "db-0",
    "apps.kubernetes.io/pod-index": "0",
  });
  assert.equal(pod.spec?.hostname, "db-0");
  assert.equal(pod.spec?.subdomain, "dbs");
});

test("scaling: up in order, down from the last, each after the other; in parallel all at once", () => {
  const world = new World();
  world.finish();
  world.change({ replicas: 5 });
  world.finish();
  assert.deepEqual(world.log, ["+3", "+4"]);
  world.change({ replicas: 2 });
  world.settle();
  assert.deepEqual(world.log, ["-4"], "the next when it is gone");
  world.finish();
  assert.deepEqual(world.log, ["-4", "-3", "-2"]);
  const parallel = new World({ podManagementPolicy: "Parallel" });
  parallel.settle();
  assert.deepEqual(parallel.log, ["+0", "+1", "+2"]);
});

test("scaling down waits while one is not ready, but the one that is not may go", () => {
  const world = new World();
  world.finish();
  world.obey((ordinal) => ordinal !== 0);
  world.change({ replicas: 1 });
  world.settle();
  assert.deepEqual(world.log, []);
  world.obey((ordinal) => ordinal !== 2);
  world.settle();
  assert.deepEqual(world.log, ["-2"]);
});

test("a rolling update: from the last to the first, each when the one before is ready again", () => {
  const world = new World();
  world.finish();
  world.update("db:v2");
  world.settle();
  assert.deepEqual(world.log, ["-2"]);
  world.obey();
  world.settle();
  assert.deepEqual(world.log, ["-2", "+2"]);
  world.obey((ordinal) => ordinal !== 2);
  world.settle();
  assert.deepEqual(world.log, ["-2", "+2"], "not before it is ready");
  assert.notEqual(world.set.status?.currentRevision, world.set.status?.updateRevision);
  world.finish();
  assert.deepEqual(world.log, ["-2", "+2", "-1", "+1", "-0", "+0"]);
  assert.equal(world.set.status?.currentRevision, world.set.status?.updateRevision);
});

test("a partition: below it all stays, also what is made anew", () => {
  const world = new World({ updateStrategy: rolling({ partition: 2 }) });
  world.finish();
  world.update("db:v2");
  world.finish();
  assert.deepEqual(world.images(), ["v1", "v1", "v2"]);
  world.pods = world.pods.filter(({ metadata }) => metadata?.name !== "db-0");
  world.finish();
  assert.deepEqual(world.images(), ["v1", "v1", "v2"]);
  world.change({ updateStrategy: rolling({ partition: 0 }) });
  world.finish();
  assert.deepEqual(world.images(), ["v2", "v2", "v2"]);
});

test("several at a time, when so many may be unavailable", () => {
  const world = new World({ replicas: 4, updateStrategy: rolling({ maxUnavailable: 2 }) });
  world.finish();
  world.update("db:v2");
  world.step();
  world.settle();
  assert.deepEqual(world.log, ["-3", "-2"]);
  world.finish();
  assert.deepEqual(world.images(), ["v2", "v2", "v2", "v2"]);
});

test("in parallel, pods that are not ready hold nobody up: up to the size that is asked for, and down to none", () => {
  const world = new World({ replicas: 2, podManagementPolicy: "Parallel" });
  const unhealthy = (): void => {
    world.settle();
    world.obey(() => false);
    world.settle();
  };
  unhealthy();
  world.change({ replicas: 4 });
  unhealthy();
  assert.deepEqual(world.log, ["+2", "+3"]);
  world.change({ replicas: 0 });
  unhealthy();
  assert.deepEqual(world.log.toSorted(), ["-0", "-1", "-2", "-3"]);
  assert.deepEqual(world.pods, []);
});

test("who is unavailable counts wherever it is, and of those to be updated goes first", () => {
  const world = new World({ replicas: 4, podManagementPolicy: "Parallel", updateStrategy: rolling({}) });
  world.finish();
  world.obey((ordinal) => ordinal !== 1);
  world.update("db:v2");
  world.settle();
  assert.deepEqual(world.log, ["-1"]);
  world.obey((ordinal) => ordinal !== 1);
  world.settle();
  world.obey((ordinal) => ordinal !== 1);
  world.settle();
  assert.deepEqual(world.log, ["-1", "+1"], "the new one is not available: the others wait");
  world.obey();
  world.settle();
  assert.deepEqual(world.log, ["-1", "+1", "-3"]);
  world.finish();
  assert.deepEqual(world.images(), ["v2", "v2", "v2", "v2"]);
});

test("OnDelete: a pod is of the new template when somebody has deleted the old one", () => {
  const world = new World({ updateStrategy: { type: "OnDelete" } });
  world.finish();
  world.update("db:v2");
  world.finish();
  assert.deepEqual(world.images(), ["v1", "v1", "v1"]);
  world.pods = world.pods.filter(({ metadata }) => metadata?.name !== "db-1");
  world.finish();
  assert.deepEqual(world.images(), ["v1", "v2", "v1"]);
});

test("undo: an old revision gets the next number; revisions beyond the limit that nobody uses go", () => {
  const world = new World({ revisionHistoryLimit: 1 });
  world.finish();
  for (const image of ["db:v2", "db:v3", "db:v4"]) {
    world.update(image);
    world.finish();
  }
  assert.deepEqual(
    world.revisions.map(({ revision }) => revision),
    [3, 4],
  );
  world.update("db:v3");
  world.finish();
  assert.deepEqual(world.revisions.map(({ revision }) => revision).sort(), [4, 5]);
  assert.deepEqual(world.images(), ["v3", "v3", "v3"]);
});

test("ordinals may begin elsewhere", () => {
  const world = new World({ ordinals: { start: 5 } });
  world.finish();
  assert.deepEqual(
    world.pods.map(({ metadata }) => metadata?.name),
    ["db-5", "db-6", "db-7"],
  );
});

test("a pod that has ended is made anew", () => {
  const world = new World();
  world.finish();
  const [first] = world.pods;
  assert.ok(first);
  first.status = { phase: "Failed" };
  world.log = [];
  world.finish();
  assert.deepEqual(world.log, ["-0", "+0"]);
});

test("claims: made before the pod, kept when it goes, unless the retention says otherwise", () => {
  const volumeClaimTemplates: PersistentVolumeClaim[] = [
    { metadata: { name: "data" }, spec: { accessModes: ["ReadWriteOnce"] } },
  ];
  const world = new World({ replicas: 2, volumeClaimTemplates });
  world.step();
  const kinds = world.step().flatMap((action) => (action.do === "create" ? [action.ref.kind] : []));
  assert.deepEqual(kinds, ["PersistentVolumeClaim", "Pod"]);
  world.finish();
  assert.deepEqual([...world.claims.keys()], ["data-db-0", "data-db-1"]);
  assert.deepEqual(world.claims.get("data-db-0")?.metadata?.labels, { app: "db" });
  assert.deepEqual(world.pods[0]?.spec?.volumes, [
    { name: "data", persistentVolumeClaim: { claimName: "data-db-0" } },
  ]);
  world.change({ replicas: 1 });
  world.finish();
  assert.equal(world.claims.get("data-db-1")?.metadata?.ownerReferences, undefined);
  const persistentVolumeClaimRetentionPolicy = { whenDeleted: "Delete", whenScaled: "Delete" };
  const gone = new World({ replicas: 2, volumeClaimTemplates, persistentVolumeClaimRetentionPolicy });
  gone.finish();
  assert.equal(gone.claims.get("data-db-0")?.metadata?.ownerReferences?.[0]?.kind, "StatefulSet");
  gone.change({ replicas: 1 });
  gone.finish();
  assert.equal(gone.claims.get("data-db-1")?.metadata?.ownerReferences?.[0]?.kind, "Pod");
});

test("a pod waits while the claim of the one before it goes away", () => {
  const world = new World({ volumeClaimTemplates: [{ metadata: { name: "data" } }] });
  world.claims.set("data-db-0", { metadata: { name: "data-db-0", deletionTimestamp: at(startMs) } });
  world.settle();
  assert.deepEqual(world.log, []);
});

test("one that is being deleted makes nothing: the collector has taken it", () => {
  const world = new World();
  world.finish();
  world.set.metadata = { ...world.set.metadata, deletionTimestamp: at(startMs) };
  [world.pods, world.revisions] = [[], []];
  assert.deepEqual(world.plan(), []);
});

test("whatever the kubelet does: one pod a name, at most one at a time is taken, and it settles", () => {
  for (let seed = 1; seed <= 100; seed++) {
    const random = seededRandom(seed);
    const world = new World({ replicas: random.integer(5) });
    world.finish();
    for (let step = 0; step < 30; step++) {
      const what = random.integer(8);
      if (what === 0) world.change({ replicas: random.integer(6) });
      if (what === 1) world.update(`db:v${random.integer(3)}`);
      if (what < 5) world.obey(() => random.integer(3) > 0);
      world.step();
      const names = world.pods.map(({ metadata }) => metadata?.name);
      assert.equal(new Set(names).size, names.length, `seed ${seed}: a name twice`);
      const leaving = world.pods.filter(({ metadata }) => metadata?.deletionTimestamp !== undefined);
      assert.ok(leaving.length <= 1, `seed ${seed}: ${leaving.length} at a time`);
    }
    world.finish();
    assert.equal(world.pods.length, world.set.spec?.replicas, `seed ${seed}`);
    const [image] = world.set.spec?.template?.spec?.containers ?? [];
    assert.ok(
      world.images().every((one) => `db:${one}` === image?.image),
      `seed ${seed}: an old template`,
    );
  }
});
