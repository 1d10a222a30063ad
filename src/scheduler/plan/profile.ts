// What a profile of the scheduler looks at: its filters, the weights of its scores, and their settings.

import type { NodeTerm } from "#resources/core/pod/node-affinity.ts";
import type { AddedNodes, StaticFilters } from "./node-class.ts";
import { filterNames, type FilterName } from "./refusal.ts";
import { systemConstraints, type DefaultConstraint } from "./spreading.ts";

export const scoreNames = [
  "TaintToleration",
  "NodeAffinity",
  "NodeResourcesFit",
  "PodTopologySpread",
  "InterPodAffinity",
  "NodeResourcesBalancedAllocation",
  "ImageLocality",
] as const;

export type ScoreName = (typeof scoreNames)[number];

export interface ResourceWeight {
  readonly name: string;
  readonly weight: number;
}

export type ScoringStrategy =
  | { readonly type: "LeastAllocated" | "MostAllocated"; readonly resources: readonly ResourceWeight[] }
  | {
      readonly type: "RequestedToCapacityRatio";
      readonly resources: readonly ResourceWeight[];
      /** By utilization, in percent; scores from 0 to 10. */
      readonly shape: readonly { readonly utilization: number; readonly score: number }[];
    };

export interface Profile {
  readonly schedulerName: string;
  readonly filters: ReadonlySet<FilterName>;
  /** Those of `filters` that look at the node alone. */
  readonly staticFilters: StaticFilters;
  /** Is NodeResourcesFit among `filters`? Asked for each pod and node. */
  readonly checksRoom: boolean;
  /** Extended resources and groups of such that NodeResourcesFit leaves to others. */
  readonly ignoredResources: ReadonlySet<string>;
  /** By score; what is absent does not count. */
  readonly weights: ReadonlyMap<ScoreName, number>;
  /** Nodes that every pod of the profile prefers. */
  readonly addedPreferredNodes: readonly { readonly weight: number; readonly term: NodeTerm }[];
  readonly preempts: boolean;
  readonly strategy: ScoringStrategy;
  readonly balancedResources: readonly ResourceWeight[];
  /** What a placed pod's required affinity counts for a new one that it means. */
  readonly hardPodAffinityWeight: number;
  readonly ignorePreferredTermsOfExistingPods: boolean;
  /** Of pods that name no constraints. */
  readonly defaultConstraints: readonly DefaultConstraint[];
  readonly defaultsAreSystem: boolean;
  readonly minCandidateNodesPercentage: number;
  readonly minCandidateNodesAbsolute: number;
  /** 0: adapted to the size of the cluster. */
  readonly percentageOfNodesToScore: number;
}

const cpuAndMemory: readonly ResourceWeight[] = [
  { name: "cpu", weight: 1 },
  { name: "memory", weight: 1 },
];

export const defaultWeights: ReadonlyMap<ScoreName, number> = new Map([
  ["TaintToleration", 3],
  ["NodeAffinity", 2],
  ["NodeResourcesFit", 1],
  ["PodTopologySpread", 2],
  ["InterPodAffinity", 2],
  ["NodeResourcesBalancedAllocation", 1],
  ["ImageLocality", 1],
]);

export const staticFiltersOf = (
  filters: ReadonlySet<FilterName>,
  addedNodes?: AddedNodes,
): StaticFilters => ({
  nodeUnschedulable: filters.has("NodeUnschedulable"),
  taintToleration: filters.has("TaintToleration"),
  nodeAffinity: filters.has("NodeAffinity"),
  ...(addedNodes === undefined ? {} : { addedNodes }),
});

export const defaultProfile: Profile = {
  schedulerName: "default-scheduler",
  filters: new Set(filterNames),
  staticFilters: staticFiltersOf(new Set(filterNames)),
  checksRoom: true,
  ignoredResources: new Set(),
  weights: defaultWeights,
  addedPreferredNodes: [],
  preempts: true,
  strategy: { type: "LeastAllocated", resources: cpuAndMemory },
  balancedResources: cpuAndMemory,
  hardPodAffinityWeight: 1,
  ignorePreferredTermsOfExistingPods: false,
  defaultConstraints: systemConstraints,
  defaultsAreSystem: true,
  minCandidateNodesPercentage: 10,
  minCandidateNodesAbsolute: 100,
  percentageOfNodesToScore: 0,
};
