// What a budget allows, in tables; and evictions that do not happen.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PodDisruptionBudgets, Pods } from "#client/refs.ts";
import type { Pod } from "#machinery/gen/types/core-v1.ts";
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from "#machinery/gen/types/policy-v1.ts";
import { checkPlan } from "#reconcile/check-plan.ts";
import type { Plan } from "#reconcile/controller.ts";
import { planBudget, type BudgetInput, type Wanted } from "./budget-plan.ts";
import { planStaleTarget } from "./stale-target.ts";

const nowMs = Date.parse("2026-06-01T12:00:00Z");
const header = { name: "disruption", owns: [], writes: [PodDisruptionBudgets, Pods] };

const pod = (name: string, isReady = true, metadata: object = {}): Pod => ({
  metadata: {
    name,
    namespace: "default",
    labels: { app: "web" },
    ownerReferences: [
      { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web", uid: "rs", controller: true },
    ],
    ...metadata,
  },
  status: { phase: "Running", conditions: [{ type: "Ready", status: isReady ? "True" : "False" }] },
});
const pods = (count: number, ready = count): Pod[] =>
  Array.from({ length: count }, (_, at) => pod(`p${at}`, at < ready));
const budget = (spec: object, status?: object): PodDisruptionBudget => ({
  metadata: { name: "b", namespace: "default", generation: 3 },
  spec: { selector: { matchLabels: { app: "web" } }, ...spec },
  status: { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0, ...status },
});
const wants = (replicas: number): ReadonlyMap<string, Wanted> => new Map([["rs", { uid: "dep", replicas }]]);

function plan(input: Partial<BudgetInput> & { budget: PodDisruptionBudget }): Plan {
  const made = planBudget({ pods: [], wantedBy: wants(0), ...input }, nowMs);
  checkPlan(header, made.actions);
  return made;
}
const statusOf = ({ actions }: Plan): PodDisruptionBudgetStatus | undefined => {
  const found = actions.find((action) => action.do === "status");
  return found?.do === "status" ? (found.object as PodDisruptionBudget).status : undefined;
};
const eventsOf = ({ actions }: Plan): string[] =>
  actions.flatMap((action) =>
    action.do === "event" ? [`${action.type} ${action.reason}: ${action.message}`] : [],
  );

/** Numbers: expected, desired, healthy, allowed. */
const cases: readonly (readonly [
  name: string,
  spec: object,
  pods: readonly Pod[],
  wanted: number,
  numbers: readonly [number, number, number, number],
  reason: string,
])[] = [
  ["at least two of three", { minAvailable: 2 }, pods(3), 3, [3, 2, 3, 1], "SufficientPods"],
  [
    "at least two, of which one is missing",
    { minAvailable: 2 },
    pods(3, 2),
    3,
    [3, 2, 2, 0],
    "InsufficientPods",
  ],
  ["at least more than there are", { minAvailable: 5 }, pods(3), 3, [3, 5, 3, 0], "InsufficientPods"],
  [
    "a number counts the pods that there are",
    { minAvailable: 1 },
    pods(2),
    9,
    [2, 1, 2, 1],
    "SufficientPods",
  ],
  ["none need be there", { minAvailable: 0 }, pods(2), 2, [2, 0, 2, 2], "SufficientPods"],
  ["half of three is two", { minAvailable: "50%" }, pods(3), 3, [3, 2, 3, 1], "SufficientPods"],
  ["a share is of what is wanted", { minAvailable: "50%" }, pods(3), 10, [10, 5, 3, 0], "InsufficientPods"],
  ["at most one away", { maxUnavailable: 1 }, pods(3), 3, [3, 2, 3, 1], "SufficientPods"],
  ["at most one away, and one is", { maxUnavailable: 1 }, pods(3, 2), 3, [3, 2, 2, 0], "InsufficientPods"],
  ["at most a third away, rounded up", { maxUnavailable: "30%" }, pods(4), 4, [4, 2, 4, 2], "SufficientPods"],
  ["at most more than there are", { maxUnavailable: 9 }, pods(2), 2, [2, 0, 2, 2], "SufficientPods"],
  [
    "what is being deleted is not healthy",
    { minAvailable: 1 },
    [pod("a"), pod("b", true, { deletionTimestamp: "2026-06-01T11:59:00Z" })],
    2,
    [2, 1, 1, 0],
    "InsufficientPods",
  ],
];
for (const [name, spec, given, wanted, numbers, reason] of cases)
  test(`budget: ${name}`, () => {
    const made = plan({ budget: budget(spec), pods: given, wantedBy: wants(wanted) });
    const {
      expectedPods,
      desiredHealthy,
      currentHealthy,
      disruptionsAllowed,
      conditions,
      observedGeneration,
    } = statusOf(made) ?? {};
    assert.deepEqual([expectedPods, desiredHealthy, currentHealthy, disruptionsAllowed], numbers);
    assert.equal(observedGeneration, 3);
    assert.deepEqual(conditions, [
      {
        type: "DisruptionAllowed",
        status: reason === "SufficientPods" ? "True" : "False",
        observedGeneration: 3,
        lastTransitionTime: "2026-06-01T12:00:00Z",
        reason,
        message: "",
      },
    ]);
    const again = plan({
      budget: budget(spec, statusOf(made)),
      pods: [...given].reverse(),
      wantedBy: wants(wanted),
    });
    assert.deepEqual(again.actions, []);
  });

test("owners that cannot be asked: nothing is allowed, and it is told once why", () => {
  const [one] = pods(1) as [Pod];
  const old = budget({ maxUnavailable: 1 }, { disruptionsAllowed: 1, currentHealthy: 1 });
  const gone = plan({ budget: old, pods: [one], wantedBy: new Map() });
  const why = 'found no controllers for pod "p0"';
  assert.deepEqual(eventsOf(gone), [
    `Warning NoControllers: ${why}`,
    `Warning CalculateExpectedPodCountFailed: Failed to calculate the number of expected pods: ${why}`,
  ]);
  const status = statusOf(gone);
  assert.deepEqual([status?.disruptionsAllowed, status?.currentHealthy], [0, 1]);
  const [condition] = status?.conditions ?? [];
  assert.deepEqual([condition?.status, condition?.reason, condition?.message], ["False", "SyncFailed", why]);
  const again = plan({ budget: budget({ maxUnavailable: 1 }, status), pods: [one], wantedBy: new Map() });
  assert.deepEqual(again.actions, []);
  assert.ok(again.againAfterMs !== undefined);
  const error = "racks.example.com does not implement the scale subresource";
  const other = plan({ budget: old, pods: [one], wantedBy: new Map([["rs", { error }]]) });
  assert.equal(statusOf(other)?.conditions?.[0]?.message, error);
});

test("pods of nobody count by number only; no pods at all are told of", () => {
  const lonely = [pod("a", true, { ownerReferences: [] })];
  const share = plan({ budget: budget({ maxUnavailable: 1 }), pods: lonely });
  assert.deepEqual([statusOf(share)?.expectedPods, statusOf(share)?.disruptionsAllowed], [0, 0]);
  assert.match(eventsOf(share)[0] ?? "", /^Warning UnmanagedPods: Pods selected by .*selector: app=web\)/);
  assert.equal(statusOf(plan({ budget: budget({ minAvailable: 0 }), pods: lonely }))?.disruptionsAllowed, 1);
  assert.deepEqual(eventsOf(plan({ budget: budget({ minAvailable: 1 }) })), [
    "Normal NoPods: No matching pods found",
  ]);
});

test("evictions are counted until they are seen, or for two minutes", () => {
  const disruptedPods = {
    p0: "2026-06-01T11:59:00Z",
    p1: "2026-06-01T11:50:00Z",
    p2: "2026-06-01T11:59:50Z",
    gone: "2026-06-01T11:59:50Z",
  };
  const given = pods(5);
  given[2] = pod("p2", true, { deletionTimestamp: "2026-06-01T11:59:55Z" });
  const made = plan({ budget: budget({ minAvailable: 1 }, { disruptedPods }), pods: given });
  const status = statusOf(made);
  assert.deepEqual(status?.disruptedPods, { p0: "2026-06-01T11:59:00Z" });
  assert.deepEqual([status?.currentHealthy, status?.disruptionsAllowed], [3, 2]);
  assert.deepEqual(eventsOf(made), [
    "Warning NotDeleted: Pod was expected by PDB default/b to be deleted but it wasn't",
  ]);
  assert.equal(made.againAfterMs, 60_000);
});

test("a mark that nobody follows is cleared after two minutes", () => {
  const marked = (since: string, more: object = {}): Pod => ({
    metadata: { name: "a", namespace: "default", uid: "u", resourceVersion: "7", ...more },
    status: {
      phase: "Running",
      conditions: [
        {
          type: "DisruptionTarget",
          status: "True",
          reason: "EvictionByEvictionAPI",
          lastTransitionTime: since,
        },
      ],
    },
  });
  assert.deepEqual(planStaleTarget(marked("2026-06-01T11:59:00Z"), nowMs), {
    actions: [],
    againAfterMs: 60_000,
  });
  const { actions } = planStaleTarget(marked("2026-06-01T11:58:00Z"), nowMs);
  checkPlan(header, actions);
  assert.deepEqual(
    actions.map((action) => action.do === "patch" && [action.subresource, action.patch]),
    [
      [
        "status",
        {
          metadata: { uid: "u", resourceVersion: "7" },
          status: {
            conditions: [
              {
                type: "DisruptionTarget",
                status: "False",
                reason: null,
                message: null,
                lastTransitionTime: "2026-06-01T12:00:00Z",
              },
            ],
          },
        },
      ],
    ],
  );
  const leaving = { deletionTimestamp: "2026-06-01T11:59:00Z" };
  assert.deepEqual(planStaleTarget(marked("2026-06-01T11:00:00Z", leaving), nowMs).actions, []);
});
