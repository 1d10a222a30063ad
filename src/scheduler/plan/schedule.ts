// Where a pod goes: filter, score, choose; or why it goes nowhere, node by node and in the documented words.

import type { Random } from "#base/random.ts";
import type { Selector } from "#machinery/selectors.ts";
import { prepareFilters, refusalOf, type FilterName, type Refusal } from "./filters.ts";
import type { PodInfo } from "./pod-info.ts";
import { scoreNodes } from "./scores.ts";
import type { NodeInfo, Snapshot } from "./snapshot.ts";

export interface ScheduleContext {
  readonly random: Random;
  /** What the Services and the controller of the pod select. */
  readonly workload?: Selector | undefined;
  /** At which node to begin looking, so that in large clusters every node gets its turn. */
  readonly startAt?: number;
}

export interface Placement {
  readonly node: string;
  /** How many nodes were looked at: the next pod begins after them. */
  readonly evaluated: number;
}

export interface Unschedulable {
  readonly node: undefined;
  readonly evaluated: number;
  readonly message: string;
  readonly refusals: ReadonlyMap<string, Refusal>;
  readonly refusedBy: ReadonlySet<FilterName>;
}

const searchAllBelow = 100;

/** In large clusters it is enough to find this many nodes to choose from. */
export function feasibleWanted(nodes: number): number {
  if (nodes < searchAllBelow) return nodes;
  const percent = Math.max(5, Math.floor(50 - nodes / 125));
  return Math.max(searchAllBelow, Math.floor((nodes * percent) / 100));
}

/** Picks one of the best, each with the same chance. */
function best(nodes: readonly NodeInfo[], scores: readonly number[], random: Random): string {
  const highest = Math.max(...scores);
  const candidates = nodes.filter((_, at) => scores[at] === highest);
  return (candidates[random.integer(candidates.length)] as NodeInfo).name;
}

/** `3 Insufficient cpu, 1 node(s) were unschedulable`: by text. */
function histogram(reasons: Iterable<string>): string {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts]
    .map(([reason, count]) => `${count} ${reason}`)
    .sort()
    .join(", ");
}

/** The message of the event FailedScheduling and of the condition PodScheduled. */
export function unschedulableMessage(
  info: PodInfo,
  nodes: number,
  refusals: ReadonlyMap<string, Refusal>,
): string {
  if (nodes === 0) return "no nodes available to schedule pods";
  const reasons = histogram([...refusals.values()].flatMap((refusal) => refusal.reasons));
  return `0/${nodes} nodes are available: ${reasons}. no new claims to deallocate, preemption: ${preemptionMessage(info, nodes, refusals)}`;
}

/** Why evicting others does not help. Preemption itself is not built: this is where it goes. */
function preemptionMessage(info: PodInfo, nodes: number, refusals: ReadonlyMap<string, Refusal>): string {
  if (info.pod.spec?.preemptionPolicy === "Never") return "not eligible due to preemptionPolicy=Never.";
  const reasons = [...refusals.values()].map(({ resolvable }) =>
    resolvable ? "No preemption victims found for incoming pod" : "Preemption is not helpful for scheduling",
  );
  return `0/${nodes} nodes are available: ${histogram(reasons)}.`;
}

export function planSchedule(
  info: PodInfo,
  snapshot: Snapshot,
  { random, workload, startAt = 0 }: ScheduleContext,
): Placement | Unschedulable {
  const { nodes } = snapshot;
  const prepared = prepareFilters(info, snapshot);
  const wanted = feasibleWanted(nodes.length);
  const feasible: NodeInfo[] = [];
  const refusals = new Map<string, Refusal>();
  let evaluated = 0;
  while (evaluated < nodes.length && feasible.length < wanted) {
    const node = nodes[(startAt + evaluated) % nodes.length] as NodeInfo;
    evaluated++;
    const refusal = refusalOf(info, node, prepared);
    if (refusal === undefined) feasible.push(node);
    else refusals.set(node.name, refusal);
  }
  const [only] = feasible;
  if (only === undefined) {
    const refusedBy = new Set([...refusals.values()].map(({ filter }) => filter));
    const message = unschedulableMessage(info, nodes.length, refusals);
    return { node: undefined, evaluated, message, refusals, refusedBy };
  }
  if (feasible.length === 1) return { node: only.name, evaluated };
  const scores = scoreNodes(info, feasible, { snapshot, workload });
  return { node: best(feasible, scores, random), evaluated };
}
