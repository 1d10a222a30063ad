// Who is evicted for whom: as few as possible, the least important, those that budgets forbid last.

import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "#base/random.ts";
import type { Node } from "#machinery/gen/types/core-v1.ts";
import type { PodInfo } from "./pod-info.ts";
import { planPreemption, type Budget } from "./preemption.ts";
import { defaultProfile } from "./profile.ts";
import { sampleCluster, sampleNode, samplePod, type PodSample } from "./sample.ts";
import { planSchedule } from "./schedule.ts";
import type { NodeInfo, Snapshot } from "./snapshot.ts";

const random = seededRandom(3);

function outcome(pod: PodInfo, snapshot: Snapshot, budgets: readonly Budget[] = []): string {
  const plan = planSchedule(pod, snapshot, { random });
  if (plan.node !== undefined) return `fits ${plan.node}`;
  const context = { snapshot, profile: defaultProfile, random, budgets };
  const { preemption, message } = planPreemption(pod, plan.refusals, context);
  snapshot.check();
  if (preemption === undefined) return message ?? "";
  return `${preemption.node}: ${preemption.victims.map(({ name }) => name).join(" ")}`;
}

const pod = (name: string, priority: number, cpu: string, more: PodSample = {}): PodInfo =>
  samplePod({ name, priority, cpu, ...more });
const important = (cpu: string, more: PodSample = {}): PodInfo => pod("important", 100, cpu, more);
const budget = (app: string, disruptionsAllowed: number): Budget => ({
  namespace: "default",
  selector: [{ key: "app", operator: "In", values: [app] }],
  disruptionsAllowed,
  disrupted: new Set(),
});
const two = [sampleNode("n1", { cpu: "2" }), sampleNode("n2", { cpu: "2" })];
const one = [sampleNode("n1", { cpu: "2" })];

type Placed = readonly (readonly [PodInfo, string])[];
const rows: [string, readonly Node[], Placed, PodInfo, string, Budget[]?][] = [
  ["the only one", one, [[pod("a", 0, "2"), "n1"]], important("1"), "n1: a"],
  [
    "as few as possible, the least important",
    one,
    [
      [pod("a", 5, "1"), "n1"],
      [pod("b", 1, "1"), "n1"],
    ],
    important("1"),
    "n1: b",
  ],
  [
    "of two alike, who started last",
    one,
    [
      [pod("old", 1, "1", { started: 10 }), "n1"],
      [pod("new", 1, "1", { started: 20 }), "n1"],
    ],
    important("1"),
    "n1: new",
  ],
  [
    "where the most important victim is the least important",
    two,
    [
      [pod("a", 9, "2"), "n1"],
      [pod("b", 3, "2"), "n2"],
    ],
    important("1"),
    "n2: b",
  ],
  [
    "where fewer are evicted, their importance being the same in sum",
    two,
    [
      [pod("a", 0, "1"), "n1"],
      [pod("b", 0, "1"), "n1"],
      [pod("c", 0, "2"), "n2"],
    ],
    important("2"),
    "n2: c",
  ],
  [
    "where victims started later",
    two,
    [
      [pod("a", 0, "2", { started: 10 }), "n1"],
      [pod("b", 0, "2", { started: 30 }), "n2"],
    ],
    important("2"),
    "n2: b",
  ],
  [
    "where no budget forbids it",
    two,
    [
      [pod("a", 0, "2", { labels: { app: "db" } }), "n1"],
      [pod("b", 50, "2", { labels: { app: "web" } }), "n2"],
    ],
    important("2"),
    "n2: b",
    [budget("db", 0)],
  ],
  [
    "against a budget, if there is no other way",
    one,
    [[pod("a", 0, "2", { labels: { app: "db" } }), "n1"]],
    important("2"),
    "n1: a",
    [budget("db", 0)],
  ],
  [
    "whom a budget protects stays, on the same node",
    one,
    [
      [pod("a", 0, "1", { labels: { app: "db" } }), "n1"],
      [pod("b", 50, "1", { labels: { app: "web" } }), "n1"],
    ],
    important("1"),
    "n1: b",
    [budget("db", 0)],
  ],
  [
    "nobody of the same importance",
    one,
    [[pod("a", 100, "2"), "n1"]],
    important("1"),
    "0/1 nodes are available: 1 No preemption victims found for incoming pod.",
  ],
  [
    "nobody, when it would not help",
    [sampleNode("n1", { cpu: "2", taints: [{ key: "k", effect: "NoSchedule" }] })],
    [[pod("a", 0, "2"), "n1"]],
    important("1"),
    "0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
  ],
  [
    "nobody, when the node is too small empty",
    one,
    [[pod("a", 0, "2"), "n1"]],
    important("3"),
    "0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
  ],
  [
    "who holds the port",
    one,
    [
      [pod("a", 0, "100m", { hostPort: 80 }), "n1"],
      [pod("b", 0, "100m"), "n1"],
    ],
    important("1", { hostPort: 80 }),
    "n1: a",
  ],
  [
    "who refuses it as a neighbour",
    one,
    [
      [
        pod("a", 0, "100m", {
          affinity: {
            podAntiAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: [
                {
                  topologyKey: "kubernetes.io/hostname",
                  labelSelector: { matchLabels: { app: "important" } },
                },
              ],
            },
          },
        }),
        "n1",
      ],
      [pod("b", 0, "100m"), "n1"],
    ],
    important("1", { labels: { app: "important" } }),
    "n1: a",
  ],
  [
    "nobody while the node that it was promised is being cleared",
    one,
    [
      [
        pod("a", 0, "2", {
          terminating: true,
          status: {
            conditions: [{ type: "DisruptionTarget", status: "True", reason: "PreemptionByScheduler" }],
          },
        }),
        "n1",
      ],
    ],
    important("1", { status: { nominatedNodeName: "n1" } }),
    "not eligible due to a terminating pod on the nominated node.",
  ],
];

for (const [title, nodes, placed, preemptor, expected, budgets] of rows)
  test(`preemption: ${title}`, () =>
    assert.equal(outcome(preemptor, sampleCluster(nodes, placed), budgets), expected));

test("a node that was promised to a pod is not given to one that is less important, but to one that is more", () => {
  const snapshot = sampleCluster(one);
  snapshot.nominate(pod("promised", 50, "2"), "n1");
  assert.equal(
    outcome(pod("less", 10, "1"), snapshot),
    "0/1 nodes are available: 1 No preemption victims found for incoming pod.",
  );
  assert.equal(outcome(important("2"), snapshot), "fits n1");
  assert.equal(
    outcome(pod("promised", 50, "2", { status: { nominatedNodeName: "n1" } }), snapshot),
    "fits n1",
  );
});

test("whatever comes: after the eviction the pod fits, nobody as important goes, and nobody goes for nothing", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const rng = seededRandom(seed);
    const pick = <T>(values: readonly T[]): T => values[rng.integer(values.length)] as T;
    const nodes = Array.from({ length: 1 + rng.integer(4) }, (_, at) =>
      sampleNode(`n${at}`, { cpu: pick(["1", "2", "4"]), labels: { zone: pick(["a", "b"]) } }),
    );
    const snapshot = sampleCluster(nodes);
    for (let at = 0; at < 12; at++) {
      const placed = samplePod({
        priority: rng.integer(4),
        cpu: pick(["250m", "500m", "1"]),
        labels: { app: pick(["a", "b"]) },
      });
      const plan = planSchedule(placed, snapshot, { random: rng });
      if (plan.node !== undefined) snapshot.setPod(placed, plan.node);
    }
    const spread = {
      topologySpreadConstraints: [
        { maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "DoNotSchedule", labelSelector: {} },
      ],
    };
    const preemptor = samplePod({
      priority: 2,
      cpu: pick(["1", "2"]),
      ...(rng.integer(2) === 0 ? spread : {}),
    });
    const plan = planSchedule(preemptor, snapshot, { random: rng });
    if (plan.node !== undefined) continue;
    const budgets = [budget("a", rng.integer(2))];
    const context = { snapshot, profile: defaultProfile, random: rng, budgets };
    const { preemption } = planPreemption(preemptor, plan.refusals, context);
    snapshot.check();
    if (preemption === undefined) continue;
    const { node, victims } = preemption;
    assert.ok(
      victims.every(({ priority }) => priority < 2),
      `seed ${seed}: as important`,
    );
    const fitsWithout = (gone: readonly PodInfo[]): boolean => {
      for (const { uid } of gone) snapshot.removePod(uid);
      const after = planSchedule(preemptor, snapshot, { random: rng });
      const refused =
        after.node === undefined && after.refusals.get(snapshot.node(node) as NodeInfo) !== undefined;
      for (const victim of gone) snapshot.setPod(victim, node);
      return !refused;
    };
    assert.ok(fitsWithout(victims), `seed ${seed}: does not fit after all`);
    for (const kept of victims)
      assert.ok(
        !fitsWithout(victims.filter((victim) => victim !== kept)),
        `seed ${seed}: ${kept.name} for nothing`,
      );
  }
});
