// What makes one node better than another: each score alone, then what the default profile makes of them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultProfile, type Profile, type ScoreName, type ScoringStrategy } from "./profile.ts";
import { scoreOnShape } from "./resource-scores.ts";
import { sampleCluster, sampleNode, samplePod, type PodSample } from "./sample.ts";
import { scoreNodes } from "./scores.ts";
import type { Snapshot } from "./snapshot.ts";

function scores(name: ScoreName, pod: PodSample, snapshot: Snapshot, more: Partial<Profile> = {}): number[] {
  const profile = { ...defaultProfile, ...more, weights: new Map([[name, 1]]) };
  return scoreNodes(samplePod(pod), snapshot.nodes, { snapshot, profile, workload: undefined });
}

const term = (app: string, more: object = {}) => ({
  topologyKey: "zone",
  labelSelector: { matchLabels: { app } },
  ...more,
});
const weighted = (weight: number, app: string, more: object = {}) => ({
  preferredDuringSchedulingIgnoredDuringExecution: [{ weight, podAffinityTerm: term(app, more) }],
});
const inZones = ["a", "b"].map((zone) => sampleNode(`in-${zone}`, { labels: { zone } }));
const resources = [
  { name: "cpu", weight: 1 },
  { name: "memory", weight: 1 },
];

test("room: least, most, and by a shape", () => {
  const snapshot = sampleCluster(
    [sampleNode("empty", { cpu: "4", memory: "4Gi" }), sampleNode("used", { cpu: "4", memory: "4Gi" })],
    [[samplePod({ cpu: "2", memory: "2Gi" }), "used"]],
  );
  const pod = { cpu: "1", memory: "1Gi" };
  const strategy = (one: ScoringStrategy): number[] =>
    scores("NodeResourcesFit", pod, snapshot, { strategy: one });
  assert.deepEqual(strategy({ type: "LeastAllocated", resources }), [75, 25]);
  assert.deepEqual(strategy({ type: "MostAllocated", resources }), [25, 75]);
  const shape = [
    { utilization: 0, score: 0 },
    { utilization: 100, score: 10 },
  ];
  assert.deepEqual(strategy({ type: "RequestedToCapacityRatio", resources, shape }), [25, 75]);
  const cpuAlone = [{ name: "cpu", weight: 3 }];
  assert.deepEqual(strategy({ type: "LeastAllocated", resources: cpuAlone }), [75, 25]);
});

test("a shape is straight between its points, and flat beyond", () => {
  const shape = [
    { utilization: 20, score: 0 },
    { utilization: 60, score: 100 },
    { utilization: 100, score: 50 },
  ];
  const at = [0, 20, 40, 60, 80, 100, 120].map((utilization) => scoreOnShape(shape, utilization));
  assert.deepEqual(at, [0, 0, 50, 100, 75, 50, 50]);
});

test("balance: CPU and memory used in like proportion", () => {
  const snapshot = sampleCluster([
    sampleNode("even", { cpu: "4", memory: "4Gi" }),
    sampleNode("skewed", { cpu: "2", memory: "8Gi" }),
  ]);
  assert.deepEqual(
    scores("NodeResourcesBalancedAllocation", { cpu: "2", memory: "2Gi" }, snapshot),
    [100, 62],
  );
  assert.deepEqual(scores("NodeResourcesBalancedAllocation", {}, snapshot), [0, 0], "asks for nothing");
});

test("neighbours: what the pod prefers, and what those that are there prefer", () => {
  const rows: [string, PodSample, PodSample, number[], Partial<Profile>?][] = [
    ["drawn to", { affinity: { podAffinity: weighted(5, "db") } }, { labels: { app: "db" } }, [100, 0]],
    ["kept from", { affinity: { podAntiAffinity: weighted(5, "db") } }, { labels: { app: "db" } }, [0, 100]],
    ["drawn by", { labels: { app: "x" } }, { affinity: { podAffinity: weighted(1, "x") } }, [100, 0]],
    ["kept away by", { labels: { app: "x" } }, { affinity: { podAntiAffinity: weighted(1, "x") } }, [0, 100]],
    [
      "who requires it",
      { labels: { app: "x" } },
      { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term("x")] } } },
      [100, 0],
    ],
    [
      "who requires it, which the profile says counts for nothing",
      { labels: { app: "x" } },
      { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term("x")] } } },
      [0, 0],
      { hardPodAffinityWeight: 0 },
    ],
    [
      "those that are there, which the profile ignores",
      { labels: { app: "x" } },
      { affinity: { podAffinity: weighted(1, "x") } },
      [0, 0],
      { ignorePreferredTermsOfExistingPods: true },
    ],
    [
      "another namespace",
      { affinity: { podAffinity: weighted(5, "db") } },
      { labels: { app: "db" }, namespace: "other" },
      [0, 0],
    ],
    [
      "another namespace by its name",
      { affinity: { podAffinity: weighted(5, "db", { namespaces: ["other"] }) } },
      { labels: { app: "db" }, namespace: "other" },
      [100, 0],
    ],
    [
      "another namespace by its labels",
      {
        affinity: {
          podAffinity: weighted(5, "db", { namespaceSelector: { matchLabels: { team: "blue" } } }),
        },
      },
      { labels: { app: "db" }, namespace: "other" },
      [100, 0],
    ],
    [
      "every namespace",
      { affinity: { podAffinity: weighted(5, "db", { namespaceSelector: {} }) } },
      { labels: { app: "db" }, namespace: "other" },
      [100, 0],
    ],
    [
      "only of the same version",
      {
        labels: { app: "a", v: "2" },
        affinity: { podAffinity: weighted(5, "db", { matchLabelKeys: ["v"] }) },
      },
      { labels: { app: "db", v: "1" } },
      [0, 0],
    ],
  ];
  for (const [what, pod, there, expected, profile] of rows) {
    const snapshot = sampleCluster(inZones);
    snapshot.setNamespace("other", { team: "blue" });
    snapshot.setPod(samplePod(there), "in-a");
    assert.deepEqual(scores("InterPodAffinity", pod, snapshot, profile), expected, what);
    snapshot.check();
  }
});

test("a namespace that changes its labels is seen at once", () => {
  const snapshot = sampleCluster(inZones, [
    [samplePod({ labels: { app: "db" }, namespace: "other" }), "in-a"],
  ]);
  const pod = {
    affinity: { podAffinity: weighted(5, "db", { namespaceSelector: { matchLabels: { team: "blue" } } }) },
  };
  assert.deepEqual(scores("InterPodAffinity", pod, snapshot), [0, 0]);
  snapshot.setNamespace("other", { team: "blue" });
  assert.deepEqual(scores("InterPodAffinity", pod, snapshot), [100, 0]);
  snapshot.removeNamespace("other");
  assert.deepEqual(scores("InterPodAffinity", pod, snapshot), [0, 0]);
});

test("a node that changes its zone takes its pods along", () => {
  const snapshot = sampleCluster(inZones, [[samplePod({ labels: { app: "db" } }), "in-a"]]);
  const pod = { affinity: { podAffinity: weighted(5, "db") } };
  assert.deepEqual(scores("InterPodAffinity", pod, snapshot), [100, 0]);
  snapshot.setNode(sampleNode("new-in-b", { labels: { zone: "b" } }));
  snapshot.setNode(sampleNode("in-a", { labels: { zone: "c" } }));
  snapshot.check();
  const byName = new Map(
    snapshot.nodes.map(({ name }, at) => [name, scores("InterPodAffinity", pod, snapshot)[at]]),
  );
  assert.deepEqual(Object.fromEntries(byName), { "in-a": 100, "in-b": 0, "new-in-b": 0 });
});

test("spreading by preference: fewer alike in the domain is better, a node without the label is worst", () => {
  const snapshot = sampleCluster(
    [...inZones, sampleNode("nowhere")],
    [
      [samplePod(), "in-a"],
      [samplePod(), "in-a"],
    ],
  );
  const constraint = {
    maxSkew: 1,
    topologyKey: "zone",
    whenUnsatisfiable: "ScheduleAnyway",
    labelSelector: { matchLabels: { app: "a" } },
  };
  assert.deepEqual(
    scores("PodTopologySpread", { topologySpreadConstraints: [constraint] }, snapshot),
    [0, 100, 0],
  );
});
