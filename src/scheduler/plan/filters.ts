// Which nodes can take a pod, and why the others cannot. The order is that of the default profile;
// a node is refused by the first filter that fails, with that filter's reasons.

import { isTolerated } from "#resources/core/pod/tolerations.ts";
import { nodeMatches } from "./node-matching.ts";
import { prepareNeighbours, refusalByNeighbours, type Neighbours } from "./neighbours.ts";
import type { HostPort, PodInfo } from "./pod-info.ts";
import type { NodeInfo, Snapshot } from "./snapshot.ts";
import { constraintsOf, spreadsOf, type Spread } from "./spreading.ts";

export type FilterName =
  | "NodeUnschedulable"
  | "NodeName"
  | "TaintToleration"
  | "NodeAffinity"
  | "NodePorts"
  | "NodeResourcesFit"
  | "PodTopologySpread"
  | "InterPodAffinity";

export interface Refusal {
  readonly filter: FilterName;
  readonly reasons: readonly string[];
  /** Evicting other pods from the node could help. */
  readonly resolvable: boolean;
}

/** What filters need to know of the whole cluster, worked out once per pod. */
export interface Prepared {
  readonly spreads: readonly Spread[];
  readonly neighbours: Neighbours | undefined;
}

type Filter = (info: PodInfo, node: NodeInfo, prepared: Prepared) => Omit<Refusal, "filter"> | undefined;

const unresolvable = (reason: string): Omit<Refusal, "filter"> => ({ reasons: [reason], resolvable: false });
const unschedulableTaint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };

const nodeUnschedulable: Filter = (info, node) =>
  node.node?.spec?.unschedulable === true && !isTolerated(unschedulableTaint, info.tolerations)
    ? unresolvable("node(s) were unschedulable")
    : undefined;

const nodeName: Filter = (info, node) => {
  const { nodeName: wanted = "" } = info.pod.spec ?? {};
  return wanted !== "" && wanted !== node.name
    ? unresolvable("node(s) didn't match the requested node name")
    : undefined;
};

const taintToleration: Filter = (info, node) => {
  const bad = node.taints.some(
    (taint) => taint.effect !== "PreferNoSchedule" && !isTolerated(taint, info.tolerations),
  );
  return bad ? unresolvable("node(s) had untolerated taint(s)") : undefined;
};

const nodeAffinity: Filter = (info, node) =>
  nodeMatches(info, node) ? undefined : unresolvable("node(s) didn't match Pod's node affinity/selector");

const conflicts = (a: HostPort, b: HostPort): boolean =>
  a.port === b.port &&
  a.protocol === b.protocol &&
  (a.ip === b.ip || a.ip === "0.0.0.0" || b.ip === "0.0.0.0");

const nodePorts: Filter = (info, node) => {
  if (info.ports.length === 0) return undefined;
  for (const held of node.ports.values())
    if (held.some((one) => info.ports.some((wanted) => conflicts(one, wanted))))
      return { reasons: ["node(s) didn't have free ports for the requested pod ports"], resolvable: true };
  return undefined;
};

/** Exported for the invariant that no node is ever over-committed. */
export const nodeResourcesFit: Filter = (info, node) => {
  const reasons: string[] = [];
  let resolvable = true;
  if (node.pods.size + 1 > (node.allocatable["pods"] ?? 0)) reasons.push("Too many pods");
  for (const [resource, amount] of Object.entries(info.requests)) {
    if (amount === 0) continue;
    const allocatable = node.allocatable[resource] ?? 0;
    if (amount <= allocatable - (node.requested[resource] ?? 0)) continue;
    reasons.push(`Insufficient ${resource}`);
    if (amount > allocatable) resolvable = false;
  }
  return reasons.length === 0 ? undefined : { reasons, resolvable };
};

const topologySpread: Filter = (_info, node, { spreads }) => {
  const text = "node(s) didn't match pod topology spread constraints";
  for (const { constraint, perDomain, least, self } of spreads) {
    const domain = node.labels?.[constraint.topologyKey];
    if (domain === undefined) return unresolvable(`${text} (missing required label)`);
    const skew = (perDomain.get(domain) ?? 0) + self - least;
    if (skew > constraint.maxSkew) return { reasons: [text], resolvable: true };
  }
  return undefined;
};

const interPodAffinity: Filter = (_info, node, { neighbours }) =>
  neighbours === undefined ? undefined : refusalByNeighbours(neighbours, node);

const filters: readonly (readonly [FilterName, Filter])[] = [
  ["NodeUnschedulable", nodeUnschedulable],
  ["NodeName", nodeName],
  ["TaintToleration", taintToleration],
  ["NodeAffinity", nodeAffinity],
  ["NodePorts", nodePorts],
  ["NodeResourcesFit", nodeResourcesFit],
  ["PodTopologySpread", topologySpread],
  ["InterPodAffinity", interPodAffinity],
];

export function prepareFilters(info: PodInfo, snapshot: Snapshot): Prepared {
  const constraints = constraintsOf(info, "DoNotSchedule");
  return {
    spreads: constraints.length === 0 ? [] : spreadsOf(constraints, info, snapshot),
    neighbours: prepareNeighbours(info, snapshot),
  };
}

/** Why the node cannot take the pod; undefined when it can. */
export function refusalOf(info: PodInfo, node: NodeInfo, prepared: Prepared): Refusal | undefined {
  for (const [filter, check] of filters) {
    const refusal = check(info, node, prepared);
    if (refusal !== undefined) return { filter, ...refusal };
  }
  return undefined;
}
