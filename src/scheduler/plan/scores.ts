// Which of the nodes that can take a pod is best: each score from 0 to 100, weighted as in the default profile.

import type { Selector } from "#machinery/selectors.ts";
import { isTolerated } from "#resources/core/pod/tolerations.ts";
import { termMatches } from "./node-matching.ts";
import type { PodInfo } from "./pod-info.ts";
import type { NodeInfo, Snapshot } from "./snapshot.ts";
import { constraintsOf, type Constraint } from "./spreading.ts";

const scoreMax = 100;

export interface ScoreContext {
  readonly snapshot: Snapshot;
  /** What the Services and the controller of the pod select: pods like it are spread by default. */
  readonly workload: Selector | undefined;
}

type Scorer = (info: PodInfo, nodes: readonly NodeInfo[], context: ScoreContext) => readonly number[];

/** Free room after placing, of CPU and memory alike. */
const leastAllocated: Scorer = (info, nodes) =>
  nodes.map((node) => {
    let total = 0;
    let count = 0;
    for (const resource of ["cpu", "memory"] as const) {
      const capacity = node.allocatable[resource] ?? 0;
      if (capacity === 0) continue;
      count++;
      const used = node.weights[resource] + info.weights[resource];
      if (used <= capacity) total += Math.floor(((capacity - used) * scoreMax) / capacity);
    }
    return count === 0 ? 0 : Math.floor(total / count);
  });

/** CPU and memory used in like proportion. */
const balancedAllocation: Scorer = (info, nodes) => {
  if (Object.keys(info.requests).length === 0) return nodes.map(() => 0);
  return nodes.map((node) => {
    const fractions = ["cpu", "memory"].flatMap((resource) => {
      const capacity = node.allocatable[resource] ?? 0;
      if (capacity === 0) return [];
      const used = (node.requested[resource] ?? 0) + (info.requests[resource] ?? 0);
      return [Math.min(1, used / capacity)];
    });
    const [cpu = 0, memory = cpu] = fractions;
    return Math.floor((1 - Math.abs(cpu - memory) / 2) * scoreMax);
  });
};

/** Scales so that the highest becomes 100; reversed, so that the lowest does. */
function normalize(scores: readonly number[], reverse: boolean): number[] {
  const highest = Math.max(0, ...scores);
  if (highest === 0) return scores.map(() => (reverse ? scoreMax : 0));
  return scores.map((score) => {
    const scaled = Math.floor((score * scoreMax) / highest);
    return reverse ? scoreMax - scaled : scaled;
  });
}

const nodeAffinity: Scorer = (info, nodes) => {
  if (info.preferredNodes.length === 0) return nodes.map(() => 0);
  const sums = nodes.map((node) =>
    info.preferredNodes.reduce((sum, { weight, term }) => sum + (termMatches(term, node) ? weight : 0), 0),
  );
  return normalize(sums, false);
};

const taintToleration: Scorer = (info, nodes) => {
  const counts = nodes.map(
    ({ taints }) =>
      taints.filter((taint) => taint.effect === "PreferNoSchedule" && !isTolerated(taint, info.tolerations))
        .length,
  );
  return normalize(counts, true);
};

/** The constraints that count when a pod names none: hosts to a skew of 3, zones to a skew of 5. */
function defaultConstraints(selector: Selector | undefined): Constraint[] {
  if (selector === undefined || selector.length === 0) return [];
  const common = { minDomains: 1, selector, honorsAffinity: true, honorsTaints: false };
  return [
    { ...common, topologyKey: "kubernetes.io/hostname", maxSkew: 3 },
    { ...common, topologyKey: "topology.kubernetes.io/zone", maxSkew: 5 },
  ];
}

/** Fewer pods like it in the node's domains. Nodes without a key of the pod's own constraints score nothing. */
const topologySpread: Scorer = (info, nodes, { snapshot, workload }) => {
  const own = constraintsOf(info, "ScheduleAnyway");
  const hasAny = (info.pod.spec?.topologySpreadConstraints ?? []).length > 0;
  const constraints = hasAny ? own : defaultConstraints(workload);
  if (constraints.length === 0) return nodes.map(() => 0);
  const sums = nodes.map(() => 0);
  const isIgnored = nodes.map((node) =>
    own.some(({ topologyKey }) => node.labels?.[topologyKey] === undefined),
  );
  for (const { topologyKey, selector, maxSkew } of constraints) {
    const counts = snapshot.countPods([info.namespace], selector);
    const perDomain = new Map<string, number>();
    for (const node of snapshot.nodes) {
      const domain = node.labels?.[topologyKey];
      if (domain !== undefined)
        perDomain.set(domain, (perDomain.get(domain) ?? 0) + (counts.get(node.name) ?? 0));
    }
    const domains = new Set(
      nodes.map((node) => node.labels?.[topologyKey]).filter((one) => one !== undefined),
    );
    const weight = Math.log(domains.size + 2);
    for (const [at, node] of nodes.entries()) {
      const domain = node.labels?.[topologyKey];
      if (domain !== undefined)
        sums[at] = (sums[at] ?? 0) + (perDomain.get(domain) ?? 0) * weight + (maxSkew - 1);
    }
  }
  const rounded = sums.map(Math.round);
  const counted = rounded.filter((_, at) => isIgnored[at] !== true);
  const highest = Math.max(0, ...counted);
  const lowest = Math.min(highest, ...counted);
  return rounded.map((score, at) => {
    if (isIgnored[at] === true) return 0;
    return highest === 0 ? scoreMax : Math.floor((scoreMax * (highest + lowest - score)) / highest);
  });
};

const mebibyte = 1024 * 1024;
const imageThreshold = { least: 23 * mebibyte, mostPerContainer: 1000 * mebibyte };

/** How an image name reads on a node: with a tag. */
function withTag(image: string): string {
  return image.lastIndexOf(":") <= image.lastIndexOf("/") ? `${image}:latest` : image;
}

/** Images that are there already, counted for less when only few nodes have them. */
const imageLocality: Scorer = (info, nodes, { snapshot }) => {
  const containers = [...(info.pod.spec?.initContainers ?? []), ...(info.pod.spec?.containers ?? [])];
  const images = containers.map(({ image = "" }) => withTag(image));
  const total = snapshot.nodes.length;
  const most = imageThreshold.mostPerContainer * images.length;
  return nodes.map((node) => {
    if (node.images.size === 0) return 0;
    const sum = images.reduce((bytes, image) => {
      const size = node.images.get(image) ?? 0;
      return bytes + Math.floor(size * (snapshot.imageNodes(image) / total));
    }, 0);
    const inside = Math.min(Math.max(sum, imageThreshold.least), most);
    return Math.floor((scoreMax * (inside - imageThreshold.least)) / (most - imageThreshold.least));
  });
};

const scorers: readonly (readonly [number, Scorer])[] = [
  [3, taintToleration],
  [2, nodeAffinity],
  [1, leastAllocated],
  [2, topologySpread],
  [1, balancedAllocation],
  [1, imageLocality],
];

/** The total of each node, in the order of `nodes`. */
export function scoreNodes(info: PodInfo, nodes: readonly NodeInfo[], context: ScoreContext): number[] {
  const totals = nodes.map(() => 0);
  for (const [weight, scorer] of scorers) {
    const scores = scorer(info, nodes, context);
    for (const [at, score] of scores.entries()) totals[at] = (totals[at] ?? 0) + weight * score;
  }
  return totals;
}
