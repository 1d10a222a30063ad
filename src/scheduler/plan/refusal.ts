// Why a node cannot take a pod.

/** `NodeName` refuses nobody: a pod that names its node is never in the queue. */
export const filterNames = [
  "NodeUnschedulable",
  "NodeName",
  "TaintToleration",
  "NodeAffinity",
  "NodePorts",
  "NodeResourcesFit",
  "PodTopologySpread",
  "InterPodAffinity",
] as const;

export type FilterName = (typeof filterNames)[number];

export interface Refusal {
  readonly filter: FilterName;
  readonly reasons: readonly string[];
  /** Evicting other pods from the node could help. */
  readonly resolvable: boolean;
}

export const unresolvable = (filter: FilterName, reason: string): Refusal => ({
  filter,
  reasons: [reason],
  resolvable: false,
});

export const resolvable = (filter: FilterName, reason: string): Refusal => ({
  filter,
  reasons: [reason],
  resolvable: true,
});
