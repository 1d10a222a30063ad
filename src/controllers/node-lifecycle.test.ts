import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node, Pod } from "#machinery/gen/types/core-v1.ts";
import type { Action } from "#reconcile/action.ts";
import { ManualClock } from "#base/manual-clock.ts";
import { checkPlan } from "#reconcile/check-plan.ts";
import { evictionRate, observeHeartbeat, wantedTaints, zoneState, type Heartbeat } from "./node-health.ts";
import { nodeLifecycleController, nodeLifecycleDefaults, planNode } from "./node-lifecycle.ts";
import { planEviction, taintEvictionController } from "./taint-eviction.ts";

const nowMs = Date.parse("2026-01-01T12:00:00Z");
const now = "2026-01-01T12:00:00Z";
const controller = nodeLifecycleController({}, () => 0);
const eviction = taintEvictionController(new ManualClock());

function node(
  ready: string | undefined,
  taints: { key: string; effect: string; timeAdded?: string }[] = [],
): Node {
  return {
    metadata: { name: "n1", uid: "u1", resourceVersion: "7", creationTimestamp: "2026-01-01T00:00:00Z" },
    spec: { taints },
    status: {
      conditions:
        ready === undefined
          ? []
          : [{ type: "Ready", status: ready, lastHeartbeatTime: "2026-01-01T11:00:00Z" }],
    },
  };
}
const pod = (ready: string, more: Partial<Pod> = {}): Pod => ({
  metadata: { name: "p", namespace: "d", uid: "up", ...more.metadata },
  spec: { nodeName: "n1", containers: [], ...more.spec },
  status: { conditions: [{ type: "Ready", status: ready }] },
});
const beat = (silentMs: number, isNew = false): Heartbeat => ({
  uid: "u1",
  leaseRenewed: "a",
  statusReported: "b",
  seenMs: 100_000 - silentMs,
  isNew,
});

function plan(
  of: Node,
  silentMs: number,
  pods: Pod[] = [],
  mayEvict = true,
  isNew = false,
): readonly Action[] {
  const input = { node: of, heartbeat: beat(silentMs, isNew), pods, mayEvict, isFirst: false };
  const { actions } = planNode(input, nodeLifecycleDefaults, nowMs, 100_000);
  checkPlan(controller, actions);
  return actions;
}
const taintsOf = (actions: readonly Action[]): unknown =>
  actions.flatMap((action) =>
    action.do === "patch" && action.subresource === undefined
      ? (action.patch as { spec: { taints: { key: string; effect: string }[] | null } }).spec.taints
      : [],
  );

test("a node counts as silent only after the grace period; one that never spoke has a little longer", () => {
  assert.deepEqual(plan(node("True"), 50_000), []);
  assert.equal(plan(node("True"), 50_001)[0]?.do, "patch");
  assert.deepEqual(plan(node(undefined), 60_000, [], true, true), []);
  assert.equal(plan(node(undefined), 60_001, [], true, true).length, 1);
});

test("a silent node: conditions first, with the documented words, and an event", () => {
  const [patch, event] = plan(node("True"), 51_000, [pod("True")]);
  const conditions =
    patch?.do === "patch" && (patch.patch as { status: { conditions: unknown[] } }).status.conditions;
  assert.deepEqual(conditions && conditions.slice(0, 2), [
    {
      type: "Ready",
      status: "Unknown",
      lastHeartbeatTime: "2026-01-01T11:00:00Z",
      reason: "NodeStatusUnknown",
      message: "Kubelet stopped posting node status.",
      lastTransitionTime: now,
    },
    {
      type: "MemoryPressure",
      status: "Unknown",
      lastHeartbeatTime: "2026-01-01T00:00:00Z",
      lastTransitionTime: now,
      reason: "NodeStatusNeverUpdated",
      message: "Kubelet never posted node status.",
    },
  ]);
  assert.equal(event?.do === "event" && event.message, "Node n1 status is now: NodeNotReady");
});

test("then taints, and its pods are not ready any more", () => {
  const silent = node("Unknown");
  for (const type of ["MemoryPressure", "DiskPressure", "PIDPressure"])
    silent.status?.conditions?.push({ type, status: "Unknown" });
  const actions = plan(silent, 60_000, [pod("True"), pod("False", { metadata: { name: "q" } })]);
  assert.deepEqual(taintsOf(actions), [
    { key: "node.kubernetes.io/unreachable", effect: "NoSchedule", timeAdded: now },
    { key: "node.kubernetes.io/unreachable", effect: "NoExecute", timeAdded: now },
  ]);
  const marked = actions.flatMap((action) =>
    action.do === "patch" && action.subresource === "status" ? [action.name] : [],
  );
  assert.deepEqual(marked, ["p"]);
});

test("which taints a node gets", () => {
  const noSchedule = (key: string): object => ({ key: `node.kubernetes.io/${key}`, effect: "NoSchedule" });
  const noExecute = (key: string): object => ({ key: `node.kubernetes.io/${key}`, effect: "NoExecute" });
  const own = { key: "mine", effect: "NoSchedule" };
  const held = (...taints: object[]): { key: string; effect: string }[] =>
    taints as { key: string; effect: string }[];
  const rows: [string, Node, boolean, object[] | undefined][] = [
    ["ready", node("True"), true, undefined],
    ["not ready", node("False"), true, [noSchedule("not-ready"), noExecute("not-ready")]],
    ["silent", node("Unknown"), true, [noSchedule("unreachable"), noExecute("unreachable")]],
    ["silent, evictions held back", node("Unknown"), false, [noSchedule("unreachable")]],
    [
      "ready again",
      node("True", held(own, noSchedule("unreachable"), noExecute("unreachable"))),
      false,
      [own],
    ],
    [
      "from not ready to silent",
      node("Unknown", held(noSchedule("not-ready"), noExecute("not-ready"))),
      false,
      [noSchedule("unreachable"), noExecute("unreachable")],
    ],
  ];
  for (const [what, of, mayEvict, expected] of rows) {
    const taints = wantedTaints(of, nowMs, { mayEvict })?.map(({ key, effect }) => ({ key, effect }));
    assert.deepEqual(taints, expected, what);
  }
  const cordoned = node("True");
  cordoned.spec = { unschedulable: true };
  assert.deepEqual(
    wantedTaints(cordoned, nowMs, { mayEvict: true })?.map(({ key, effect }) => ({ key, effect })),
    [noSchedule("unschedulable")],
  );
});

test("a heartbeat is a change of the lease or of the status, seen by our clock", () => {
  const first = observeHeartbeat(undefined, node("True"), "t1", 10);
  assert.deepEqual([first.seenMs, first.isNew], [10, false]);
  assert.equal(observeHeartbeat(first, node("True"), "t1", 99).seenMs, 10);
  assert.equal(observeHeartbeat(first, node("True"), "t2", 99).seenMs, 99);
  const other = node("True");
  other.metadata = { ...other.metadata, uid: "u2" };
  assert.equal(observeHeartbeat(first, other, "t1", 99).seenMs, 99);
});

test("how fast nodes may be evicted", () => {
  const rates = { normal: 0.1, secondary: 0.01, largeClusterNodes: 50 };
  assert.equal(zoneState(2, 1, 0.55), "Normal");
  assert.equal(zoneState(0, 3, 0.55), "FullDisruption");
  assert.equal(zoneState(2, 3, 0.55), "PartialDisruption");
  assert.equal(zoneState(1, 2, 0.55), "Normal");
  assert.equal(evictionRate("Normal", 3, false, rates), 0.1);
  assert.equal(evictionRate("FullDisruption", 3, true, rates), 0);
  assert.equal(evictionRate("FullDisruption", 3, false, rates), 0.1);
  assert.equal(evictionRate("PartialDisruption", 50, false, rates), 0);
  assert.equal(evictionRate("PartialDisruption", 51, false, rates), 0.01);
});

test("when a pod is evicted", () => {
  const added = (secondsAgo: number): { key: string; effect: string; timeAdded: string } => ({
    key: "node.kubernetes.io/unreachable",
    effect: "NoExecute",
    timeAdded: new Date(nowMs - secondsAgo * 1000).toISOString(),
  });
  const tolerating = (tolerationSeconds?: number): Partial<Pod> => ({
    spec: {
      containers: [],
      tolerations: [
        {
          key: "node.kubernetes.io/unreachable",
          operator: "Exists",
          effect: "NoExecute",
          ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }),
        },
      ],
    },
  });
  const rows: [string, Partial<Pod>, number, "evicted" | number | undefined][] = [
    ["without toleration at once", {}, 0, "evicted"],
    ["tolerated for ever", tolerating(), 9999, undefined],
    ["tolerated for a while", tolerating(300), 100, 200_000],
    ["and no longer", tolerating(300), 300, "evicted"],
    [
      "tolerated for ten seconds since it came",
      { ...tolerating(10), metadata: { creationTimestamp: now } },
      9,
      10_000,
    ],
    ["already going", { ...tolerating(0), metadata: { deletionTimestamp: now } }, 9, undefined],
  ];
  for (const [what, more, secondsAgo, expected] of rows) {
    const { actions, againAfterMs } = planEviction(
      { pod: pod("True", more), taints: [added(secondsAgo)] },
      { nowMs },
    );
    checkPlan(eviction, actions);
    const is = actions.some((action) => action.do === "delete") ? "evicted" : againAfterMs;
    assert.equal(is, expected, what);
  }
  assert.deepEqual(planEviction({ pod: pod("True"), taints: [] }, { nowMs }).actions, []);
});
