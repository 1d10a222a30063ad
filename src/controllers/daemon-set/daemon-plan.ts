// One look at a DaemonSet: a pod on each node that should run it and none elsewhere, then the update, within what may be
// unavailable or too many. Pure.

import { ControllerRevisions, DaemonSets, Pods } from "#client/refs.ts";
import { sameJson } from "#machinery/apply/equal.ts";
import { selectorFromObject } from "#machinery/selectors.ts";
import {
  createAction,
  deleteAction,
  patchAction,
  referenceTo,
  statusAction,
  type Action,
} from "#reconcile/action.ts";
import type { Plan, PlanContext } from "#reconcile/controller.ts";
import type { Failure } from "#reconcile/execute.ts";
import { resolveAmount } from "../amounts.ts";
import { claimObjects } from "../ownership.ts";
import { availableInMs, isPodReady, type ReadPod } from "../pod-state.ts";
import {
  isCollision,
  planRevisions,
  podRevisionLabel,
  trimRevisions,
  type ReadRevision,
} from "../revisions.ts";
import {
  hashOf,
  isUpdated,
  placementOf,
  podFor,
  targetOf,
  type ReadDaemonSet,
  type ReadNode,
  type Verdict,
} from "./placement.ts";

export interface DaemonInput {
  readonly set: ReadDaemonSet;
  readonly nodes: readonly ReadNode[];
  /** Pods of its namespace that it controls, or that nobody does. */
  readonly pods: readonly ReadPod[];
  readonly revisions: readonly ReadRevision[];
  /** How long a pod that has failed is left before the next: longer each time on one node. */
  readonly failedForMs: (pod: ReadPod) => number;
}

/** Pods created or deleted in one go, at most. */
const burst = 250;

interface Place extends Verdict {
  readonly node: string;
  readonly pods: readonly ReadPod[];
}

interface Look {
  readonly set: ReadDaemonSet;
  readonly update: ReadRevision;
  readonly places: readonly Place[];
  /** Not placed, and meant for a node that is gone. */
  readonly stranded: readonly ReadPod[];
  readonly failedForMs: (pod: ReadPod) => number;
  readonly nowMs: number;
}

/** What is to be done, before it becomes actions. */
interface Steps {
  /** Nodes. */
  readonly create: Set<string>;
  readonly remove: Set<ReadPod>;
  readonly events: Action[];
  /** When a failed pod may be looked at again. */
  readonly waits: number[];
}

const isDeleting = ({ metadata }: ReadPod): boolean => metadata?.deletionTimestamp !== undefined;
const createdMs = ({ metadata }: ReadPod): number => Date.parse(metadata?.creationTimestamp ?? "") || 0;
const byAge = (a: ReadPod, b: ReadPod): number =>
  createdMs(a) - createdMs(b) || ((a.metadata?.uid ?? "") < (b.metadata?.uid ?? "") ? -1 : 1);

const isAvailable = ({ set, nowMs }: Look, pod: ReadPod): boolean =>
  !isDeleting(pod) && availableInMs(pod, set.spec?.minReadySeconds ?? 0, nowMs) === 0;

function sayEnded(set: ReadDaemonSet, pod: ReadPod, node: string): Action {
  const isFailed = pod.status?.phase === "Failed";
  const name = `${pod.metadata?.namespace ?? ""}/${pod.metadata?.name ?? ""}`;
  return {
    do: "event",
    about: referenceTo(DaemonSets, set),
    type: isFailed ? "Warning" : "Normal",
    reason: isFailed ? "FailedDaemonPod" : "SucceededDaemonPod",
    message: `Found ${isFailed ? "failed" : "succeeded"} daemon pod ${name} on node ${node}, will try to ${isFailed ? "kill" : "delete"} it`,
  };
}

const surgeOf = (set: ReadDaemonSet, desired: number): number =>
  set.spec?.updateStrategy?.type === "RollingUpdate"
    ? resolveAmount(set.spec.updateStrategy.rollingUpdate?.maxSurge, desired, "up")
    : 0;

/** Of the pods of one node: the oldest of today's template and the oldest of another. */
function pairOf({ set, update }: Look, pods: readonly ReadPod[]): { fresh?: ReadPod; old?: ReadPod } {
  const sorted = pods.toSorted(byAge);
  const fresh = sorted.find((pod) => isUpdated(set, pod, update));
  const old = sorted.find((pod) => !isUpdated(set, pod, update));
  return { ...(fresh === undefined ? {} : { fresh }), ...(old === undefined ? {} : { old }) };
}

/** One node: those that have ended go, and of several only one stays; while surging, an old and a new one. */
function tidy(look: Look, { node, pods, shouldRun, mayStay }: Place, steps: Steps, surges: boolean): void {
  const { set, failedForMs } = look;
  if (!mayStay) {
    for (const pod of pods) if (!isDeleting(pod)) steps.remove.add(pod);
    return;
  }
  if (pods.length === 0 && shouldRun) steps.create.add(node);
  const running: ReadPod[] = [];
  for (const pod of pods) {
    const phase = pod.status?.phase;
    if (isDeleting(pod)) continue;
    if (phase !== "Failed" && phase !== "Succeeded") {
      running.push(pod);
      continue;
    }
    const wait = phase === "Failed" ? failedForMs(pod) : 0;
    if (wait > 0) steps.waits.push(wait);
    else {
      steps.events.push(sayEnded(set, pod, node));
      steps.remove.add(pod);
    }
  }
  if (running.length <= 1) return;
  const { fresh, old } = pairOf(look, running);
  const keep = surges
    ? new Set([fresh, fresh !== undefined && isAvailable(look, fresh) ? undefined : old])
    : new Set([running.toSorted(byAge)[0]]);
  for (const pod of running) if (!keep.has(pod)) steps.remove.add(pod);
}

/** Old pods go while no more are unavailable than may be; those that are unavailable anyway go first. */
function replaceInPlace(look: Look, steps: Steps, most: number): void {
  const free: ReadPod[] = [];
  const candidates: ReadPod[] = [];
  let unavailable = 0;
  for (const { shouldRun, pods } of look.places) {
    if (!shouldRun) continue;
    const { fresh, old } = pairOf(look, pods);
    if (fresh === undefined && old === undefined) unavailable++;
    else if (fresh !== undefined) {
      if (!isAvailable(look, fresh)) unavailable++;
    } else if (old !== undefined && !isAvailable(look, old)) {
      unavailable++;
      if (!isDeleting(old)) free.push(old);
    } else if (old !== undefined) candidates.push(old);
  }
  const rest = Math.max(0, most - unavailable);
  for (const pod of [...free, ...candidates.slice(0, rest)]) steps.remove.add(pod);
}

/** New pods come beside the old ones, so many at a time; an old one goes when its successor is available. */
function replaceBySurge(look: Look, steps: Steps, most: number): void {
  const free: string[] = [];
  const candidates: string[] = [];
  let surging = 0;
  for (const { node, shouldRun, pods } of look.places) {
    if (!shouldRun) continue;
    const { fresh, old } = pairOf(look, pods);
    if (old === undefined) continue;
    if (fresh !== undefined) {
      if (!isAvailable(look, fresh)) surging++;
      else if (!isDeleting(old)) steps.remove.add(old);
    } else if (!isDeleting(old)) (isAvailable(look, old) ? candidates : free).push(node);
  }
  const rest = Math.max(0, most - surging);
  for (const node of [...free, ...candidates.slice(0, rest)]) steps.create.add(node);
}

function stepsOf(look: Look): Steps {
  const { set, places, stranded } = look;
  const steps: Steps = { create: new Set(), remove: new Set(stranded), events: [], waits: [] };
  const desired = places.filter(({ shouldRun }) => shouldRun).length;
  const maxSurge = surgeOf(set, desired);
  for (const place of places) tidy(look, place, steps, maxSurge > 0);
  if (set.spec?.updateStrategy?.type !== "RollingUpdate" || steps.create.size + steps.remove.size > 0)
    return steps;
  if (maxSurge > 0) {
    replaceBySurge(look, steps, maxSurge);
    return steps;
  }
  const { maxUnavailable } = set.spec.updateStrategy.rollingUpdate ?? {};
  replaceInPlace(look, steps, Math.max(1, resolveAmount(maxUnavailable ?? 1, desired, "up")));
  return steps;
}

function toActions({ set, update }: Look, { create, remove, events }: Steps): Action[] {
  const about = referenceTo(DaemonSets, set);
  const creations = [...create].slice(0, burst).map((node) =>
    createAction(Pods, podFor(set, node, update), {
      announce: {
        about,
        done: { reason: "SuccessfulCreate", message: "Created pod: {name}" },
        failed: { reason: "FailedCreate", message: "Error creating: {error}" },
      },
    }),
  );
  const removals = [...remove].slice(0, burst).map((pod) =>
    deleteAction(Pods, pod, {
      announce: {
        about,
        done: { reason: "SuccessfulDelete", message: "Deleted pod: {name}" },
        failed: { reason: "FailedDelete", message: "Error deleting: {error}" },
      },
    }),
  );
  return [...events, ...creations, ...removals];
}

function planStatus(look: Look): Action[] {
  const { set, places, update } = look;
  const wanted = places.filter(({ shouldRun }) => shouldRun);
  const oldest = wanted.flatMap(({ pods }) => pods.toSorted(byAge).slice(0, 1));
  const count = (is: (pod: ReadPod) => boolean): number => oldest.filter(is).length;
  const available = count(
    (pod) => isPodReady(pod) && availableInMs(pod, set.spec?.minReadySeconds ?? 0, look.nowMs) === 0,
  );
  const optional = {
    observedGeneration: set.metadata?.generation ?? 0,
    updatedNumberScheduled: count((pod) => isUpdated(set, pod, update)),
    numberAvailable: available,
    numberUnavailable: wanted.length - available,
  };
  const { collisionCount } = set.status ?? {};
  const status = {
    currentNumberScheduled: oldest.length,
    numberMisscheduled: places.filter(({ shouldRun, pods }) => !shouldRun && pods.length > 0).length,
    desiredNumberScheduled: wanted.length,
    numberReady: count(isPodReady),
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== 0)),
    ...(collisionCount === undefined ? {} : { collisionCount }),
  };
  return sameJson(status, set.status) ? [] : [statusAction(DaemonSets, { ...set, status })];
}

/** Each node with its pods. */
function placesOf(
  set: ReadDaemonSet,
  nodes: readonly ReadNode[],
  pods: readonly ReadPod[],
): Pick<Look, "places" | "stranded"> {
  const judge = placementOf(set);
  const byNode = Map.groupBy(pods, (pod) => targetOf(pod) ?? "");
  const places = nodes.map((node) => {
    const name = node.metadata?.name ?? "";
    return { node: name, pods: byNode.get(name) ?? [], ...judge(node) };
  });
  const known = new Set(places.map(({ node }) => node));
  const isStranded = (pod: ReadPod): boolean =>
    (pod.spec?.nodeName ?? "") === "" && !known.has(targetOf(pod) ?? "") && !isDeleting(pod);
  return { places, stranded: pods.filter(isStranded) };
}

export function planDaemonSet(input: DaemonInput, { nowMs }: PlanContext): Plan {
  const { set, nodes, failedForMs } = input;
  // The collector takes its pods and revisions: made anew, they would be taken again.
  if (set.metadata?.deletionTimestamp !== undefined) return { actions: [] };
  const selector = selectorFromObject(set.spec?.selector) ?? [];
  const rules = { ref: DaemonSets, owner: set, selector };
  const { mine, patches } = claimObjects(input.pods, { ...rules, of: Pods });
  if (patches.length > 0) return { actions: patches };
  const revisions = claimObjects(input.revisions, { ...rules, of: ControllerRevisions });
  const { update, actions } = planRevisions(DaemonSets, set, revisions.mine);
  if (update === undefined || actions.length + revisions.patches.length > 0)
    return { actions: [...revisions.patches, ...actions] };
  const look: Look = { set, update, ...placesOf(set, nodes, mine), failedForMs, nowMs };
  // Pods from before there were hashes get the hash of the template that they are of.
  const unmarked = mine.filter(
    (pod) => (pod.metadata?.labels?.[podRevisionLabel] ?? "") === "" && isUpdated(set, pod, update),
  );
  const marks = unmarked.map((pod) =>
    patchAction(Pods, pod, "merge", {
      metadata: { uid: pod.metadata?.uid, labels: { [podRevisionLabel]: hashOf(update) } },
    }),
  );
  const steps = stepsOf(look);
  const used = new Set([hashOf(update), ...mine.map(({ metadata }) => metadata?.labels?.[podRevisionLabel])]);
  const trimmed = trimRevisions(set, revisions.mine, (one) => used.has(hashOf(one)));
  const ready = mine
    .map((pod) => availableInMs(pod, set.spec?.minReadySeconds ?? 0, nowMs) ?? 0)
    .filter((wait) => wait > 0);
  const waits = [...steps.waits, ...ready];
  return {
    actions: [...marks, ...toActions(look, steps), ...planStatus(look), ...trimmed],
    ...(waits.length === 0 ? {} : { againAfterMs: Math.min(...waits) }),
  };
}

export function planDaemonFailure({ set }: DaemonInput, failure: Failure): Action[] {
  if (!isCollision(failure)) return [];
  const status = {
    currentNumberScheduled: 0,
    numberMisscheduled: 0,
    desiredNumberScheduled: 0,
    numberReady: 0,
    ...set.status,
    collisionCount: (set.status?.collisionCount ?? 0) + 1,
  };
  return [statusAction(DaemonSets, { ...set, status })];
}
