// Which of the nodes that can take a pod is best: each score from 0 to 100, weighted as the profile says.

import type { Selector } from "#machinery/selectors.ts";
import { termMatches } from "#resources/core/pod/node-affinity.ts";
import { isTolerated } from "#resources/core/pod/tolerations.ts";
import { tallyOf } from "./neighbours.ts";
import type { PodInfo } from "./pod-info.ts";
import type { Profile, ScoreName } from "./profile.ts";
import { balanceScore, fitScore, scoreMax } from "./resource-scores.ts";
import type { NodeInfo, Snapshot } from "./snapshot.ts";
import { constraintsOf, spreadTally } from "./spreading.ts";

export interface ScoreContext {
  readonly snapshot: Snapshot;
  readonly profile: Profile;
  /** What the Services and the controller of the pod select: pods like it are spread by default. */
  readonly workload: Selector | undefined;
}

/** Undefined when it says the same of every node. */
type Scorer = (
  info: PodInfo,
  nodes: readonly NodeInfo[],
  context: ScoreContext,
) => readonly number[] | undefined;

const resourcesFit: Scorer = (info, nodes, { profile }) =>
  nodes.map((node) => fitScore(profile.strategy, info, node));

const balancedAllocation: Scorer = (info, nodes, { profile }) =>
  info.shape.isBestEffort
    ? undefined
    : nodes.map((node) => balanceScore(profile.balancedResources, info, node));

/** Scales so that the highest becomes 100; reversed, so that the lowest does. */
function normalize(scores: readonly number[], reverse: boolean): number[] | undefined {
  const highest = scores.reduce((most, score) => Math.max(most, score), 0);
  if (highest === 0) return undefined;
  return scores.map((score) => {
    const scaled = Math.floor((score * scoreMax) / highest);
    return reverse ? scoreMax - scaled : scaled;
  });
}

const nodeAffinity: Scorer = ({ shape }, nodes, { profile: { addedPreferredNodes } }) => {
  const preferredNodes =
    addedPreferredNodes.length === 0
      ? shape.preferredNodes
      : [...shape.preferredNodes, ...addedPreferredNodes];
  if (preferredNodes.length === 0) return undefined;
  const sums = nodes.map((node) =>
    preferredNodes.reduce((sum, { weight, term }) => sum + (termMatches(term, node) ? weight : 0), 0),
  );
  return normalize(sums, false);
};

const taintToleration: Scorer = ({ shape }, nodes) => {
  const counts = nodes.map(({ taints }) =>
    taints.reduce(
      (count, taint) =>
        taint.effect === "PreferNoSchedule" && !isTolerated(taint, shape.demand.tolerations)
          ? count + 1
          : count,
      0,
    ),
  );
  return normalize(counts, true);
};

/** Fewer pods like it in the node's domains. Nodes without a key of the pod's own constraints score nothing. */
const topologySpread: Scorer = (info, nodes, context) => {
  const constraints = constraintsOf(info, false, context.profile, context.workload);
  if (constraints.length === 0) return undefined;
  const needsAll = info.shape.spread.length > 0 || !context.profile.defaultsAreSystem;
  const keys = needsAll ? constraints.map(({ topologyKey }) => topologyKey).sort() : [];
  const sums = nodes.map(() => 0);
  for (const constraint of constraints) {
    const { topologyKey, maxSkew } = constraint;
    const tally = spreadTally(constraint, keys, info, context.snapshot);
    const domains = new Set<string>();
    for (const { labels } of nodes) {
      const domain = labels?.[topologyKey];
      if (domain !== undefined) domains.add(domain);
    }
    const weight = Math.log(domains.size + 2);
    for (const [at, { labels }] of nodes.entries()) {
      const domain = labels?.[topologyKey];
      if (domain !== undefined)
        sums[at] = (sums[at] as number) + (tally.at(domain) ?? 0) * weight + (maxSkew - 1);
    }
  }
  const isIgnored = nodes.map(({ labels }) => keys.some((key) => labels?.[key] === undefined));
  let highest = 0;
  let lowest = Infinity;
  const rounded = sums.map((sum, at) => {
    const score = Math.round(sum);
    if (isIgnored[at] === true) return score;
    highest = Math.max(highest, score);
    lowest = Math.min(lowest, score);
    return score;
  });
  return rounded.map((score, at) => {
    if (isIgnored[at] === true) return 0;
    return highest === 0 ? scoreMax : Math.floor((scoreMax * (highest + lowest - score)) / highest);
  });
};

interface Pull {
  readonly topologyKey: string;
  readonly at: (domain: string) => number;
}

/** What draws the pod to domains, or away from them: its own preferences, and those of the pods that are there. */
function pullsOf(info: PodInfo, { snapshot, profile }: ScoreContext): Pull[] {
  const { shape, namespace } = info;
  const pulls: Pull[] = [];
  const own = [
    ...shape.preferredAffinity,
    ...shape.preferredAntiAffinity.map(({ weight, term }) => ({ weight: -weight, term })),
  ];
  for (const { weight, term } of own) {
    const tally = tallyOf(term, snapshot);
    if (tally.total > 0)
      pulls.push({ topologyKey: term.topologyKey, at: (domain) => weight * (tally.at(domain) ?? 0) });
  }
  if (profile.ignorePreferredTermsOfExistingPods && own.length === 0) return pulls;
  const meant = snapshot.holders.meaning(namespace, shape.labels, snapshot.namespaceLabels(namespace));
  for (const { kind, weight, term, perDomain } of meant) {
    if (kind === "refused") continue;
    const factor = kind === "required" ? profile.hardPodAffinityWeight : weight;
    if (factor !== 0)
      pulls.push({ topologyKey: term.topologyKey, at: (domain) => factor * (perDomain.get(domain) ?? 0) });
  }
  return pulls;
}

const interPodAffinity: Scorer = (info, nodes, context) => {
  const pulls = pullsOf(info, context);
  if (pulls.length === 0) return undefined;
  let lowest = Infinity;
  let highest = -Infinity;
  const sums = nodes.map(({ labels }) => {
    let sum = 0;
    for (const { topologyKey, at } of pulls) {
      const domain = labels?.[topologyKey];
      if (domain !== undefined) sum += at(domain);
    }
    lowest = Math.min(lowest, sum);
    highest = Math.max(highest, sum);
    return sum;
  });
  const range = highest - lowest;
  return range === 0 ? undefined : sums.map((sum) => Math.floor((scoreMax * (sum - lowest)) / range));
};

const mebibyte = 1024 * 1024;
const imageThreshold = { least: 23 * mebibyte, mostPerContainer: 1000 * mebibyte };

/** Images that are there already, counted for less when only few nodes have them. */
const imageLocality: Scorer = ({ shape: { images } }, nodes, { snapshot }) => {
  const spread = images.map((image) => snapshot.imageNodes(image) / snapshot.nodes.length);
  if (spread.every((share) => share === 0)) return undefined;
  const most = imageThreshold.mostPerContainer * images.length;
  return nodes.map((node) => {
    if (node.images.size === 0) return 0;
    let sum = 0;
    for (const [at, image] of images.entries())
      sum += Math.floor((node.images.get(image) ?? 0) * (spread[at] ?? 0));
    const inside = Math.min(Math.max(sum, imageThreshold.least), most);
    return Math.floor((scoreMax * (inside - imageThreshold.least)) / (most - imageThreshold.least));
  });
};

const scorers: Readonly<Record<ScoreName, Scorer>> = {
  TaintToleration: taintToleration,
  NodeAffinity: nodeAffinity,
  NodeResourcesFit: resourcesFit,
  PodTopologySpread: topologySpread,
  InterPodAffinity: interPodAffinity,
  NodeResourcesBalancedAllocation: balancedAllocation,
  ImageLocality: imageLocality,
};

/** The total of each node, in the order of `nodes`. What all nodes have in common is left out. */
export function scoreNodes(info: PodInfo, nodes: readonly NodeInfo[], context: ScoreContext): number[] {
  const totals = nodes.map(() => 0);
  for (const [name, weight] of context.profile.weights) {
    const scores = scorers[name](info, nodes, context);
    if (scores === undefined) continue;
    for (const [at, score] of scores.entries()) totals[at] = (totals[at] as number) + weight * score;
  }
  return totals;
}
