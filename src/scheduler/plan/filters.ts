// Which nodes can take a pod, and why the others cannot. The order is that of the default profile;
// a node is refused by the first filter that fails, with that filter's reasons.

import type { Selector } from "#machinery/selectors.ts";
import { prepareNeighbours, refusalByNeighbours, type Neighbours } from "./neighbours.ts";
import { staticRefusal } from "./node-class.ts";
import type { HostPort, PodInfo } from "./pod-info.ts";
import type { Profile } from "./profile.ts";
import { resolvable, type Refusal } from "./refusal.ts";
import { amountIn } from "./room.ts";
import type { NodeInfo, Snapshot } from "./snapshot.ts";
import { constraintsOf, prepareSpreads, refusalBySpread, type Spread } from "./spreading.ts";

/** What filters look at beside the pod and the node. */
export interface FilterContext {
  readonly snapshot: Snapshot;
  readonly profile: Profile;
  /** What the Services and the controller of the pod select: default constraints spread it among those. */
  readonly workload?: Selector | undefined;
}

/** What filters need to know of the whole cluster, worked out once per pod. */
export interface Prepared {
  readonly spreads: readonly Spread[];
  readonly neighbours: Neighbours | undefined;
}

const conflicts = (a: HostPort, b: HostPort): boolean =>
  a.port === b.port &&
  a.protocol === b.protocol &&
  (a.ip === b.ip || a.ip === "0.0.0.0" || b.ip === "0.0.0.0");

const portsTaken = resolvable("NodePorts", "node(s) didn't have free ports for the requested pod ports");

function nodePorts({ shape }: PodInfo, node: NodeInfo): Refusal | undefined {
  for (const held of node.ports.values())
    if (held.some((one) => shape.ports.some((wanted) => conflicts(one, wanted)))) return portsTaken;
  return undefined;
}

/** Which of the resources that every node has are short; `tooSmall` when even the empty node has too little. */
const short = { pods: 1, cpu: 2, memory: 4, storage: 8, tooSmall: 16 } as const;
const reasonsByBit: readonly (readonly [number, string])[] = [
  [short.pods, "Too many pods"],
  [short.cpu, "Insufficient cpu"],
  [short.memory, "Insufficient memory"],
  [short.storage, "Insufficient ephemeral-storage"],
];
const shortage = (reasons: readonly string[], bits: number): Refusal => ({
  filter: "NodeResourcesFit",
  reasons,
  resolvable: (bits & short.tooSmall) === 0,
});
const reasonsOf = (bits: number): string[] =>
  reasonsByBit.filter(([bit]) => (bits & bit) !== 0).map(([, reason]) => reason);
/** Thousands of nodes are refused for the same reasons: these refusals are made once. */
const shortages = Array.from({ length: 32 }, (_, bits) => shortage(reasonsOf(bits), bits));

function shortOf(bit: number, wanted: number, allocatable: number, requested: number): number {
  if (wanted === 0 || wanted <= allocatable - requested) return 0;
  return wanted > allocatable ? bit | short.tooSmall : bit;
}

function shortBits({ shape: { requests } }: PodInfo, node: NodeInfo): number {
  const { allocatable, requested, pods, podsMax } = node;
  return (
    (pods.size >= podsMax ? short.pods : 0) |
    shortOf(short.cpu, requests.cpu, allocatable.cpu, requested.cpu) |
    shortOf(short.memory, requests.memory, allocatable.memory, requested.memory) |
    shortOf(short.storage, requests.storage, allocatable.storage, requested.storage)
  );
}

/** Extended resources that the profile leaves to others, by name or by group. */
const isLeft = (name: string, { ignoredResources }: Profile): boolean =>
  ignoredResources.size > 0 &&
  name.includes("/") &&
  (ignoredResources.has(name) || ignoredResources.has(name.slice(0, name.indexOf("/"))));

function explainWithOthers(info: PodInfo, node: NodeInfo, profile: Profile): Refusal | undefined {
  let bits = shortBits(info, node);
  const others: string[] = [];
  for (const [name, amount] of info.shape.requests.others ?? []) {
    const allocatable = amountIn(node.allocatable, name);
    if (amount <= allocatable - amountIn(node.requested, name) || isLeft(name, profile)) continue;
    others.push(`Insufficient ${name}`);
    if (amount > allocatable) bits |= short.tooSmall;
  }
  if (others.length > 0) return shortage([...reasonsOf(bits), ...others], bits);
  return bits === 0 ? undefined : shortages[bits];
}

/** A pod that asks for nothing of a resource never lacks it. */
function nodeResourcesFit(info: PodInfo, node: NodeInfo, profile: Profile): Refusal | undefined {
  if (info.shape.requests.others !== undefined) return explainWithOthers(info, node, profile);
  const bits = shortBits(info, node);
  return bits === 0 ? undefined : shortages[bits];
}

export function prepareFilters(info: PodInfo, { snapshot, profile, workload }: FilterContext): Prepared {
  const { filters } = profile;
  return {
    spreads: filters.has("PodTopologySpread")
      ? prepareSpreads(info, constraintsOf(info, true, profile, workload), snapshot)
      : [],
    neighbours: filters.has("InterPodAffinity") ? prepareNeighbours(info, snapshot) : undefined,
  };
}

/** Why the node cannot take the pod now; undefined when it can. What the node is for all time is not looked at. */
export function dynamicRefusal(
  info: PodInfo,
  node: NodeInfo,
  { spreads, neighbours }: Prepared,
  profile: Profile,
): Refusal | undefined {
  const { filters, checksRoom } = profile;
  let refusal: Refusal | undefined;
  if (info.shape.ports.length > 0 && filters.has("NodePorts")) refusal = nodePorts(info, node);
  if (refusal === undefined && checksRoom) refusal = nodeResourcesFit(info, node, profile);
  if (refusal === undefined && spreads.length > 0) refusal = refusalBySpread(spreads, node);
  if (refusal === undefined && neighbours !== undefined) refusal = refusalByNeighbours(neighbours, node);
  return refusal;
}

/** Why the node cannot take the pod; undefined when it can. */
export function refusalOf(
  info: PodInfo,
  node: NodeInfo,
  prepared: Prepared,
  profile: Profile,
): Refusal | undefined {
  return (
    staticRefusal(info.shape.demand, node, profile.staticFilters) ??
    dynamicRefusal(info, node, prepared, profile)
  );
}
