// Which pods of lower priority to evict, and from which node, so that a pod that fits nowhere fits there. As documented
// for pod priority and preemption: as few disruptions as possible, those that budgets forbid last.

import type { Random } from "#base/random.ts";
import { matches, type Labels, type Selector } from "#machinery/selectors.ts";
import { prepareFilters, type FilterContext } from "./filters.ts";
import type { PodInfo } from "./pod-info.ts";
import { histogram, type Refusals } from "./refusal.ts";
import type { Room } from "./room.ts";
import { refusalNow } from "./schedule.ts";
import type { NodeInfo } from "./snapshot.ts";
import { constraintsOf } from "./spreading.ts";

/** A PodDisruptionBudget as far as preemption looks at it. */
export interface Budget {
  readonly namespace: string;
  /** Undefined selects nothing. */
  readonly selector: Selector | undefined;
  readonly disruptionsAllowed: number;
  /** Names of pods whose disruption is counted already. */
  readonly disrupted: ReadonlySet<string>;
}

export interface PreemptionContext extends FilterContext {
  readonly random: Random;
  readonly budgets: readonly Budget[];
}

export interface Preemption {
  readonly node: string;
  readonly victims: readonly PodInfo[];
}

export interface Candidate {
  readonly node: NodeInfo;
  /** The most important first. */
  readonly victims: readonly PodInfo[];
  readonly violations: number;
}

/** What preemption comes to: the victims, or why it helps nothing (the end of the message of FailedScheduling). */
export type PreemptionPlan =
  | { readonly preemption: Preemption; readonly message?: undefined }
  | { readonly preemption: undefined; readonly message: string };

const noVictims = "No preemption victims found for incoming pod";
const notHelpful = "Preemption is not helpful for scheduling";

/** Splits pods into those whose eviction a budget forbids, and others; in the given order. */
function splitByBudget(
  pods: readonly PodInfo[],
  budgets: readonly Budget[],
): { violating: PodInfo[]; others: PodInfo[] } {
  const left = budgets.map(({ disruptionsAllowed }) => disruptionsAllowed);
  const violating: PodInfo[] = [];
  const others: PodInfo[] = [];
  for (const pod of pods) {
    const labels: Labels = pod.shape.labels;
    let isViolating = false;
    for (const [at, { namespace, selector, disrupted }] of budgets.entries()) {
      const isMeant =
        Object.keys(labels ?? {}).length > 0 &&
        namespace === pod.namespace &&
        selector !== undefined &&
        selector.length > 0 &&
        matches(selector, labels);
      if (!isMeant || disrupted.has(pod.name)) continue;
      left[at] = (left[at] as number) - 1;
      if ((left[at] as number) < 0) isViolating = true;
    }
    (isViolating ? violating : others).push(pod);
  }
  return { violating, others };
}

/** Takes pods from a node and puts them back, and asks each time whether the pod fits. */
interface Trial {
  take(pod: PodInfo): void;
  put(pod: PodInfo): void;
  fits(): boolean;
}

/** On the snapshot itself, with every filter: all that was taken is put back in the end. */
class SnapshotTrial implements Trial {
  readonly #info: PodInfo;
  readonly #node: NodeInfo;
  readonly #context: PreemptionContext;

  constructor(info: PodInfo, node: NodeInfo, context: PreemptionContext) {
    this.#info = info;
    this.#node = node;
    this.#context = context;
  }

  take(pod: PodInfo): void {
    this.#context.snapshot.removePod(pod.uid);
  }

  put(pod: PodInfo): void {
    this.#context.snapshot.setPod(pod, this.#node.name);
  }

  fits(): boolean {
    const prepared = prepareFilters(this.#info, this.#context);
    return refusalNow(this.#info, this.#node, prepared, this.#context) === undefined;
  }
}

/** For a pod that nothing but room keeps from the node: a few numbers. */
class RoomTrial implements Trial {
  readonly #wanted: Room;
  #cpu: number;
  #memory: number;
  #storage: number;
  #pods: number;

  constructor({ shape }: PodInfo, { allocatable, requested, pods, podsMax }: NodeInfo) {
    this.#wanted = shape.requests;
    this.#cpu = allocatable.cpu - requested.cpu;
    this.#memory = allocatable.memory - requested.memory;
    this.#storage = allocatable.storage - requested.storage;
    this.#pods = podsMax - pods.size;
  }

  take({ shape: { requests } }: PodInfo): void {
    this.#cpu += requests.cpu;
    this.#memory += requests.memory;
    this.#storage += requests.storage;
    this.#pods++;
  }

  put({ shape: { requests } }: PodInfo): void {
    this.#cpu -= requests.cpu;
    this.#memory -= requests.memory;
    this.#storage -= requests.storage;
    this.#pods--;
  }

  fits(): boolean {
    const { cpu, memory, storage } = this.#wanted;
    if (this.#pods <= 0) return false;
    const isShort = (wanted: number, free: number): boolean => wanted > 0 && wanted > free;
    return !isShort(cpu, this.#cpu) && !isShort(memory, this.#memory) && !isShort(storage, this.#storage);
  }
}

/** No filter looks at anything of the other pods but the room that they take. */
function dependsOnRoomAlone(info: PodInfo, { snapshot, profile, workload }: PreemptionContext): boolean {
  const { shape } = info;
  return (
    shape.affinity.length + shape.antiAffinity.length + shape.ports.length === 0 &&
    shape.requests.others === undefined &&
    constraintsOf(info, true, profile, workload).length === 0 &&
    !snapshot.holders.hasRefusing &&
    !snapshot.hasNominated &&
    profile.checksRoom
  );
}

function candidateOn(
  info: PodInfo,
  node: NodeInfo,
  context: PreemptionContext,
  isRoomAlone: boolean,
): Candidate | undefined {
  const lower = context.snapshot.lowerThan(info.priority, node.name);
  if (lower.length === 0) return undefined;
  const trial = isRoomAlone ? new RoomTrial(info, node) : new SnapshotTrial(info, node, context);
  for (const pod of lower) trial.take(pod);
  let victims: PodInfo[] = [];
  let violations = 0;
  if (trial.fits()) {
    const { violating, others } =
      context.budgets.length === 0 ? { violating: [], others: lower } : splitByBudget(lower, context.budgets);
    // Whoever can stay does; those whose eviction a budget forbids are kept first.
    const spare = (pod: PodInfo): boolean => {
      trial.put(pod);
      if (trial.fits()) return true;
      trial.take(pod);
      victims.push(pod);
      return false;
    };
    for (const pod of violating) if (!spare(pod)) violations++;
    for (const pod of others) spare(pod);
    for (const pod of victims) trial.put(pod);
  } else for (const pod of lower) trial.put(pod);
  // Those against a budget came first; otherwise they are in order already.
  if (violations > 0) victims = lower.filter((pod) => victims.includes(pod));
  return victims.length === 0 ? undefined : { node, victims, violations };
}

const priorities = ({ victims }: Candidate): number =>
  victims.reduce((sum, { priority }) => sum + priority, 0);

/** When the most important of the victims last started. */
function latestStart({ victims }: Candidate): number {
  const [first] = victims;
  return victims
    .filter(({ priority }) => priority === first?.priority)
    .reduce((earliest, { startedMs }) => Math.min(earliest, startedMs), Infinity);
}

/** Less is better, one after the other. */
const costs: readonly ((candidate: Candidate) => number)[] = [
  ({ violations }) => violations,
  ({ victims }) => victims[0]?.priority ?? 0,
  priorities,
  ({ victims }) => victims.length,
  (candidate) => -latestStart(candidate),
];

export function cheapest(candidates: readonly Candidate[]): Candidate | undefined {
  let left = candidates;
  for (const cost of costs) {
    if (left.length <= 1) break;
    const values = left.map(cost);
    const least = values.reduce((a, b) => Math.min(a, b), Infinity);
    left = left.filter((_, at) => values[at] === least);
  }
  return left[0];
}

/** Its node is being cleared for it already: it waits for that. */
function isAwaited(info: PodInfo, { snapshot }: PreemptionContext, refusals: Refusals): boolean {
  const node = snapshot.node(info.nominatedNode);
  if (node === undefined || refusals.get(node)?.resolvable === false) return false;
  for (const { priority, preempted } of node.pods.values())
    if (priority < info.priority && preempted) return true;
  return false;
}

/** Why the pod may not have others evicted at all. */
export function ineligibility(
  info: PodInfo,
  refusals: Refusals,
  context: PreemptionContext,
): string | undefined {
  if (!info.preempts) return "not eligible due to preemptionPolicy=Never.";
  return isAwaited(info, context, refusals)
    ? "not eligible due to a terminating pod on the nominated node."
    : undefined;
}

/** Nodes that could be cleared for the pod, each with whom that would cost. */
export function preemptionCandidates(
  info: PodInfo,
  refusals: Refusals,
  context: PreemptionContext,
): Candidate[] {
  const { profile, random } = context;
  const possible = refusals.resolvable();
  const wanted = Math.max(
    profile.minCandidateNodesAbsolute,
    Math.floor((possible.length * profile.minCandidateNodesPercentage) / 100),
  );
  const startAt = possible.length === 0 ? 0 : random.integer(possible.length);
  const isRoomAlone = dependsOnRoomAlone(info, context);
  const candidates: Candidate[] = [];
  let hasUnviolating = false;
  for (let tried = 0; tried < possible.length; tried++) {
    if (hasUnviolating && candidates.length >= wanted) break;
    const node = possible[(startAt + tried) % possible.length] as NodeInfo;
    const candidate = candidateOn(info, node, context, isRoomAlone);
    if (candidate === undefined) continue;
    candidates.push(candidate);
    hasUnviolating ||= candidate.violations === 0;
  }
  return candidates;
}

/** What others made of the candidates: the pods are those of the node now. Throws when they are not there. */
export function candidatesFrom(
  victims: ReadonlyMap<string, { readonly uids: readonly string[]; readonly violations: number }>,
  { snapshot }: PreemptionContext,
): Candidate[] {
  return [...victims].map(([name, { uids, violations }]) => {
    const node = snapshot.node(name);
    if (node?.exists !== true)
      throw new Error(`an extender claims to preempt on node ${name}, which is not there`);
    const stranger = uids.find((uid) => !node.pods.has(uid));
    if (stranger !== undefined)
      throw new Error(
        `an extender claims to preempt pod (UID: ${stranger}) on node: ${name}, but the pod is not found on that node`,
      );
    const chosen = new Set(uids);
    const pods = snapshot.lowerThan(Infinity, name).filter(({ uid }) => chosen.has(uid));
    if (pods.length === 0)
      throw new Error(`an extender names no victim on node ${name}: expected at least one`);
    return { node, victims: pods, violations };
  });
}

export function choosePreemption(
  candidates: readonly Candidate[],
  refusals: Refusals,
  { snapshot }: PreemptionContext,
): PreemptionPlan {
  const chosen = cheapest(candidates);
  if (chosen !== undefined) return { preemption: { node: chosen.node.name, victims: chosen.victims } };
  const reasons = [...refusals.counts].map(
    ([{ resolvable }, count]) => [resolvable ? noVictims : notHelpful, count] as const,
  );
  const total = snapshot.nodes.length;
  return { preemption: undefined, message: `0/${total} nodes are available: ${histogram(reasons)}.` };
}

export function planPreemption(
  info: PodInfo,
  refusals: Refusals,
  context: PreemptionContext,
): PreemptionPlan {
  const message = ineligibility(info, refusals, context);
  if (message !== undefined) return { preemption: undefined, message };
  return choosePreemption(preemptionCandidates(info, refusals, context), refusals, context);
}

/** The whole message of the event FailedScheduling and of the condition PodScheduled. */
export const unschedulableMessage = (summary: string, preemption: string | undefined): string =>
  preemption === undefined ? summary : `${summary} no new claims to deallocate, preemption: ${preemption}`;
