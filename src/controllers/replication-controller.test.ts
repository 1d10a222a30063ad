import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom, type Random } from "#base/random.ts";
import type { Pod, ReplicationController } from "#machinery/gen/types/core-v1.ts";
import { failure } from "#machinery/status.ts";
import type { Action } from "#reconcile/action.ts";
import { checkPlan } from "#reconcile/check-plan.ts";
import { podsToDelete } from "./replica-plan.ts";
import { planReplicaFailure, planReplicas } from "./replicas.ts";
import { replicationController, replicationControllerKind as kind } from "./replication-controller.ts";

const nowMs = Date.parse("2026-01-01T12:00:00Z");
const ago = (seconds: number): string => `${new Date(nowMs - seconds * 1000).toISOString().slice(0, 19)}Z`;

interface PodShape {
  readonly name: string;
  readonly owner?: string;
  readonly labels?: Record<string, string>;
  readonly node?: string;
  readonly phase?: string;
  readonly readyFor?: number;
  readonly restarts?: number;
  readonly age?: number;
  readonly cost?: string;
  readonly deleting?: boolean;
}

function pod(shape: PodShape): Pod {
  const { name, owner = "rc1", labels = { app: "a" }, node = "n1", phase = "Running", age = 1000 } = shape;
  return {
    metadata: {
      name,
      namespace: "default",
      uid: `u-${name}`,
      labels,
      creationTimestamp: ago(age),
      ...(shape.deleting === true ? { deletionTimestamp: ago(1) } : {}),
      ...(shape.cost === undefined
        ? {}
        : { annotations: { "controller.kubernetes.io/pod-deletion-cost": shape.cost } }),
      ...(owner === ""
        ? {}
        : {
            ownerReferences: [
              { apiVersion: "v1", kind: "ReplicationController", name: "x", uid: owner, controller: true },
            ],
          }),
    },
    spec: { containers: [], ...(node === "" ? {} : { nodeName: node }) },
    status: {
      phase,
      ...(shape.readyFor === undefined
        ? {}
        : { conditions: [{ type: "Ready", status: "True", lastTransitionTime: ago(shape.readyFor) }] }),
      ...(shape.restarts === undefined
        ? {}
        : {
            containerStatuses: [
              { name: "c", ready: true, restartCount: shape.restarts, image: "", imageID: "" },
            ],
          }),
    },
  };
}

function rc(replicas: number, status: Partial<ReplicationController["status"]> = {}): ReplicationController {
  return {
    apiVersion: "v1",
    kind: "ReplicationController",
    metadata: { name: "x", namespace: "default", uid: "rc1", generation: 1, resourceVersion: "5" },
    spec: {
      replicas,
      selector: { app: "a" },
      template: { metadata: { labels: { app: "a" } }, spec: { containers: [{ name: "c", image: "i" }] } },
    },
    status: { replicas: 0, ...status },
  };
}

const plan = (of: ReplicationController, pods: Pod[]): readonly Action[] => {
  const { actions } = planReplicas(kind, { owner: of, pods }, { nowMs });
  checkPlan(replicationController, actions);
  return actions;
};
const count = (actions: readonly Action[], what: Action["do"]): number =>
  actions.filter((action) => action.do === what).length;
const deleted = (actions: readonly Action[]): string[] =>
  actions.flatMap((action) => (action.do === "delete" ? [action.name] : [])).sort();

test("creates what is missing, with the template, an owner and a generated name", () => {
  const actions = plan(rc(2), []);
  assert.equal(count(actions, "create"), 2);
  const [first] = actions;
  assert.deepEqual(first?.do === "create" && first.object, {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      generateName: "x-",
      namespace: "default",
      labels: { app: "a" },
      ownerReferences: [
        {
          apiVersion: "v1",
          kind: "ReplicationController",
          name: "x",
          uid: "rc1",
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: { containers: [{ name: "c", image: "i" }] },
  });
});

test("at most 500 in one go, both ways", () => {
  assert.equal(count(plan(rc(2000), []), "create"), 500);
  const many = Array.from({ length: 900 }, (_, i) => pod({ name: `p${i}` }));
  assert.equal(count(plan(rc(0), many), "delete"), 500);
});

test("who counts as a replica", () => {
  const rows: [string, PodShape, number][] = [
    ["a running pod", { name: "p" }, 0],
    ["a pending pod", { name: "p", phase: "Pending", node: "" }, 0],
    ["a failed pod does not", { name: "p", phase: "Failed" }, 1],
    ["a finished pod does not", { name: "p", phase: "Succeeded" }, 1],
    ["a pod being deleted does not", { name: "p", deleting: true }, 1],
    ["another's pod does not", { name: "p", owner: "rc2" }, 1],
    ["a matching orphan does: it is adopted", { name: "p", owner: "" }, 0],
    ["an orphan that does not match does not", { name: "p", owner: "", labels: { app: "b" } }, 1],
    ["its own pod that no longer matches does not: it is released", { name: "p", labels: {} }, 1],
  ];
  for (const [what, shape, creates] of rows)
    assert.equal(count(plan(rc(1), [pod(shape)]), "create"), creates, what);
});

test("adoption and release are strategic patches of the owner references, bound to the pod's uid", () => {
  const actions = plan(rc(1), [pod({ name: "mine", labels: {} }), pod({ name: "orphan", owner: "" })]);
  const patches = actions.flatMap((action) => (action.do === "patch" ? [[action.name, action.patch]] : []));
  assert.deepEqual(patches, [
    ["mine", { metadata: { uid: "u-mine", ownerReferences: [{ $patch: "delete", uid: "rc1" }] } }],
    [
      "orphan",
      {
        metadata: {
          uid: "u-orphan",
          ownerReferences: [
            {
              apiVersion: "v1",
              kind: "ReplicationController",
              name: "x",
              uid: "rc1",
              controller: true,
              blockOwnerDeletion: true,
            },
          ],
        },
      },
    ],
  ]);
});

test("a controller that is being deleted neither creates nor deletes nor adopts", () => {
  const deleting = rc(3);
  deleting.metadata = { ...deleting.metadata, deletionTimestamp: ago(1) };
  const actions = plan(deleting, [pod({ name: "p" }), pod({ name: "o", owner: "" })]);
  assert.deepEqual(
    actions.map((action) => action.do),
    ["status"],
  );
});

test("which pod goes first", () => {
  const rows: [string, PodShape, PodShape][] = [
    ["unassigned", { name: "go", node: "", phase: "Pending" }, { name: "stay", phase: "Pending" }],
    ["pending", { name: "go", phase: "Pending" }, { name: "stay", phase: "Unknown" }],
    ["unknown", { name: "go", phase: "Unknown" }, { name: "stay" }],
    ["not ready", { name: "go" }, { name: "stay", readyFor: 5 }],
    ["lower cost", { name: "go", cost: "-1", readyFor: 9 }, { name: "stay", readyFor: 9 }],
    ["bad cost is zero", { name: "go", cost: "-1" }, { name: "stay", cost: "+7" }],
    ["ready for a shorter time", { name: "go", readyFor: 10 }, { name: "stay", readyFor: 1000 }],
    ["restarts", { name: "go", restarts: 3 }, { name: "stay", restarts: 1 }],
    ["younger", { name: "go", age: 10 }, { name: "stay", age: 5000 }],
  ];
  for (const [what, go, stay] of rows) {
    const pods = [pod({ ...stay, node: stay.node ?? "n2" }), pod({ ...go, node: go.node ?? "n1" })];
    assert.deepEqual(deleted(plan(rc(1), pods)), ["go"], what);
    assert.deepEqual(deleted(plan(rc(1), pods.toReversed())), ["go"], `${what}, the other way round`);
  }
});

test("doubled-up pods go before those alone on a node", () => {
  const pods = [
    pod({ name: "a", node: "n1", readyFor: 9 }),
    pod({ name: "b", node: "n2", readyFor: 9 }),
    pod({ name: "c", node: "n2", readyFor: 9 }),
  ];
  assert.deepEqual(deleted(plan(rc(2), pods)), ["b"]);
});

test("status counts, and is not written when nothing changed", () => {
  const pods = [pod({ name: "a", readyFor: 100 }), pod({ name: "b" })];
  const [action] = plan(rc(2), pods);
  const status = action?.do === "status" && (action.object as ReplicationController).status;
  assert.deepEqual(status, {
    replicas: 2,
    fullyLabeledReplicas: 2,
    readyReplicas: 1,
    availableReplicas: 1,
    observedGeneration: 1,
  });
  assert.deepEqual(plan(rc(2, status as ReplicationController["status"]), pods), []);
});

test("minReadySeconds: available later, and the plan asks to come back then", () => {
  const of = rc(1);
  of.spec = { ...of.spec, minReadySeconds: 30 };
  const { actions, againAfterMs } = planReplicas(
    kind,
    { owner: of, pods: [pod({ name: "a", readyFor: 10 })] },
    { nowMs },
  );
  const status = actions[0]?.do === "status" && (actions[0].object as ReplicationController).status;
  assert.equal(status && status.availableReplicas, undefined);
  assert.equal(againAfterMs, 20_000);
});

test("a refused creation becomes the condition ReplicaFailure, once; success takes it away", () => {
  const input = { owner: rc(1), pods: [] };
  const [create] = plan(rc(1), []);
  assert.ok(create);
  const error = failure(403, "Forbidden", "exceeded quota");
  const failed = { action: create, error, unknown: false };
  const [status] = planReplicaFailure(kind, input, failed, { nowMs });
  const written = status?.do === "status" ? (status.object as ReplicationController).status : undefined;
  assert.deepEqual(written?.conditions, [
    {
      type: "ReplicaFailure",
      status: "True",
      lastTransitionTime: ago(0),
      reason: "FailedCreate",
      message: "exceeded quota",
    },
  ]);
  const again = planReplicaFailure(kind, { owner: rc(1, written), pods: [] }, failed, {
    nowMs: nowMs + 5000,
  });
  assert.deepEqual(again, []);
  const later = plan(rc(1, written), [pod({ name: "a" })]);
  const cleared = later.find((action) => action.do === "status");
  assert.equal(
    cleared?.do === "status" && (cleared.object as ReplicationController).status?.conditions,
    undefined,
  );
});

/** What the server and a kubelet that deletes at once would make of a plan. */
function apply(
  of: ReplicationController,
  pods: Pod[],
  actions: readonly Action[],
): [ReplicationController, Pod[]] {
  let next = [...pods];
  let controller = of;
  for (const [at, action] of actions.entries()) {
    if (action.do === "create") {
      const created = structuredClone(action.object) as Pod;
      const name = `new${at}`;
      next.push({ ...created, metadata: { ...created.metadata, name, uid: `u-${name}` } });
    }
    if (action.do === "delete") next = next.filter((one) => one.metadata?.name !== action.name);
    if (action.do === "status") controller = action.object as ReplicationController;
    if (action.do === "patch")
      next = next.map((one) => (one.metadata?.name === action.name ? owned(one) : one));
  }
  return [controller, next];
}

function owned(one: Pod): Pod {
  const mine = one.metadata?.ownerReferences?.some((owner) => owner.uid === "rc1") === true;
  const reference = {
    apiVersion: "v1",
    kind: "ReplicationController",
    name: "x",
    uid: "rc1",
    controller: true,
  };
  return { ...one, metadata: { ...one.metadata, ownerReferences: mine ? [] : [reference] } };
}

function randomPods(random: Random): Pod[] {
  const pick = <T>(values: readonly T[]): T => values[random.integer(values.length)] as T;
  return Array.from({ length: random.integer(12) }, (_, i) =>
    pod({
      name: `p${i}`,
      owner: pick(["rc1", "rc1", "rc1", "rc2", ""]),
      labels: pick([{ app: "a" }, { app: "a" }, { app: "b" }]),
      node: pick(["", "n1", "n2"]),
      phase: pick(["Pending", "Running", "Running", "Failed", "Succeeded"]),
      ...(random.integer(2) === 0 ? { readyFor: random.integer(1000) } : {}),
      restarts: random.integer(3),
      age: random.integer(5000),
      deleting: random.integer(6) === 0,
    }),
  );
}

test("for any pods: never more than the surplus deleted, settled after a few plans, whatever the order of the list", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = seededRandom(seed);
    const pods = randomPods(random);
    let of = rc(random.integer(8));
    const first = plan(of, pods);
    const active = pods.filter((one) => one.metadata?.deletionTimestamp === undefined);
    const wanted = of.spec?.replicas ?? 0;
    assert.ok(count(first, "delete") <= Math.max(0, active.length - wanted), `seed ${seed}: surplus`);
    assert.ok(count(first, "create") === 0 || count(first, "delete") === 0, `seed ${seed}: both ways`);
    const shuffled = pods.map((one) => [random.next(), one] as const).sort((a, b) => a[0] - b[0]);
    const reordered = plan(
      of,
      shuffled.map(([, one]) => one),
    );
    assert.deepEqual(deleted(reordered), deleted(first), `seed ${seed}: order of the list`);
    let now = pods;
    for (let round = 0; round < 2; round++) [of, now] = apply(of, now, plan(of, now));
    assert.deepEqual(plan(of, now), [], `seed ${seed}: settled`);
  }
});

test("the order of deletion is total", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = seededRandom(seed);
    const pods = randomPods(random);
    const all = podsToDelete(pods, pods.length, nowMs).map((one) => one.metadata?.name);
    const reversed = podsToDelete(pods.toReversed(), pods.length, nowMs).map((one) => one.metadata?.name);
    assert.deepEqual(all, reversed, `seed ${seed}`);
  }
});
