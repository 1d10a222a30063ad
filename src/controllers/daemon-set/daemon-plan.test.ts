// DaemonSets step by step: which nodes have a pod, and how pods are replaced within what may be unavailable or too many.

import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "#base/random.ts";
import type { ControllerRevision, DaemonSet, DaemonSetSpec } from "#machinery/gen/types/apps-v1.ts";
import type { Node, Pod, PodSpec, Taint } from "#machinery/gen/types/core-v1.ts";
import type { KubeObject } from "#machinery/meta.ts";
import type { Action } from "#reconcile/action.ts";
import { checkPlan } from "#reconcile/check-plan.ts";
import { daemonSetController } from "../daemon-set.ts";
import { planDaemonSet } from "./daemon-plan.ts";
import { placementOf, targetOf } from "./placement.ts";

const startMs = Date.parse("2026-01-01T12:00:00Z");
const at = (ms: number): string => new Date(ms).toISOString();

const node = (name: string, labels: Record<string, string> = {}, taints: Taint[] = []): Node => ({
  metadata: { name, labels: { "kubernetes.io/hostname": name, ...labels } },
  spec: { taints },
});

function daemonSet(spec: Partial<DaemonSetSpec> = {}, podSpec: Partial<PodSpec> = {}): DaemonSet {
  return {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: {
      name: "agent",
      namespace: "default",
      uid: "d1",
      generation: 1,
      annotations: { "deprecated.daemonset.template.generation": "1" },
    },
    spec: {
      selector: { matchLabels: { app: "agent" } },
      template: {
        metadata: { labels: { app: "agent" } },
        spec: { containers: [{ name: "c", image: "agent:v1" }], ...podSpec },
      },
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
      revisionHistoryLimit: 10,
      ...spec,
    },
  };
}

class World {
  set: DaemonSet;
  nodes: Node[];
  pods: Pod[] = [];
  revisions: ControllerRevision[] = [];
  events: string[] = [];
  nowMs = startMs;
  serial = 0;
  failedForMs = 0;

  constructor(nodes: number, spec: Partial<DaemonSetSpec> = {}) {
    this.set = daemonSet(spec);
    this.nodes = Array.from({ length: nodes }, (_, i) => node(`n${i}`));
  }

  plan(): readonly Action[] {
    const { set, nodes, pods, revisions, failedForMs } = this;
    const { actions } = planDaemonSet(
      { set, nodes, pods, revisions, failedForMs: () => failedForMs },
      { nowMs: this.nowMs },
    );
    checkPlan(daemonSetController(), actions);
    return actions;
  }

  step(): readonly Action[] {
    const actions = this.plan();
    for (const action of actions) {
      if (action.do === "event") this.events.push(`${action.reason}: ${action.message}`);
      if (action.do === "status") this.set = structuredClone(action.object) as DaemonSet;
      if (action.do === "create") {
        const object = structuredClone(action.object) as KubeObject;
        const name = object.metadata?.name ?? `agent-${this.serial}`;
        object.metadata = {
          ...object.metadata,
          name,
          uid: `u${this.serial}`,
          creationTimestamp: at(startMs + 1000 * this.serial++),
        };
        if (action.ref.kind === "Pod") this.pods.push({ ...(object as Pod), status: { phase: "Pending" } });
        else this.revisions.push(object as ControllerRevision);
      }
      if (action.do === "patch" && action.ref.kind === "ControllerRevision")
        for (const one of this.revisions)
          if (one.metadata?.name === action.name)
            one.revision = (action.patch as { revision: number }).revision;
      if (action.do === "delete" && action.ref.kind === "Pod")
        for (const { metadata } of this.pods)
          if (metadata?.name === action.name) metadata.deletionTimestamp = at(this.nowMs);
    }
    return actions;
  }

  settle(): void {
    for (let round = 0; round < 50; round++) if (this.step().length === 0) return;
    assert.fail("does not settle");
  }

  obey(isReady: (node: string, image: string) => boolean = () => true): void {
    this.pods = this.pods.filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
    for (const pod of this.pods) {
      const target = targetOf(pod) ?? "";
      pod.spec = { ...(pod.spec as PodSpec), nodeName: target };
      const ready = isReady(target, pod.spec.containers[0]?.image ?? "");
      pod.status = {
        phase: "Running",
        conditions: [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime: at(this.nowMs) }],
      };
    }
  }

  finish(): void {
    for (let round = 0; round < 200; round++) {
      this.settle();
      const before = JSON.stringify(this.pods);
      this.obey();
      if (JSON.stringify(this.pods) === before && this.plan().length === 0) return;
    }
    assert.fail("does not finish");
  }

  update(image: string): void {
    const template = { ...this.set.spec?.template, spec: { containers: [{ name: "c", image }] } };
    const generation = (this.set.metadata?.generation ?? 0) + 1;
    this.set = {
      ...this.set,
      metadata: {
        ...this.set.metadata,
        generation,
        annotations: { "deprecated.daemonset.template.generation": String(generation) },
      },
      spec: { ...(this.set.spec as DaemonSetSpec), template },
    };
  }

  where(): string[] {
    return this.pods
      .filter(({ metadata }) => metadata?.deletionTimestamp === undefined)
      .map((pod) => `${targetOf(pod)} ${pod.spec?.containers[0]?.image?.slice(6)}`)
      .sort();
  }
}

test("which nodes run it, and where one that is there may stay", () => {
  const rows: [string, Node, Partial<PodSpec>, boolean, boolean][] = [
    ["any", node("n"), {}, true, true],
    ["a selector that fits", node("n", { disk: "ssd" }), { nodeSelector: { disk: "ssd" } }, true, true],
    ["a selector that does not", node("n"), { nodeSelector: { disk: "ssd" } }, false, false],
    ["a taint", node("n", {}, [{ key: "k", effect: "NoSchedule" }]), {}, false, true],
    ["a taint that evicts", node("n", {}, [{ key: "k", effect: "NoExecute" }]), {}, false, false],
    ["a taint that only warns", node("n", {}, [{ key: "k", effect: "PreferNoSchedule" }]), {}, true, true],
    [
      "not ready",
      node("n", {}, [{ key: "node.kubernetes.io/not-ready", effect: "NoExecute" }]),
      {},
      true,
      true,
    ],
    [
      "cordoned",
      node("n", {}, [{ key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" }]),
      {},
      true,
      true,
    ],
    [
      "no network",
      node("n", {}, [{ key: "node.kubernetes.io/network-unavailable", effect: "NoSchedule" }]),
      {},
      false,
      true,
    ],
    [
      "no network, which it needs not",
      node("n", {}, [{ key: "node.kubernetes.io/network-unavailable", effect: "NoSchedule" }]),
      { hostNetwork: true },
      true,
      true,
    ],
    [
      "tolerated",
      node("n", {}, [{ key: "k", effect: "NoSchedule" }]),
      { tolerations: [{ operator: "Exists" }] },
      true,
      true,
    ],
    ["another by name", node("n"), { nodeName: "m" }, false, false],
  ];
  for (const [what, on, podSpec, shouldRun, mayStay] of rows)
    assert.deepEqual(placementOf(daemonSet({}, podSpec))(on), { shouldRun, mayStay }, what);
});

test("a pod for each node, told to the scheduler by the node's name", () => {
  const world = new World(3);
  world.step();
  const creates = world.step().filter((action) => action.do === "create");
  assert.equal(creates.length, 3);
  const [pod] = world.pods;
  const hash = world.revisions[0]?.metadata?.labels?.["controller.kubernetes.io/hash"];
  assert.deepEqual(pod?.metadata?.labels, {
    app: "agent",
    "controller-revision-hash": hash,
    "pod-template-generation": "1",
  });
  assert.equal(targetOf(pod), "n0");
  assert.ok(pod.spec?.tolerations?.some(({ key }) => key === "node.kubernetes.io/unschedulable"));
  world.finish();
  assert.deepEqual(world.set.status, {
    currentNumberScheduled: 3,
    numberMisscheduled: 0,
    desiredNumberScheduled: 3,
    numberReady: 3,
    observedGeneration: 1,
    updatedNumberScheduled: 3,
    numberAvailable: 3,
  });
});

test("nodes come, change and go", () => {
  const world = new World(2);
  world.finish();
  world.nodes.push(node("n2"));
  world.finish();
  assert.equal(world.where().length, 3);
  world.nodes[0] = node("n0", {}, [{ key: "k", effect: "NoSchedule" }]);
  world.finish();
  assert.equal(world.set.status?.numberMisscheduled, 1, "it may stay");
  world.nodes[0] = node("n0", {}, [{ key: "k", effect: "NoExecute" }]);
  world.finish();
  assert.deepEqual(world.where(), ["n1 v1", "n2 v1"]);
  world.nodes.push(node("n3"));
  world.step();
  world.nodes.pop();
  world.settle();
  assert.deepEqual(world.where(), ["n1 v1", "n2 v1"], "a pod that waits for a node that is gone is deleted");
});

test("a pod that has ended is replaced, one that failed after a while", () => {
  const world = new World(1);
  world.finish();
  const [pod] = world.pods;
  assert.ok(pod);
  pod.status = { phase: "Failed" };
  world.failedForMs = 5000;
  const { actions, againAfterMs } = planDaemonSet(
    {
      set: world.set,
      nodes: world.nodes,
      pods: world.pods,
      revisions: world.revisions,
      failedForMs: () => 5000,
    },
    { nowMs: startMs },
  );
  assert.equal(againAfterMs, 5000);
  assert.ok(actions.every((action) => action.do !== "delete"));
  world.failedForMs = 0;
  world.settle();
  assert.deepEqual(world.events, [
    `FailedDaemonPod: Found failed daemon pod default/${pod.metadata?.name} on node n0, will try to kill it`,
  ]);
  world.finish();
  assert.deepEqual(world.where(), ["n0 v1"]);
});

test("a rolling update takes so many at a time; those that are unavailable anyway go first", () => {
  const world = new World(4, {
    updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 2, maxSurge: 0 } },
  });
  world.finish();
  world.update("agent:v2");
  world.settle();
  assert.equal(world.where().length, 2);
  world.obey();
  world.settle();
  world.obey((_, image) => image === "agent:v1");
  world.settle();
  assert.deepEqual(
    world.where().filter((one) => one.endsWith("v1")).length,
    2,
    "not before the new ones are ready",
  );
  world.finish();
  assert.deepEqual(world.where(), ["n0 v2", "n1 v2", "n2 v2", "n3 v2"]);
  world.obey((name) => name !== "n3");
  world.update("agent:v3");
  world.settle();
  assert.deepEqual(world.where(), ["n1 v2", "n2 v2"], "the one that is not ready, and one more");
});

test("surge: the new pod comes first, the old one goes when it is available", () => {
  const world = new World(3, {
    updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
  });
  world.finish();
  world.update("agent:v2");
  world.settle();
  assert.equal(world.where().length, 4);
  world.obey((_, image) => image === "agent:v1");
  world.settle();
  assert.equal(world.where().length, 4, "not before the new one is ready");
  world.finish();
  assert.deepEqual(world.where(), ["n0 v2", "n1 v2", "n2 v2"]);
});

test("OnDelete: a node gets the new template when somebody deletes the old pod", () => {
  const world = new World(2, { updateStrategy: { type: "OnDelete" } });
  world.finish();
  world.update("agent:v2");
  world.finish();
  assert.deepEqual(world.where(), ["n0 v1", "n1 v1"]);
  world.pods = world.pods.filter((pod) => targetOf(pod) !== "n1");
  world.finish();
  assert.deepEqual(world.where(), ["n0 v1", "n1 v2"]);
});

test("of two on one node the older stays", () => {
  const world = new World(1);
  world.finish();
  const [pod] = world.pods;
  world.pods.push(
    structuredClone({
      ...pod,
      metadata: { ...pod?.metadata, name: "late", uid: "late", creationTimestamp: at(startMs + 99_000) },
    }) as Pod,
  );
  world.settle();
  assert.equal(
    world.pods.find(({ metadata }) => metadata?.deletionTimestamp !== undefined)?.metadata?.name,
    "late",
  );
});

test("one that is being deleted makes nothing: the collector has taken it", () => {
  const world = new World(2);
  world.finish();
  world.set.metadata = { ...world.set.metadata, deletionTimestamp: at(startMs) };
  [world.pods, world.revisions] = [[], []];
  assert.deepEqual(world.plan(), []);
});

test("whatever the kubelets do: never more unavailable than may be, one pod a node, and it settles", () => {
  for (let seed = 1; seed <= 100; seed++) {
    const random = seededRandom(seed);
    const most = 1 + random.integer(3);
    const world = new World(1 + random.integer(6), {
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: most, maxSurge: 0 } },
    });
    world.finish();
    for (let step = 0; step < 20; step++) {
      if (random.integer(4) === 0) world.update(`agent:v${random.integer(3)}`);
      const readyBefore = world.pods.filter(
        ({ status }) => status?.conditions?.[0]?.status === "True",
      ).length;
      world.step();
      const ready = world.pods.filter(
        ({ status, metadata }) =>
          status?.conditions?.[0]?.status === "True" && metadata?.deletionTimestamp === undefined,
      ).length;
      assert.ok(
        ready >= Math.min(readyBefore, world.nodes.length - most),
        `seed ${seed}: ${ready} of ${world.nodes.length}`,
      );
      if (random.integer(2) === 0) world.obey(() => random.integer(4) > 0);
    }
    world.finish();
    assert.equal(new Set(world.where()).size, world.nodes.length, `seed ${seed}`);
  }
});
