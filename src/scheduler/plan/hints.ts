// Queueing hints: which events may let a pod that was refused fit after all. When in doubt, yes.

import { refusalOf } from "./filters.ts";
import type { PodInfo } from "./pod-info.ts";
import type { Profile } from "./profile.ts";
import type { FilterName } from "./refusal.ts";
import type { NodeInfo } from "./snapshot.ts";

export interface ClusterEvent {
  /** A pod that changes its labels or asks for less counts as removed. */
  readonly kind: "node-added" | "node-changed" | "pod-assigned" | "pod-removed";
  /** Where it happened, as it is now. */
  readonly node: NodeInfo | undefined;
}

/** May this event make room for the pod? */
export type Hint = (info: PodInfo, refusedBy: ReadonlySet<FilterName>, event: ClusterEvent) => boolean;

const helpedByRoom: readonly FilterName[] = [
  "NodePorts",
  "NodeResourcesFit",
  "PodTopologySpread",
  "InterPodAffinity",
];
const helpedByNeighbours: readonly FilterName[] = ["PodTopologySpread", "InterPodAffinity"];

const isBlamed = (names: readonly FilterName[], refusedBy: ReadonlySet<FilterName>): boolean =>
  names.some((name) => refusedBy.has(name));

/** Can an event of this kind help anyone whom these filters refused? Asked once for all such pods. */
export function mayHelpAny(refusedBy: ReadonlySet<FilterName>, kind: ClusterEvent["kind"]): boolean {
  // What an extender looks at, nobody else knows.
  if (refusedBy.has("Extender")) return true;
  switch (kind) {
    case "pod-assigned":
      return isBlamed(helpedByNeighbours, refusedBy);
    case "pod-removed":
      return isBlamed(helpedByRoom, refusedBy);
    case "node-added":
    case "node-changed":
      return true;
  }
}

/** What other nodes decide too is not decided here. */
export const hintFor =
  (profile: Profile): Hint =>
  (info, refusedBy, { kind, node }) => {
    if (!mayHelpAny(refusedBy, kind)) return false;
    if (isBlamed(helpedByNeighbours, refusedBy) || refusedBy.has("Extender")) return true;
    if (node === undefined || !node.exists) return false;
    return refusalOf(info, node, { spreads: [], neighbours: undefined }, profile) === undefined;
  };
