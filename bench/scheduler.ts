// The scheduler alone: queue, plan and snapshot without API, at the workloads and sizes of the field's benchmark.
// Beside each stands a floor of the same run: the bare comparison of CPU, memory and pods on as many nodes as a pod of
// the workload is compared with at least (one that is enough to choose from, or every node when none fits).

import { seededRandom } from "#base/random.ts";
import { hintFor } from "#scheduler/plan/hints.ts";
import type { PodInfo } from "#scheduler/plan/pod-info.ts";
import { planPreemption } from "#scheduler/plan/preemption.ts";
import { defaultProfile } from "#scheduler/plan/profile.ts";
import { SchedulingQueue } from "#scheduler/plan/queue.ts";
import { sampleNode, samplePod, type PodSample } from "#scheduler/plan/sample.ts";
import { feasibleWanted, planSchedule } from "#scheduler/plan/schedule.ts";
import { Snapshot } from "#scheduler/plan/snapshot.ts";
import { percentile, short, type Row } from "./stats.ts";

interface Workload {
  readonly name: string;
  /** Pods a second that upstream asks of itself at 5,000 nodes; our aim is twice that. */
  readonly upstream?: number;
  readonly nodes?: readonly number[];
  /** What is there already, for each node. */
  readonly before?: (node: number) => readonly PodSample[];
  readonly pod: (n: number, nodes: number) => PodSample;
  /** A pod leaves for each that comes. */
  readonly churns?: boolean;
  readonly pods?: number;
}

const sizes = [500, 5000];
const zones = ["moon-1", "moon-2", "moon-3"];
const own = { cpu: "100m", memory: "500Mi" };
const hostname = "kubernetes.io/hostname";
const zone = "topology.kubernetes.io/zone";
const term = (topologyKey: string, color: string) => ({
  topologyKey,
  labelSelector: { matchLabels: { color } },
});
const required = (topologyKey: string, color: string) => ({
  requiredDuringSchedulingIgnoredDuringExecution: [term(topologyKey, color)],
});
const preferred = (topologyKey: string, color: string) => ({
  preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: term(topologyKey, color) }],
});

const workloads: readonly Workload[] = [
  { name: "basic", upstream: 680, pod: () => own },
  {
    name: "pods of a DaemonSet",
    upstream: 1100,
    nodes: [15_000],
    pod: (n, nodes) => ({
      ...own,
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              { matchFields: [{ key: "metadata.name", operator: "In", values: [`node-${n % nodes}`] }] },
            ],
          },
        },
      },
    }),
  },
  {
    name: "mixed churn",
    upstream: 710,
    churns: true,
    pod: (n) => ({ ...own, labels: { app: `a${n % 10}` } }),
  },
  {
    name: "preemption",
    upstream: 570,
    before: () => Array.from({ length: 4 }, (_, at) => ({ cpu: "900m", started: at })),
    pod: () => ({ cpu: "3", priority: 10 }),
  },
  {
    name: "node affinity",
    upstream: 220,
    pod: () => ({
      ...own,
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              { matchExpressions: [{ key: zone, operator: "In", values: ["moon-1", "moon-2"] }] },
            ],
          },
        },
      },
    }),
  },
  {
    name: "preferred affinity",
    upstream: 90,
    pod: () => ({ ...own, labels: { color: "red" }, affinity: { podAffinity: preferred(hostname, "red") } }),
  },
  {
    name: "preferred anti-affinity",
    upstream: 90,
    pod: () => ({
      ...own,
      labels: { color: "yellow" },
      affinity: { podAntiAffinity: preferred(hostname, "yellow") },
    }),
  },
  {
    name: "anti-affinity",
    upstream: 60,
    pods: 400,
    pod: () => ({
      ...own,
      labels: { color: "green" },
      affinity: { podAntiAffinity: required(hostname, "green") },
    }),
  },
  {
    name: "affinity",
    upstream: 35,
    pod: () => ({ ...own, labels: { color: "blue" }, affinity: { podAffinity: required(zone, "blue") } }),
  },
  {
    name: "topology spread",
    pod: () => ({
      ...own,
      labels: { color: "blue" },
      topologySpreadConstraints: [
        {
          maxSkew: 5,
          topologyKey: zone,
          whenUnsatisfiable: "DoNotSchedule",
          labelSelector: { matchLabels: { color: "blue" } },
        },
      ],
    }),
  },
  { name: "unschedulable", pod: () => ({ cpu: "9", memory: "500Mi" }) },
  { name: "gated", pod: () => own },
];

const podsPlaced = 2000;
const churned = 500;

function bareComparison(snapshot: Snapshot, info: PodInfo, startAt: number, wanted: number): number {
  const { nodes } = snapshot;
  let found = 0;
  for (let at = 0; at < nodes.length && found < wanted; at++) {
    const node = nodes[(startAt + at) % nodes.length];
    if (node === undefined) break;
    const { requests } = info.shape;
    const { allocatable, requested, pods, podsMax } = node;
    if (
      pods.size < podsMax &&
      requests.cpu <= allocatable.cpu - requested.cpu &&
      requests.memory <= allocatable.memory - requested.memory
    )
      found++;
  }
  return found;
}

function runWorkload(
  { name, upstream, before, pod, churns, pods = podsPlaced }: Workload,
  nodes: number,
): Row {
  const random = seededRandom(1);
  const snapshot = new Snapshot();
  for (let at = 0; at < nodes; at++) {
    const labels = { [zone]: zones[at % zones.length] ?? "" };
    snapshot.setNode(sampleNode(`node-${at}`, { cpu: "4", memory: "32Gi", labels }));
    for (const sample of before?.(at) ?? []) snapshot.setPod(samplePod(sample), `node-${at}`);
  }
  const queue = new SchedulingQueue(hintFor(defaultProfile));
  // Pods with gates wait beside the queue and cost nothing there: the pods that are placed meanwhile are timed.
  for (let at = 0; at < pods; at++) queue.put(samplePod(pod(at, nodes)), 0);
  const placed: { info: PodInfo; node: string }[] = [];
  const eachMs: number[] = [];
  let floorMs = 0;
  let startAt = 0;
  const from = performance.now();
  for (let info = queue.pop(0); info !== undefined; info = queue.pop(0)) {
    const beganMs = performance.now();
    const plan = planSchedule(info, snapshot, { random, startAt });
    startAt = (startAt + plan.evaluated) % nodes;
    if (plan.node === undefined) {
      const context = { snapshot, profile: defaultProfile, random, budgets: [] };
      const { preemption } = planPreemption(info, plan.refusals, context);
      queue.failed(info.uid, plan.refusedBy, 0);
      if (preemption !== undefined) {
        for (const { uid } of preemption.victims) snapshot.removePod(uid);
        snapshot.setPod(info, preemption.node);
        queue.remove(info.uid);
      }
    } else {
      snapshot.setPod(info, plan.node);
      queue.remove(info.uid);
      placed.push({ info, node: plan.node });
      queue.happened({ kind: "pod-assigned", node: snapshot.node(plan.node) }, 0);
    }
    if (churns === true && placed.length > churned) {
      const [gone] = placed.splice(random.integer(placed.length), 1);
      if (gone !== undefined) {
        snapshot.removePod(gone.info.uid);
        queue.happened({ kind: "pod-removed", node: snapshot.node(gone.node) }, 0);
      }
    }
    eachMs.push(performance.now() - beganMs);
    const floorBeganMs = performance.now();
    bareComparison(snapshot, info, startAt, plan.node === undefined ? Infinity : feasibleWanted(nodes));
    floorMs += performance.now() - floorBeganMs;
  }
  const perSecond = pods / ((performance.now() - from - floorMs) / 1000);
  const aim = upstream === undefined ? undefined : 2 * upstream;
  return {
    name: `scheduler alone, ${nodes} nodes, ${name}: pods/s (p50 / p99)`,
    ours: `${short(perSecond)} (${short(percentile(eachMs, 0.5))} / ${short(percentile(eachMs, 0.99))} ms)`,
    peer: `${short(pods / (floorMs / 1000))}`,
    ratio: perSecond / (pods / (floorMs / 1000)),
    ...(aim === undefined || nodes < 5000 ? {} : { aim: `≥ ${aim}`, met: perSecond >= aim }),
  };
}

export function schedulerRows(progress: (text: string) => void): Row[] {
  const rows: Row[] = [];
  for (const workload of workloads)
    for (const nodes of workload.nodes ?? sizes) {
      progress(`${workload.name}, ${nodes} nodes`);
      // The first run warms the code up.
      if (rows.length === 0) runWorkload(workload, nodes);
      rows.push(runWorkload(workload, nodes));
    }
  return rows;
}
