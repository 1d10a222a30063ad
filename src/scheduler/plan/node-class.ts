// Which nodes could take pods of one demand at all (selector, affinity, tolerations), however full they are: worked out
// once per demand, and again only for the nodes that change.

import { termMatches, type NodeTerm } from "#resources/core/pod/node-affinity.ts";
import { isTolerated } from "#resources/core/pod/tolerations.ts";
import { nodeMatches } from "./node-matching.ts";
import type { NodeDemand } from "./pod-info.ts";
import { unresolvable, type Refusal } from "./refusal.ts";
import type { NodeInfo } from "./snapshot.ts";

const unschedulableTaint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };
const unschedulable = unresolvable("NodeUnschedulable", "node(s) were unschedulable");
const tainted = unresolvable("TaintToleration", "node(s) had untolerated taint(s)");
const unmatchedByAll = unresolvable("NodeAffinity", "node(s) didn't match scheduler-enforced node affinity");
const unmatched = unresolvable("NodeAffinity", "node(s) didn't match Pod's node affinity/selector");

/** The filters that look at the node alone, switched as the profile says. */
export interface StaticFilters {
  readonly nodeUnschedulable: boolean;
  readonly taintToleration: boolean;
  readonly nodeAffinity: boolean;
  /** What the profile asks of the nodes of all its pods; undefined asks nothing. */
  readonly addedNodes?: AddedNodes | undefined;
}

export interface AddedNodes {
  readonly id: string;
  readonly terms: readonly NodeTerm[];
}

export const allStatic: StaticFilters = {
  nodeUnschedulable: true,
  taintToleration: true,
  nodeAffinity: true,
};

export function toleratesTaints({ tolerations }: NodeDemand, { taints }: NodeInfo): boolean {
  return taints.every((taint) => taint.effect === "PreferNoSchedule" || isTolerated(taint, tolerations));
}

export function staticRefusal(
  demand: NodeDemand,
  node: NodeInfo,
  filters: StaticFilters = allStatic,
): Refusal | undefined {
  if (filters.nodeUnschedulable && node.unschedulable && !isTolerated(unschedulableTaint, demand.tolerations))
    return unschedulable;
  if (filters.taintToleration && !toleratesTaints(demand, node)) return tainted;
  if (!filters.nodeAffinity) return undefined;
  if (filters.addedNodes?.terms.some((term) => termMatches(term, node)) === false) return unmatchedByAll;
  return nodeMatches(demand, node) ? undefined : unmatched;
}

export class NodeClass {
  readonly #demand: NodeDemand;
  readonly #filters: StaticFilters;
  readonly #refused = new Map<NodeInfo, Refusal>();
  /** Undefined when a node has changed since. */
  #passing: readonly NodeInfo[] | undefined;

  constructor(demand: NodeDemand, filters: StaticFilters, nodes: readonly NodeInfo[]) {
    this.#demand = demand;
    this.#filters = filters;
    for (const node of nodes) this.judge(node);
  }

  /** A node came or changed. */
  judge(node: NodeInfo): void {
    const refusal = staticRefusal(this.#demand, node, this.#filters);
    if (refusal === undefined) this.#refused.delete(node);
    else this.#refused.set(node, refusal);
    this.#passing = undefined;
  }

  forget(node: NodeInfo): void {
    this.#refused.delete(node);
    this.#passing = undefined;
  }

  get refused(): ReadonlyMap<NodeInfo, Refusal> {
    return this.#refused;
  }

  /** Those of `nodes` that pass, in their order. */
  passing(nodes: readonly NodeInfo[]): readonly NodeInfo[] {
    this.#passing ??= this.#refused.size === 0 ? nodes : nodes.filter((node) => !this.#refused.has(node));
    return this.#passing;
  }
}
