// Which pods of lower priority to evict, and from which node, so that a pod that fits nowhere fits there. As documented
// for pod priority and preemption: as few disruptions as possible, those that budgets forbid last.

import type { Random } from "#base/random.ts";
import { matches, type Labels, type Selector } from "#machinery/selectors.ts";
import { dynamicRefusal, prepareFilters } from "./filters.ts";
import type { PodInfo } from "./pod-info.ts";
import type { Profile } from "./profile.ts";
import type { Refusal } from "./refusal.ts";
import { histogram } from "./schedule.ts";
import type { NodeInfo, Snapshot } from "./snapshot.ts";

/** A PodDisruptionBudget as far as preemption looks at it. */
export interface Budget {
  readonly namespace: string;
  /** Undefined selects nothing. */
  readonly selector: Selector | undefined;
  readonly disruptionsAllowed: number;
  /** Names of pods whose disruption is counted already. */
  readonly disrupted: ReadonlySet<string>;
}

export interface PreemptionContext {
  readonly snapshot: Snapshot;
  readonly profile: Profile;
  readonly random: Random;
  readonly budgets: readonly Budget[];
}

export interface Preemption {
  readonly node: string;
  readonly victims: readonly PodInfo[];
}

interface Candidate {
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

/** The more important pod first: by priority, then by who has run for longer. */
const byImportance = (a: PodInfo, b: PodInfo): number =>
  b.priority - a.priority || a.startedMs - b.startedMs || (a.uid < b.uid ? -1 : 1);

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

/** Who else is on the node changes only its room: no term of affinity or spreading looks at it. */
function dependsOnRoomAlone({ shape }: PodInfo, { holders }: Snapshot): boolean {
  const terms = shape.affinity.length + shape.antiAffinity.length;
  return terms === 0 && !holders.hasRefusing && !shape.spread.some(({ isHard }) => isHard);
}

/** Takes pods from the node and puts them back, and asks each time whether the pod fits. */
class Trial {
  readonly #info: PodInfo;
  readonly #node: NodeInfo;
  readonly #context: PreemptionContext;
  readonly #isRoomAlone: boolean;

  constructor(info: PodInfo, node: NodeInfo, context: PreemptionContext, isRoomAlone: boolean) {
    this.#info = info;
    this.#node = node;
    this.#context = context;
    this.#isRoomAlone = isRoomAlone;
  }

  take(pod: PodInfo): void {
    const { snapshot } = this.#context;
    if (this.#isRoomAlone) snapshot.lift(pod, -1);
    else snapshot.removePod(pod.uid);
  }

  put(pod: PodInfo): void {
    const { snapshot } = this.#context;
    if (this.#isRoomAlone) snapshot.lift(pod, 1);
    else snapshot.setPod(pod, this.#node.name);
  }

  fits(): boolean {
    const { snapshot, profile } = this.#context;
    const others = [...(snapshot.nominatedTo(this.#node.name)?.values() ?? [])].filter(
      ({ uid, priority }) =>
        uid !== this.#info.uid && priority >= this.#info.priority && snapshot.placeOf(uid) === undefined,
    );
    for (const other of others) snapshot.setPod(other, this.#node.name);
    const prepared = this.#isRoomAlone
      ? { spreads: [], neighbours: undefined }
      : prepareFilters(this.#info, snapshot, profile);
    const refusal = dynamicRefusal(this.#info, this.#node, prepared, profile);
    for (const other of others) snapshot.removePod(other.uid);
    return refusal === undefined;
  }
}

function candidateOn(
  info: PodInfo,
  node: NodeInfo,
  context: PreemptionContext,
  isRoomAlone: boolean,
): Candidate | undefined {
  const lower = [...node.pods.values()].filter(({ priority }) => priority < info.priority);
  if (lower.length === 0) return undefined;
  lower.sort(byImportance);
  const trial = new Trial(info, node, context, isRoomAlone);
  for (const pod of lower) trial.take(pod);
  const victims: PodInfo[] = [];
  let violations = 0;
  if (trial.fits()) {
    const { violating, others } = splitByBudget(lower, context.budgets);
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
  return victims.length === 0 ? undefined : { node, victims: victims.sort(byImportance), violations };
}

const priorities = ({ victims }: Candidate): number => victims.reduce((sum, { priority }) => sum + priority, 0);

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
function isAwaited(info: PodInfo, { snapshot }: PreemptionContext, refusals: ReadonlyMap<NodeInfo, Refusal>): boolean {
  const node = snapshot.node(info.nominatedNode);
  if (node === undefined || refusals.get(node)?.resolvable === false) return false;
  for (const { priority, preempted } of node.pods.values())
    if (priority < info.priority && preempted) return true;
  return false;
}

export function planPreemption(
  info: PodInfo,
  refusals: ReadonlyMap<NodeInfo, Refusal>,
  context: PreemptionContext,
): PreemptionPlan {
  const { snapshot, profile, random } = context;
  if (!info.preempts) return { preemption: undefined, message: "not eligible due to preemptionPolicy=Never." };
  if (isAwaited(info, context, refusals))
    return { preemption: undefined, message: "not eligible due to a terminating pod on the nominated node." };
  const total = snapshot.nodes.length;
  const possible = [...refusals].filter(([, { resolvable }]) => resolvable).map(([node]) => node);
  const wanted = Math.max(
    profile.minCandidateNodesAbsolute,
    Math.floor((possible.length * profile.minCandidateNodesPercentage) / 100),
  );
  const startAt = possible.length === 0 ? 0 : random.integer(possible.length);
  const isRoomAlone = dependsOnRoomAlone(info, snapshot);
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
  const chosen = cheapest(candidates);
  if (chosen !== undefined) return { preemption: { node: chosen.node.name, victims: chosen.victims } };
  const reasons = [...refusals.values()].map(({ resolvable }) => (resolvable ? noVictims : notHelpful));
  return { preemption: undefined, message: `0/${total} nodes are available: ${histogram(reasons)}.` };
}

/** The whole message of the event FailedScheduling and of the condition PodScheduled. */
export const unschedulableMessage = (summary: string, preemption: string | undefined): string =>
  preemption === undefined ? summary : `${summary} no new claims to deallocate, preemption: ${preemption}`;
