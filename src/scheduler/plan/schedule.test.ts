import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom, type Random } from "#base/random.ts";
import type { Node } from "#machinery/gen/types/core-v1.ts";
import { prepareFilters, refusalOf } from "./filters.ts";
import type { PodInfo } from "./pod-info.ts";
import { planPreemption, unschedulableMessage } from "./preemption.ts";
import { defaultProfile } from "./profile.ts";
import { sampleCluster, sampleNode, samplePod, type NodeShape, type PodSample } from "./sample.ts";
import { feasibleWanted, planSchedule } from "./schedule.ts";
import { Snapshot } from "./snapshot.ts";

const [node, info, cluster] = [sampleNode, samplePod, sampleCluster];
const random = seededRandom(7);

/** Where it goes, or the message up to preemption. */
function outcome(pod: PodInfo, snapshot: Snapshot, workload = true): string {
  const selector = [{ key: "app", operator: "In" as const, values: ["a"] }];
  const plan = planSchedule(pod, snapshot, { random, workload: workload ? selector : undefined });
  return plan.node ?? plan.summary;
}

const spread = (maxSkew: number, whenUnsatisfiable = "DoNotSchedule"): PodSample => ({
  topologySpreadConstraints: [
    {
      maxSkew,
      topologyKey: "zone",
      whenUnsatisfiable,
      labelSelector: { matchLabels: { app: "a" } },
    },
  ],
});

const term = (
  app: string,
): { topologyKey: string; labelSelector: { matchLabels: Record<string, string> } } => ({
  topologyKey: "kubernetes.io/hostname",
  labelSelector: { matchLabels: { app } },
});

test("why a node is refused", () => {
  const rows: [string, NodeShape, PodSample, string][] = [
    ["unschedulable", { unschedulable: true }, {}, "node(s) were unschedulable"],
    ["taint", { taints: [{ key: "k", effect: "NoSchedule" }] }, {}, "node(s) had untolerated taint(s)"],
    ["selector", {}, { nodeSelector: { disk: "ssd" } }, "node(s) didn't match Pod's node affinity/selector"],
    ["cpu", { cpu: "1" }, { cpu: "1500m" }, "Insufficient cpu"],
    ["memory", { memory: "1Gi" }, { memory: "2Gi" }, "Insufficient memory"],
    [
      "both",
      { cpu: "1", memory: "1Gi" },
      { cpu: "2", memory: "2Gi" },
      "Insufficient cpu, 1 Insufficient memory",
    ],
    ["pods", { pods: "0" }, {}, "Too many pods"],
    [
      "spread",
      {},
      spread(1),
      "node(s) didn't match pod topology spread constraints (missing required label)",
    ],
    [
      "affinity",
      {},
      { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term("db")] } } },
      "node(s) didn't match pod affinity rules",
    ],
  ];
  for (const [what, nodeShape, podShape, reason] of rows)
    assert.equal(
      outcome(info(podShape), cluster([node("n1", nodeShape)])),
      `0/1 nodes are available: 1 ${reason}.`,
      what,
    );
  assert.equal(
    outcome(info({ hostPort: 80 }), cluster([node("n1")], [[info({ hostPort: 80 }), "n1"]])),
    "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
  );
});

test("the whole message, reasons sorted by text, with what preemption could do", () => {
  const snapshot = cluster([
    node("n1", { taints: [{ key: "k", effect: "NoSchedule" }] }),
    node("n2", { taints: [{ key: "k", effect: "NoExecute" }] }),
    node("n3", { cpu: "1" }),
  ]);
  snapshot.setPod(info({ cpu: "900m" }), "n3");
  const message = (pod: PodInfo, at: Snapshot): string => {
    const plan = planSchedule(pod, at, { random });
    assert.equal(plan.node, undefined);
    if (plan.node !== undefined || plan.refusals.size === 0) return plan.node ?? plan.summary;
    const context = { snapshot: at, profile: defaultProfile, random, budgets: [] };
    return unschedulableMessage(plan.summary, planPreemption(pod, plan.refusals, context).message);
  };
  assert.equal(
    message(info({ cpu: "500m" }), snapshot),
    "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s). " +
      "no new claims to deallocate, preemption: 0/3 nodes are available: " +
      "1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling.",
  );
  assert.match(
    message(info({ cpu: "500m", preemptionPolicy: "Never" }), snapshot),
    /preemption: not eligible due to preemptionPolicy=Never\.$/,
  );
  assert.equal(message(info(), new Snapshot()), "no nodes available to schedule pods");
});

test("what makes one node better than another", () => {
  const big = { cpu: "16", memory: "32Gi" };
  const rows: [string, Node[], PodSample, (readonly [PodInfo, string])[]][] = [
    ["free room", [node("n1"), node("best", big)], { cpu: "1", memory: "1Gi" }, []],
    [
      "a taint that only warns",
      [node("n1", { taints: [{ key: "k", effect: "PreferNoSchedule" }] }), node("best")],
      {},
      [],
    ],
    [
      "preferred labels",
      [node("n1"), node("best", { labels: { disk: "ssd" } })],
      {
        affinity: {
          nodeAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              {
                weight: 1,
                preference: { matchExpressions: [{ key: "disk", operator: "In", values: ["ssd"] }] },
              },
            ],
          },
        },
      },
      [],
    ],
    [
      "fewer of its kind",
      [node("n1"), node("best")],
      {},
      [
        [info(), "n1"],
        [info({ labels: { app: "b" } }), "best"],
      ],
    ],
    ["the image", [node("n1"), node("best", { images: { "web:v1": 800 * 1024 * 1024 } })], {}, []],
  ];
  for (const [what, nodes, shape, placed] of rows)
    for (let i = 0; i < 4; i++) assert.equal(outcome(info(shape), cluster(nodes, placed)), "best", what);
});

test("affinity: the first of its kind may go anywhere, the next go beside it; anti-affinity works both ways", () => {
  const nodes = [node("n1"), node("n2")];
  const together: PodSample = {
    affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term("a")] } },
  };
  assert.match(outcome(info(together), cluster(nodes)), /^n[12]$/);
  assert.equal(outcome(info(together), cluster(nodes, [[info(), "n2"]])), "n2");
  const apart: PodSample = {
    affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term("a")] } },
  };
  assert.equal(outcome(info(apart), cluster(nodes, [[info(), "n2"]])), "n1");
  assert.equal(outcome(info(), cluster(nodes, [[info(apart), "n2"]])), "n1");
  const full = cluster([node("n1")], [[info(apart), "n1"]]);
  assert.equal(
    outcome(info(), full),
    "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules.",
  );
});

test("spreading over zones keeps to the skew", () => {
  const nodes = [
    node("a1", { labels: { zone: "a" } }),
    node("a2", { labels: { zone: "a" } }),
    node("b1", { labels: { zone: "b" } }),
  ];
  const snapshot = cluster(nodes);
  const counts: Record<string, number> = {};
  for (let i = 0; i < 20; i++) {
    const pod = info(spread(1));
    const at = outcome(pod, snapshot);
    snapshot.setPod(pod, at);
    counts[at.charAt(0)] = (counts[at.charAt(0)] ?? 0) + 1;
    assert.ok(Math.abs((counts["a"] ?? 0) - (counts["b"] ?? 0)) <= 1);
  }
  snapshot.check();
});

test("a spread over at least so many zones counts those that are missing as empty", () => {
  const nodes = ["a", "b"].map((zone) => node(`in-${zone}`, { labels: { zone } }));
  const snapshot = cluster(nodes, [
    [info(), "in-a"],
    [info(), "in-b"],
  ]);
  const over = (minDomains: number): PodSample => ({
    topologySpreadConstraints: [{ ...spread(1).topologySpreadConstraints?.[0], minDomains } as never],
  });
  assert.match(outcome(info(over(2)), snapshot), /^in-/);
  assert.equal(
    outcome(info(over(3)), snapshot),
    "0/2 nodes are available: 2 node(s) didn't match pod topology spread constraints.",
  );
});

test("constraints of the profile hold for whoever names none, among the pods of its workload", () => {
  const hard = { topologyKey: "zone", maxSkew: 1, minDomains: 1, honorsAffinity: true, honorsTaints: false };
  const profile = {
    ...defaultProfile,
    defaultsAreSystem: false,
    defaultConstraints: [{ ...hard, isHard: true }],
  };
  const workload = [{ key: "app", operator: "In" as const, values: ["a"] }];
  const at = (pod: PodInfo, snapshot: Snapshot, selector = workload): string => {
    const plan = planSchedule(pod, snapshot, { random, profile, workload: selector });
    return plan.node ?? plan.summary;
  };
  // In zone a there is room for all; in zone b for one.
  const nodes = [
    node("in-a", { labels: { zone: "a" } }),
    node("in-b", { labels: { zone: "b" }, pods: "1" }),
    node("nowhere"),
  ];
  const snapshot = cluster(nodes);
  const places: string[] = [];
  for (let i = 0; i < 3; i++) {
    const pod = info();
    places.push(at(pod, snapshot));
    snapshot.setPod(pod, places.at(-1) ?? "");
  }
  assert.deepEqual(places.sort(), ["in-a", "in-a", "in-b"]);
  const full =
    "0/3 nodes are available: 1 Too many pods, 1 node(s) didn't match pod topology spread constraints, " +
    "1 node(s) didn't match pod topology spread constraints (missing required label).";
  const next = info();
  assert.equal(at(next, snapshot), full);
  assert.match(at(info(), snapshot, []), /^(in-a|nowhere)$/, "of no workload");
  assert.match(
    at(info({ labels: { app: "b" } }), snapshot, [{ ...workload[0], values: ["b"] } as never]),
    /^in-a$/,
  );
  const own = spread(9, "ScheduleAnyway");
  assert.match(at(info(own), snapshot), /^(in-a|nowhere)$/, "its own constraints come instead");
  snapshot.check();
  // Zone a has room, and yet one of its pods has to leave: the constraint counts for preemption too.
  const crowded = cluster(nodes, [
    [info(), "in-a"],
    [info(), "in-a"],
    [info({ priority: 20 }), "in-b"],
  ]);
  const urgent = info({ priority: 10 });
  const plan = planSchedule(urgent, crowded, { random, profile, workload });
  assert.ok(plan.node === undefined);
  const context = { snapshot: crowded, profile, random, workload, budgets: [] };
  const { preemption } = planPreemption(urgent, plan.refusals, context);
  assert.deepEqual([preemption?.node, preemption?.victims.length], ["in-a", 1]);
  crowded.check();
});

test("what a profile asks of nodes holds for all its pods; resources that it leaves to others are not counted", () => {
  const inZone = (value: string) => ({
    labels: [{ key: "zone", operator: "In" as const, values: [value] }],
    fields: [],
  });
  const profile = {
    ...defaultProfile,
    staticFilters: {
      ...defaultProfile.staticFilters,
      addedNodes: { id: "in a or b", terms: [inZone("a"), inZone("b")] },
    },
    addedPreferredNodes: [{ weight: 100, term: inZone("b") }],
    ignoredResources: new Set(["example.com/left", "group.example"]),
  };
  const snapshot = cluster(["a", "b", "c"].map((zone) => node(`in-${zone}`, { labels: { zone } })));
  const at = (pod: PodInfo): string => {
    const plan = planSchedule(pod, snapshot, { random, profile });
    return plan.node ?? plan.summary;
  };
  assert.equal(at(info()), "in-b");
  assert.equal(
    at(info({ nodeSelector: { zone: "c" } })),
    "0/3 nodes are available: 1 node(s) didn't match scheduler-enforced node affinity, " +
      "2 node(s) didn't match Pod's node affinity/selector.",
  );
  assert.equal(outcome(info({ nodeSelector: { zone: "c" } }), snapshot), "in-c", "another profile");
  assert.equal(at(info({ more: { "example.com/left": "1", "group.example/x": "1" } })), "in-b");
  assert.match(at(info({ more: { "example.com/right": "1" } })), /2 Insufficient example.com\/right/);
});

test("spreading leaves out nodes that the pod cannot use, or that it does not tolerate, as it asks", () => {
  const nodes = [
    node("a", { labels: { zone: "a", disk: "ssd" } }),
    node("b", { labels: { zone: "b" } }),
    node("c", { labels: { zone: "c", disk: "ssd" }, taints: [{ key: "k", effect: "NoSchedule" }] }),
  ];
  const one = (more: object): PodSample => ({
    nodeSelector: { disk: "ssd" },
    topologySpreadConstraints: [{ ...spread(1).topologySpreadConstraints?.[0], ...more } as never],
  });
  const full = "1 node(s) didn't match pod topology spread constraints";
  const refused = `0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, ${full}, 1 node(s) had untolerated taint(s).`;
  const rows: [object, string][] = [
    [{ nodeTaintsPolicy: "Honor" }, "a"],
    [{ nodeTaintsPolicy: "Ignore" }, refused],
    [{ nodeAffinityPolicy: "Ignore", nodeTaintsPolicy: "Honor" }, refused],
  ];
  for (const [more, expected] of rows)
    assert.equal(outcome(info(one(more)), cluster(nodes, [[info(), "a"]])), expected, JSON.stringify(more));
});

test("a pod that names its nodes is compared with no other", () => {
  const named: PodSample = {
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: ["n2"] }] }],
        },
      },
    },
  };
  const snapshot = cluster([node("n1"), node("n2"), node("n3")]);
  assert.equal(outcome(info(named), snapshot), "n2");
  snapshot.setPod(info({ cpu: "4" }), "n2");
  assert.equal(
    outcome(info({ ...named, cpu: "1" }), snapshot),
    "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't satisfy plugin(s) [NodeAffinity].",
  );
});

test("extended resources, hugepages and ephemeral storage have to fit as well", () => {
  const snapshot = cluster([
    node("n1", { more: { "example.com/gpu": "2", "ephemeral-storage": "1Gi" } }),
    node("n2"),
  ]);
  const gpu = (count: string): PodInfo => info({ more: { "example.com/gpu": count } });
  assert.equal(outcome(gpu("2"), snapshot), "n1");
  snapshot.setPod(gpu("1"), "n1");
  assert.equal(outcome(gpu("2"), snapshot), "0/2 nodes are available: 2 Insufficient example.com/gpu.");
  assert.equal(
    outcome(info({ more: { "ephemeral-storage": "2Gi" } }), snapshot),
    "0/2 nodes are available: 2 Insufficient ephemeral-storage.",
  );
});

test("how many nodes are enough to choose from", () => {
  assert.deepEqual(
    [3, 99, 100, 1000, 5000, 10_000].map((nodes) => feasibleWanted(nodes)),
    [3, 99, 100, 420, 500, 500],
  );
});

function randomCluster(rng: Random): { snapshot: Snapshot; nodes: Node[] } {
  const pick = <T>(values: readonly T[]): T => values[rng.integer(values.length)] as T;
  const nodes = Array.from({ length: 1 + rng.integer(6) }, (_, i) =>
    node(`n${i}`, {
      cpu: pick(["1", "2", "4"]),
      memory: pick(["1Gi", "4Gi"]),
      pods: pick(["2", "5", "110"]),
      labels: { zone: pick(["a", "b"]) },
      unschedulable: rng.integer(8) === 0,
      ...(rng.integer(6) === 0 ? { taints: [{ key: "k", effect: "NoSchedule" }] } : {}),
    }),
  );
  return { snapshot: cluster(nodes), nodes };
}

function randomPod(rng: Random): PodInfo {
  const pick = <T>(values: readonly T[]): T => values[rng.integer(values.length)] as T;
  return info({
    cpu: pick(["100m", "500m", "1500m"]),
    memory: pick(["64Mi", "512Mi", "2Gi"]),
    labels: { app: pick(["a", "b"]) },
    ...(rng.integer(4) === 0 ? { hostPort: 80 + rng.integer(2) } : {}),
    ...(rng.integer(4) === 0 ? spread(1 + rng.integer(2), pick(["DoNotSchedule", "ScheduleAnyway"])) : {}),
    ...(rng.integer(5) === 0
      ? { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term("a")] } } }
      : {}),
  });
}

test("whatever comes: no node is over-committed, a refused pod is refused everywhere, counts stay right", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const rng = seededRandom(seed);
    const { snapshot, nodes } = randomCluster(rng);
    const placed: string[] = [];
    for (let step = 0; step < 40; step++) {
      const pod = randomPod(rng);
      const plan = planSchedule(pod, snapshot, { random: rng, startAt: rng.integer(9) });
      if (plan.node === undefined) {
        const prepared = prepareFilters(pod, { snapshot, profile: defaultProfile });
        for (const at of snapshot.nodes)
          assert.ok(refusalOf(pod, at, prepared, defaultProfile), `seed ${seed}: ${at.name} fits`);
      } else {
        snapshot.setPod(pod, plan.node);
        placed.push(pod.uid);
      }
      if (rng.integer(4) === 0 && placed.length > 0)
        snapshot.removePod(placed.splice(rng.integer(placed.length), 1)[0] as string);
      if (rng.integer(15) === 0) snapshot.setNode(nodes[rng.integer(nodes.length)] as Node);
      for (const { requested, allocatable, pods, podsMax } of snapshot.nodes) {
        for (const resource of ["cpu", "memory"] as const)
          assert.ok(requested[resource] <= allocatable[resource], `seed ${seed}: ${resource}`);
        assert.ok(pods.size <= podsMax, `seed ${seed}: pods`);
      }
      snapshot.check();
    }
  }
});

test("a node that goes and comes back keeps its pods' counts", () => {
  const pod = info({ cpu: "1" });
  const snapshot = cluster([node("n1")], [[pod, "n1"]]);
  snapshot.removeNode("n1");
  assert.equal(snapshot.nodes.length, 0);
  snapshot.setNode(node("n1"));
  assert.equal(snapshot.node("n1")?.requested.cpu, 1000);
  snapshot.removePod(pod.uid);
  snapshot.check();
  assert.equal(snapshot.podCount, 0);
});
