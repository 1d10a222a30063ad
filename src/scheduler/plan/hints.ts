// Queueing hints: which events may let a pod that was refused fit after all. When in doubt, yes.

import { refusalOf, type FilterName } from "./filters.ts";
import type { PodInfo } from "./pod-info.ts";
import type { ClusterEvent } from "./queue.ts";

const helpedByRemoval: readonly FilterName[] = [
  "NodePorts",
  "NodeResourcesFit",
  "PodTopologySpread",
  "InterPodAffinity",
];
const helpedByArrival: readonly FilterName[] = ["PodTopologySpread", "InterPodAffinity"];

export function mayHelp(info: PodInfo, refusedBy: ReadonlySet<FilterName>, event: ClusterEvent): boolean {
  // What depends on other nodes too is not decided here.
  const depends = helpedByArrival.some((filter) => refusedBy.has(filter));
  switch (event.kind) {
    case "pod-assigned":
      return depends;
    case "pod-removed":
      if (!helpedByRemoval.some((filter) => refusedBy.has(filter))) return false;
      return depends || fitsNode(info, event);
    case "node-added":
    case "node-changed":
      return depends || fitsNode(info, event);
  }
}

/** All filters that look at the one node alone pass there. */
function fitsNode(info: PodInfo, { node }: ClusterEvent): boolean {
  if (node?.node === undefined) return false;
  return refusalOf(info, node, { spreads: [], neighbours: undefined }) === undefined;
}
