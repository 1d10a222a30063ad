// Where a pod goes: filter, score, choose; or why it goes nowhere, node by node and in the documented words.

import type { Random } from "#base/random.ts";
import type { Selector } from "#machinery/selectors.ts";
import { dynamicRefusal, prepareFilters, refusalOf, type FilterContext, type Prepared } from "./filters.ts";
import { namedNodes } from "./node-matching.ts";
import type { PodInfo } from "./pod-info.ts";
import { defaultProfile, type Profile } from "./profile.ts";
import { Refusals, unresolvable, type FilterName, type Refusal } from "./refusal.ts";
import { scoreNodes, type ScoreContext } from "./scores.ts";
import type { NodeInfo, Snapshot } from "./snapshot.ts";

export interface ScheduleContext {
  readonly random: Random;
  readonly profile?: Profile;
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
  /** Why, without what preemption could do. */
  readonly summary: string;
  readonly refusals: Refusals;
  readonly refusedBy: ReadonlySet<FilterName>;
}

const searchAllBelow = 100;

/** In large clusters it is enough to find this many nodes to choose from. */
export function feasibleWanted(nodes: number, percentage = 0): number {
  if (nodes < searchAllBelow) return nodes;
  const percent = percentage > 0 ? Math.min(100, percentage) : Math.max(5, Math.floor(50 - nodes / 125));
  return Math.max(searchAllBelow, Math.floor((nodes * percent) / 100));
}

/** Picks one of the best, each with the same chance. */
function best(nodes: readonly NodeInfo[], scores: readonly number[], random: Random): string {
  let highest = -Infinity;
  let candidates: NodeInfo[] = [];
  for (const [at, score] of scores.entries()) {
    if (score < highest) continue;
    if (score > highest) candidates = [];
    highest = score;
    candidates.push(nodes[at] as NodeInfo);
  }
  return (candidates[random.integer(candidates.length)] as NodeInfo).name;
}

/** The beginning of the message of the event FailedScheduling and of the condition PodScheduled. */
const summaryOf = (nodes: number, refusals: Refusals): string =>
  nodes === 0
    ? "no nodes available to schedule pods"
    : `0/${nodes} nodes are available: ${refusals.toString()}.`;

/** Pods that are promised the node, and come before this one or with it: the pod must fit beside them too. */
function promised(info: PodInfo, node: NodeInfo, snapshot: Snapshot): PodInfo[] {
  const held = snapshot.nominatedTo(node.name);
  if (held === undefined) return [];
  return [...held.values()].filter(
    ({ uid, priority }) =>
      uid !== info.uid && priority >= info.priority && snapshot.placeOf(uid) === undefined,
  );
}

/** As dynamicRefusal, with the pods that are promised the node, and without them. */
export function refusalNow(
  info: PodInfo,
  node: NodeInfo,
  prepared: Prepared,
  context: FilterContext,
): Refusal | undefined {
  const { snapshot, profile } = context;
  const others = snapshot.hasNominated ? promised(info, node, snapshot) : [];
  if (others.length > 0) {
    for (const other of others) snapshot.setPod(other, node.name);
    const refusal = dynamicRefusal(info, node, prepareFilters(info, context), profile);
    for (const other of others) snapshot.removePod(other.uid);
    if (refusal !== undefined) return refusal;
  }
  return dynamicRefusal(info, node, prepared, profile);
}

const notNamed = unresolvable("NodeAffinity", "node(s) didn't satisfy plugin(s) [NodeAffinity]");

/** The nodes that can take a pod, and why others cannot. */
export interface Search {
  readonly feasible: readonly NodeInfo[];
  readonly refusals: Refusals;
  readonly evaluated: number;
}

export interface SearchContext extends FilterContext {
  readonly startAt: number;
  /** Why nodes refuse the pod is asked for even when others take it: somebody else may yet refuse those. */
  readonly explains?: boolean;
}

/** Which of these few nodes take the pod. */
function searchAmong(
  info: PodInfo,
  names: Iterable<string>,
  prepared: Prepared,
  context: FilterContext,
): { feasible: NodeInfo[]; refusals: Refusals } {
  const feasible: NodeInfo[] = [];
  const refusals = new Refusals();
  for (const name of names) {
    const node = context.snapshot.node(name);
    if (node === undefined || !node.exists) continue;
    const refusal =
      refusalOf(info, node, prepared, context.profile) ?? refusalNow(info, node, prepared, context);
    if (refusal === undefined) feasible.push(node);
    else refusals.add(node, refusal);
  }
  return { feasible, refusals };
}

/** Among the few nodes that the pod names. */
function searchNamed(
  info: PodInfo,
  names: ReadonlySet<string>,
  prepared: Prepared,
  context: SearchContext,
): Search {
  const { feasible, refusals } = searchAmong(info, names, prepared, context);
  if (feasible.length === 0 || context.explains === true)
    for (const node of context.snapshot.nodes) if (!names.has(node.name)) refusals.add(node, notNamed);
  return { feasible, refusals, evaluated: 0 };
}

function search(info: PodInfo, prepared: Prepared, context: SearchContext): Search {
  const { snapshot, profile, startAt } = context;
  const { nodes } = snapshot;
  const nodeClass = snapshot.classOf(info.shape.demand, profile.staticFilters);
  const candidates = nodeClass.passing(nodes);
  const wanted = feasibleWanted(nodes.length, profile.percentageOfNodesToScore);
  const feasible: NodeInfo[] = [];
  const refusals = new Refusals();
  let evaluated = 0;
  while (evaluated < candidates.length && feasible.length < wanted) {
    const node = candidates[(startAt + evaluated) % candidates.length] as NodeInfo;
    evaluated++;
    const refusal = refusalNow(info, node, prepared, context);
    if (refusal === undefined) feasible.push(node);
    else refusals.add(node, refusal);
  }
  if (feasible.length === 0 || context.explains === true)
    for (const [node, refusal] of nodeClass.refused) refusals.add(node, refusal);
  return { feasible, refusals, evaluated };
}

/** Filters alone: where the pod could go. */
export function findNodes(info: PodInfo, context: SearchContext): Search {
  const { snapshot, profile } = context;
  const prepared = prepareFilters(info, context);
  const nominated = snapshot.node(info.nominatedNode);
  // The node that was cleared for it is taken if it fits there now, without looking at any other.
  if (nominated?.exists === true) {
    const refusal =
      refusalOf(info, nominated, prepared, profile) ?? refusalNow(info, nominated, prepared, context);
    if (refusal === undefined) return { feasible: [nominated], refusals: new Refusals(), evaluated: 1 };
  }
  const names = profile.filters.has("NodeAffinity") ? namedNodes(info.shape.demand) : undefined;
  return names === undefined ? search(info, prepared, context) : searchNamed(info, names, prepared, context);
}

/** Those of the nodes that take the pod now, when time has passed since they were found. */
export const stillFeasible = (
  info: PodInfo,
  names: Iterable<string>,
  context: FilterContext,
): readonly NodeInfo[] => searchAmong(info, names, prepareFilters(info, context), context).feasible;

/** Scores the nodes and takes one of the best; `more` is what others add to a node's score. */
export function chooseNode(
  info: PodInfo,
  feasible: readonly NodeInfo[],
  { random, ...context }: ScoreContext & { readonly random: Random },
  more?: ReadonlyMap<string, number>,
): string {
  const [only] = feasible;
  if (only !== undefined && feasible.length === 1) return only.name;
  const scores = scoreNodes(info, feasible, context);
  if (more !== undefined)
    for (const [at, { name }] of feasible.entries()) scores[at] = (scores[at] ?? 0) + (more.get(name) ?? 0);
  return best(feasible, scores, random);
}

/** That no node takes the pod, in words. */
export const unschedulable = (
  { nodes }: Snapshot,
  { refusals, evaluated }: Pick<Search, "refusals" | "evaluated">,
): Unschedulable => ({
  node: undefined,
  evaluated,
  summary: summaryOf(nodes.length, refusals),
  refusals,
  refusedBy: refusals.filters,
});

export function planSchedule(
  info: PodInfo,
  snapshot: Snapshot,
  { random, workload, profile = defaultProfile, startAt = 0 }: ScheduleContext,
): Placement | Unschedulable {
  const found = findNodes(info, { snapshot, profile, workload, startAt });
  if (found.feasible.length === 0) return unschedulable(snapshot, found);
  const node = chooseNode(info, found.feasible, { snapshot, profile, workload, random });
  return { node, evaluated: found.evaluated };
}
