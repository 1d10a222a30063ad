// Which nodes can take a pod, and why the others cannot. The order is that of the default profile;
// a node is refused by the first filter that fails, with that filter's reasons.

import { prepareNeighbours, refusalByNeighbours, type Neighbours } from "./neighbours.ts";
import { staticRefusal } from "./node-class.ts";
import type { HostPort, PodInfo } from "./pod-info.ts";
import type { Profile } from "./profile.ts";
import { resolvable, type Refusal } from "./refusal.ts";
import { amountIn } from "./room.ts";
import type { NodeInfo, Snapshot } from "./snapshot.ts";
import { prepareSpreads, refusalBySpread, type Spread } from "./spreading.ts";

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
  if (shape.ports.length === 0) return undefined;
  for (const held of node.ports.values())
    if (held.some((one) => shape.ports.some((wanted) => conflicts(one, wanted)))) return portsTaken;
  return undefined;
}

/** Refusals for want of room are few different ones: they are made once. */
const shortages = new Map<string, Refusal>();
const shortagesMax = 4096;

function shortage(reasons: readonly string[], couldFit: boolean): Refusal {
  const id = `${reasons.join("\n")}${Number(couldFit)}`;
  let refusal = shortages.get(id);
  if (refusal === undefined) {
    if (shortages.size >= shortagesMax) shortages.clear();
    refusal = { filter: "NodeResourcesFit", reasons, resolvable: couldFit };
    shortages.set(id, refusal);
  }
  return refusal;
}

const plainResources = ["cpu", "memory", "ephemeral-storage"] as const;

function explainShortage({ shape }: PodInfo, node: NodeInfo): Refusal {
  const reasons: string[] = [];
  let couldFit = true;
  if (node.pods.size + 1 > node.podsMax) reasons.push("Too many pods");
  for (const name of [...plainResources, ...(shape.requests.others?.keys() ?? [])]) {
    const amount = amountIn(shape.requests, name);
    const allocatable = amountIn(node.allocatable, name);
    if (amount === 0 || amount <= allocatable - amountIn(node.requested, name)) continue;
    reasons.push(`Insufficient ${name}`);
    if (amount > allocatable) couldFit = false;
  }
  return shortage(reasons, couldFit);
}

/** Nothing of it is more than what is free. A pod that asks for nothing of a resource never lacks it. */
function hasRoom({ shape: { requests } }: PodInfo, { allocatable, requested, pods, podsMax }: NodeInfo): boolean {
  if (pods.size >= podsMax) return false;
  const { cpu, memory, storage, others } = requests;
  if (cpu > 0 && cpu > allocatable.cpu - requested.cpu) return false;
  if (memory > 0 && memory > allocatable.memory - requested.memory) return false;
  if (storage > 0 && storage > allocatable.storage - requested.storage) return false;
  if (others === undefined) return true;
  for (const [name, amount] of others)
    if (amount > amountIn(allocatable, name) - amountIn(requested, name)) return false;
  return true;
}

export const nodeResourcesFit = (info: PodInfo, node: NodeInfo): Refusal | undefined =>
  hasRoom(info, node) ? undefined : explainShortage(info, node);

export function prepareFilters(info: PodInfo, snapshot: Snapshot, { filters }: Profile): Prepared {
  return {
    spreads: filters.has("PodTopologySpread") ? prepareSpreads(info, snapshot) : [],
    neighbours: filters.has("InterPodAffinity") ? prepareNeighbours(info, snapshot) : undefined,
  };
}

/** Why the node cannot take the pod now; undefined when it can. What the node is for all time is not looked at. */
export function dynamicRefusal(
  info: PodInfo,
  node: NodeInfo,
  { spreads, neighbours }: Prepared,
  { filters }: Profile,
): Refusal | undefined {
  let refusal: Refusal | undefined;
  if (filters.has("NodePorts")) refusal = nodePorts(info, node);
  if (refusal === undefined && filters.has("NodeResourcesFit")) refusal = nodeResourcesFit(info, node);
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
