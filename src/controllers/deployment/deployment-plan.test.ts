// Deployments step by step, played against ReplicaSets that do what their controller would: never more pods than the
// surge allows, never fewer available than promised, and everything settles.

import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "#base/random.ts";
import type { Deployment, DeploymentSpec, ReplicaSet } from "#machinery/gen/types/apps-v1.ts";
import type { Action } from "#reconcile/action.ts";
import { checkPlan } from "#reconcile/check-plan.ts";
import { deploymentController } from "../deployment.ts";
import { failure } from "#machinery/status.ts";
import { planDeployment, planDeploymentFailure } from "./deployment-plan.ts";
import { fenceposts, hashLabel, replicasOf } from "./replica-sets.ts";
import { oldSizes } from "./rolling.ts";
import { proportionalSizes } from "./scaling.ts";

const startMs = Date.parse("2026-01-01T12:00:00Z");

function deployment(spec: Partial<DeploymentSpec> = {}): Deployment {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "default", uid: "d1", generation: 1, resourceVersion: "5" },
    spec: {
      replicas: 4,
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" } },
        spec: { containers: [{ name: "c", image: "web:v1" }] },
      },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      ...spec,
    },
    status: {},
  };
}

/** The Deployment, its ReplicaSets, and a controller of theirs that the test moves on. */
class World {
  deployment: Deployment;
  sets: ReplicaSet[] = [];
  nowMs = startMs;
  events: string[] = [];
  serial = 0;

  constructor(spec: Partial<DeploymentSpec> = {}) {
    this.deployment = deployment(spec);
  }

  plan(): readonly Action[] {
    const input = { deployment: this.deployment, sets: this.sets, pods: [] };
    const { actions } = planDeployment(input, { nowMs: this.nowMs });
    checkPlan(deploymentController, actions);
    return actions;
  }

  apply(actions: readonly Action[]): void {
    for (const action of actions) {
      if (action.do === "event") this.events.push(action.message);
      if (action.do === "status") this.deployment = structuredClone(action.object) as Deployment;
      if (action.do === "delete")
        this.sets = this.sets.filter(({ metadata }) => metadata?.name !== action.name);
      if (action.do === "create") {
        const set = structuredClone(action.object) as ReplicaSet;
        const created = new Date(startMs + this.serial * 1000).toISOString();
        const metadata = {
          ...set.metadata,
          uid: `rs${this.serial++}`,
          creationTimestamp: created,
          generation: 1,
        };
        this.sets = [...this.sets, { ...set, metadata, status: { replicas: 0 } }];
      }
      if (action.do === "update" || action.do === "patch") {
        const name = action.do === "update" ? action.object.metadata?.name : action.name;
        const patch = (action.do === "update" ? action.object : action.patch) as Partial<ReplicaSet>;
        this.sets = this.sets.map((set) =>
          set.metadata?.name === name
            ? {
                ...set,
                metadata: {
                  ...set.metadata,
                  annotations: { ...set.metadata?.annotations, ...patch.metadata?.annotations },
                  ownerReferences: patch.metadata?.ownerReferences ?? set.metadata?.ownerReferences ?? [],
                },
                spec: { ...set.spec, ...patch.spec } as NonNullable<ReplicaSet["spec"]>,
              }
            : set,
        );
      }
    }
  }

  step(): readonly Action[] {
    const actions = this.plan();
    this.apply(actions);
    return actions;
  }

  /** Plans until there is nothing to do. */
  settle(): void {
    for (let round = 0; round < 50; round++) if (this.step().length === 0) return;
    assert.fail("does not settle");
  }

  /** Every ReplicaSet has its pods, as many of them available as told; by default all. */
  obey(available: (set: ReplicaSet) => number = replicasOf): void {
    this.sets = this.sets.map((set) => {
      const replicas = replicasOf(set);
      const ready = Math.min(replicas, available(set));
      const counts = { replicas, readyReplicas: ready, availableReplicas: ready, observedGeneration: 1 };
      return { ...set, status: { ...set.status, ...counts } };
    });
  }

  finish(): void {
    for (let round = 0; round < 100; round++) {
      this.settle();
      const before = JSON.stringify(this.sets);
      this.obey();
      if (JSON.stringify(this.sets) === before && this.plan().length === 0) return;
    }
    assert.fail("does not finish");
  }

  update(image: string): void {
    const { spec } = this.deployment;
    this.deployment = structuredClone(this.deployment);
    (this.deployment.spec as DeploymentSpec).template = {
      ...spec?.template,
      spec: { containers: [{ name: "c", image }] },
    };
    this.changed();
  }

  change(spec: Partial<DeploymentSpec>): void {
    this.deployment = { ...this.deployment, spec: { ...(this.deployment.spec as DeploymentSpec), ...spec } };
    this.changed();
  }

  changed(): void {
    const generation = (this.deployment.metadata?.generation ?? 0) + 1;
    this.deployment = { ...this.deployment, metadata: { ...this.deployment.metadata, generation } };
  }

  condition(type: string): string {
    const { status, reason, message } =
      this.deployment.status?.conditions?.find((one) => one.type === type) ?? {};
    return `${status} ${reason}: ${message}`;
  }

  sizes(): number[] {
    return this.sets.map(replicasOf);
  }

  revision(): string | undefined {
    return this.deployment.metadata?.annotations?.["deployment.kubernetes.io/revision"];
  }
}

test("a new Deployment: its ReplicaSet, labels, annotations, events and conditions", () => {
  const world = new World();
  world.deployment.metadata = {
    ...world.deployment.metadata,
    annotations: { note: "kept", "kubectl.kubernetes.io/last-applied-configuration": "{}" },
  };
  world.step();
  const [set] = world.sets;
  const hash = set?.metadata?.labels?.[hashLabel] ?? "";
  assert.match(hash, /^[bcdfghjklmnpqrstvwxz2456789]{1,10}$/);
  assert.equal(set?.metadata?.name, `web-${hash}`);
  assert.deepEqual(set.spec?.selector, { matchLabels: { app: "web", [hashLabel]: hash } });
  assert.deepEqual(set.spec?.template?.metadata?.labels, { app: "web", [hashLabel]: hash });
  assert.deepEqual(set.metadata.annotations, {
    note: "kept",
    "deployment.kubernetes.io/revision": "1",
    "deployment.kubernetes.io/desired-replicas": "4",
    "deployment.kubernetes.io/max-replicas": "5",
  });
  assert.deepEqual(world.events, [`Scaled up replica set web-${hash} from 0 to 4`]);
  assert.equal(world.revision(), "1");
  assert.equal(
    world.condition("Progressing"),
    `True NewReplicaSetCreated: Created new replica set "web-${hash}"`,
  );
  assert.equal(
    world.condition("Available"),
    "False MinimumReplicasUnavailable: Deployment does not have minimum availability.",
  );
  world.settle();
  world.obey(() => 2);
  world.settle();
  assert.equal(
    world.condition("Progressing"),
    `True ReplicaSetUpdated: ReplicaSet "web-${hash}" is progressing.`,
  );
  world.finish();
  assert.equal(
    world.condition("Progressing"),
    `True NewReplicaSetAvailable: ReplicaSet "web-${hash}" has successfully progressed.`,
  );
  assert.equal(
    world.condition("Available"),
    "True MinimumReplicasAvailable: Deployment has minimum availability.",
  );
  const { conditions, ...counts } = world.deployment.status ?? {};
  assert.equal(conditions?.length, 2);
  assert.deepEqual(counts, {
    observedGeneration: 1,
    replicas: 4,
    updatedReplicas: 4,
    readyReplicas: 4,
    availableReplicas: 4,
    terminatingReplicas: 0,
  });
});

test("a rolling update goes as far as surge and availability allow, and no further", () => {
  const world = new World();
  world.finish();
  world.update("web:v2");
  world.settle();
  assert.deepEqual(world.sizes(), [3, 2], "one fewer may be available, one more may be there");
  world.obey((set) => (set.metadata?.uid === "rs1" ? 0 : replicasOf(set)));
  world.settle();
  assert.deepEqual(world.sizes(), [3, 2], "the new ones are not available: no old one goes");
  world.obey();
  world.settle();
  assert.deepEqual(world.sizes(), [1, 4]);
  world.finish();
  assert.deepEqual(world.sizes(), [0, 4]);
  assert.equal(world.revision(), "2");
});

test("undo: the old ReplicaSet grows again under a new revision, and remembers the one that it had", () => {
  const world = new World();
  world.finish();
  world.update("web:v2");
  world.finish();
  world.update("web:v1");
  world.finish();
  assert.deepEqual(world.sizes(), [4, 0]);
  assert.equal(world.revision(), "3");
  const annotations = world.sets[0]?.metadata?.annotations;
  assert.equal(annotations?.["deployment.kubernetes.io/revision"], "3");
  assert.equal(annotations?.["deployment.kubernetes.io/revision-history"], "1");
});

test("paused: a new template waits, scaling does not, and the deadline stands still", () => {
  const world = new World();
  world.finish();
  world.change({ paused: true });
  world.settle();
  assert.equal(world.condition("Progressing"), "Unknown DeploymentPaused: Deployment is paused");
  world.update("web:v2");
  world.settle();
  assert.equal(world.sets.length, 1);
  world.change({ replicas: 6 });
  world.finish();
  assert.deepEqual(world.sizes(), [6]);
  world.change({ paused: false });
  world.step();
  assert.equal(world.condition("Progressing"), "Unknown DeploymentResumed: Deployment is resumed");
  world.finish();
  assert.deepEqual(world.sizes(), [0, 6]);
});

test("Recreate: no new pod before the last old one is gone", () => {
  const world = new World({ strategy: { type: "Recreate" } });
  world.finish();
  world.update("web:v2");
  world.settle();
  assert.deepEqual(world.sizes(), [0], "the old ones go first");
  const pod = {
    metadata: {
      name: "p",
      ownerReferences: [{ apiVersion: "apps/v1", kind: "ReplicaSet", name: "x", uid: "rs0" }],
    },
    status: { phase: "Running" },
  };
  world.obey();
  const input = { deployment: world.deployment, sets: world.sets, pods: [pod] };
  const { actions } = planDeployment(input, { nowMs: world.nowMs });
  assert.ok(
    actions.every((action) => action.do === "status"),
    "one is still running",
  );
  world.finish();
  assert.deepEqual(world.sizes(), [0, 4]);
});

test("a rollout that makes no progress is told after its deadline, and asked to be looked at then", () => {
  const world = new World({ progressDeadlineSeconds: 30 });
  world.finish();
  world.update("web:bad");
  world.settle();
  world.obey((set) => (set.metadata?.uid === "rs1" ? 0 : replicasOf(set)));
  world.settle();
  const look = { deployment: world.deployment, sets: world.sets, pods: [] };
  assert.equal(planDeployment(look, { nowMs: world.nowMs }).againAfterMs, 31_000);
  world.nowMs += 31_000;
  world.settle();
  assert.match(
    world.condition("Progressing"),
    /^False ProgressDeadlineExceeded: ReplicaSet "web-\w+" has timed out progressing\.$/,
  );
  assert.equal(
    planDeployment({ ...look, deployment: world.deployment }, { nowMs: world.nowMs }).againAfterMs,
    undefined,
  );
  world.update("web:v1");
  world.finish();
  assert.match(world.condition("Progressing"), /^True NewReplicaSetAvailable/);
});

test("history: as many old ReplicaSets as asked for, the oldest go", () => {
  const world = new World({ revisionHistoryLimit: 2 });
  for (const version of ["1", "2", "3", "4", "5"]) {
    world.update(`web:v${version}`);
    world.finish();
  }
  const revisions = world.sets.map(
    ({ metadata }) => metadata?.annotations?.["deployment.kubernetes.io/revision"],
  );
  assert.deepEqual(revisions, ["3", "4", "5"]);
});

test("scaling in the middle of a rollout is shared in proportion", () => {
  const set = (name: string, replicas: number, max: number, desired: number): ReplicaSet => ({
    metadata: {
      name,
      creationTimestamp: name === "new" ? "2026-01-02T00:00:00Z" : "2026-01-01T00:00:00Z",
      annotations: {
        "deployment.kubernetes.io/max-replicas": String(max),
        "deployment.kubernetes.io/desired-replicas": String(desired),
      },
    },
    spec: { replicas, selector: {} },
  });
  const rows: [
    string,
    number,
    number | string,
    [number, number],
    [number, number, number],
    [number, number],
  ][] = [
    // documented: 10 replicas with a surge of 3 (8 + 5 pods), scaled to 15: 3 more for the old, 2 for the new
    ["up, as the documentation has it", 15, 3, [8, 5], [13, 10, 0], [11, 7]],
    ["down, in proportion", 5, 3, [8, 5], [13, 10, 0], [5, 3]],
    ["to nothing", 0, 3, [8, 5], [13, 10, 0], [0, 0]],
  ];
  for (const [what, replicas, maxSurge, [old, fresh], [max, desired], expected] of rows) {
    const of = deployment({
      replicas,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge, maxUnavailable: 2 } },
    });
    const sets = [set("old", old, max, desired), set("new", fresh, max, desired)];
    const sizes = proportionalSizes(of, sets);
    assert.deepEqual(
      sets.map((one) => sizes.get(one)),
      expected,
      what,
    );
  }
});

const set = (name: string, replicas: number, availableReplicas: number): ReplicaSet => ({
  metadata: { name, creationTimestamp: name },
  spec: { replicas, selector: {} },
  status: { replicas, availableReplicas },
});

test("pods that are about to go, since their ReplicaSet was made smaller, are not counted on", () => {
  const of = deployment({
    replicas: 6,
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 0, maxUnavailable: "50%" } },
  });
  // Two are asked for, three are still there.
  const [old, fresh] = [set("2026-01-01", 2, 3), set("2026-01-02", 4, 2)];
  assert.deepEqual([...oldSizes(of, fresh, [old]).values()], [1]);
});

test("pods of an old template that are not available go first", () => {
  const of = deployment({
    replicas: 10,
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 0, maxUnavailable: 2 } },
  });
  const [broken, fine, fresh] = [set("2026-01-01", 3, 0), set("2026-01-02", 7, 7), set("2026-01-03", 0, 0)];
  assert.deepEqual(
    [...oldSizes(of, fresh, [fine, broken]).entries()].map(([{ metadata }, size]) => [metadata?.name, size]),
    [["2026-01-01", 1]],
  );
});

test("a name that another ReplicaSet has: the collision is counted, and the next name is another", () => {
  const world = new World();
  const [create] = world.plan();
  assert.ok(create?.do === "create");
  const error = failure(409, "AlreadyExists", "exists");
  const input = { deployment: world.deployment, sets: [], pods: [] };
  const actions = planDeploymentFailure(
    input,
    { action: create, error, unknown: false },
    { nowMs: world.nowMs },
  );
  world.apply(actions);
  assert.equal(world.deployment.status?.collisionCount, 1);
  const [again] = world.plan();
  assert.ok(again?.do === "create" && again.object.metadata?.name !== create.object.metadata?.name);
});

test("a ReplicaSet that is refused is told in the condition Progressing", () => {
  const world = new World();
  const [create] = world.plan();
  assert.ok(create?.do === "create");
  const error = failure(403, "Forbidden", "exceeded quota");
  const input = { deployment: world.deployment, sets: [], pods: [] };
  world.apply(
    planDeploymentFailure(input, { action: create, error, unknown: false }, { nowMs: world.nowMs }),
  );
  assert.match(
    world.condition("Progressing"),
    /^False ReplicaSetCreateError: Failed to create new replica set "web-\w+": exceeded quota$/,
  );
});

test("orphans that it selects are adopted, those that it no longer selects are released", () => {
  const world = new World();
  world.finish();
  const [own] = world.sets;
  assert.ok(own);
  world.sets = [
    { ...own, metadata: { ...own.metadata, ownerReferences: [] } },
    { ...own, metadata: { ...own.metadata, name: "other", uid: "x", labels: { app: "db" } } },
  ];
  const patches = world.plan().flatMap((action) => (action.do === "patch" ? [action.name] : []));
  assert.deepEqual(patches, [own.metadata?.name, "other"]);
});

test("whatever happens: never above the surge, never below what is promised, and it settles", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = seededRandom(seed);
    const pick = <T>(values: readonly T[]): T => values[random.integer(values.length)] as T;
    const world = new World({
      replicas: 1 + random.integer(9),
      strategy: {
        type: "RollingUpdate",
        rollingUpdate: {
          maxSurge: pick([0, 1, 3, "25%", "100%"]),
          maxUnavailable: pick([0, 1, "25%", "50%"]),
        },
      },
    });
    world.finish();
    let desired = world.deployment.spec?.replicas ?? 0;
    let version = 1;
    for (let step = 0; step < 40; step++) {
      const what = random.integer(12);
      if (what === 0) world.update(`web:v${++version}`);
      if (what === 1) world.update(`web:v${1 + random.integer(version)}`);
      if (what === 2) {
        world.finish();
        desired = random.integer(10);
        world.change({ replicas: desired });
        world.finish();
      }
      if (what > 5) world.obey((set) => random.integer(replicasOf(set) + 1));
      else world.obey();
      const availableBefore = world.sets.reduce((sum, set) => sum + (set.status?.availableReplicas ?? 0), 0);
      world.step();
      const { maxSurge, maxUnavailable } = fenceposts(world.deployment);
      const total = world.sizes().reduce((sum, size) => sum + size, 0);
      assert.ok(total <= desired + maxSurge, `seed ${seed}: ${total} pods of ${desired} + ${maxSurge}`);
      // Whoever is available and has to go takes the sum no lower than what is promised.
      const kept = world.sets.reduce(
        (sum, set) => sum + Math.min(replicasOf(set), set.status?.availableReplicas ?? 0),
        0,
      );
      assert.ok(
        kept >= Math.min(availableBefore, desired - maxUnavailable),
        `seed ${seed}: ${kept} of ${desired} stay available`,
      );
    }
    world.finish();
    assert.equal(
      world.sizes().reduce((sum, size) => sum + size, 0),
      desired,
      `seed ${seed}: settled`,
    );
  }
});
