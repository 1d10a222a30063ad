// One look at a StatefulSet: its revisions, its pods in their order, then the update from the last ordinal to the first.
// OrderedReady takes one step at a time, and only when all before it are available; Parallel takes all at once. Pure.

import { ControllerRevisions, PersistentVolumeClaims, Pods, StatefulSets } from "#client/refs.ts";
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
import { isPodTerminal, type ReadPod } from "../pod-state.ts";
import { isCollision, planRevisions, templateOf, trimRevisions, type ReadRevision } from "../revisions.ts";
import {
  availableIn,
  claimsOf,
  isRunningAndReady,
  isTerminating,
  newPod,
  ordinalOf,
  podCreation,
  replicasOf,
  revisionOfPod,
  startOf,
  type ReadClaim,
  type ReadStatefulSet,
} from "./identity.ts";

export interface StatefulInput {
  readonly set: ReadStatefulSet;
  /** Pods of its namespace that it controls, or that nobody does. */
  readonly pods: readonly ReadPod[];
  readonly revisions: readonly ReadRevision[];
  /** Of its namespace, by name. */
  readonly claim: (name: string) => ReadClaim | undefined;
}

interface Look extends StatefulInput {
  readonly nowMs: number;
  readonly isOrdered: boolean;
  readonly current: ReadRevision;
  readonly update: ReadRevision;
  /** By ordinal, from the first; undefined where there is none. */
  readonly replicas: readonly (ReadPod | undefined)[];
  /** Beyond the number that is wanted; the last first. */
  readonly condemned: readonly ReadPod[];
}

const nameOf = ({ metadata }: { readonly metadata?: { readonly name?: string } }): string =>
  metadata?.name ?? "";

function removal(set: ReadStatefulSet, pod: ReadPod): Action {
  const text = `delete Pod ${nameOf(pod)} in StatefulSet ${nameOf(set)}`;
  return deleteAction(Pods, pod, {
    announce: {
      about: referenceTo(StatefulSets, set),
      done: { reason: "SuccessfulDelete", message: `${text} successful` },
      failed: { reason: "FailedDelete", message: `${text} failed error: {error}` },
    },
  });
}

/** The claims of a pod that are not there. Undefined: one is going away, and its pod has to wait for the next. */
function missingClaims({ set, claim }: Look, podName: string): Action[] | undefined {
  const wanted = claimsOf(set, podName);
  if (wanted.some((one) => claim(nameOf(one))?.metadata?.deletionTimestamp !== undefined)) return undefined;
  return wanted
    .filter((one) => claim(nameOf(one)) === undefined)
    .map((one) => {
      const text = `create Claim ${nameOf(one)} Pod ${podName} in StatefulSet ${nameOf(set)}`;
      return createAction(PersistentVolumeClaims, one, {
        announce: {
          about: referenceTo(StatefulSets, set),
          done: { reason: "SuccessfulCreate", message: `${text} success` },
          failed: { reason: "FailedCreate", message: `${text} failed error: {error}` },
        },
      });
    });
}

/** Below the partition a pod is made of the current revision, from it on of the one that is rolled out. */
function create(look: Look, ordinal: number): Action[] | undefined {
  const { set, current, update } = look;
  const { type, rollingUpdate } = set.spec?.updateStrategy ?? {};
  const isOld = type === "RollingUpdate" && ordinal < startOf(set) + (rollingUpdate?.partition ?? 0);
  const revision = isOld ? current : update;
  const pod = newPod(set, ordinal, templateOf(revision), nameOf(revision));
  const claims = missingClaims(look, nameOf(pod));
  return claims === undefined ? undefined : [...claims, podCreation(set, pod)];
}

const isAvailable = ({ set, nowMs }: Look, pod: ReadPod): boolean => availableIn(set, pod, nowMs) === 0;

interface Step {
  readonly actions: readonly Action[];
  /** Nothing further is done before this has come about. */
  readonly waits: boolean;
}

function replicaStep(look: Look, at: number): Step {
  const { set, isOrdered } = look;
  const pod = look.replicas[at];
  if (pod === undefined) {
    const actions = create(look, startOf(set) + at);
    return { actions: actions ?? [], waits: isOrdered || actions === undefined };
  }
  if (isPodTerminal(pod)) return { actions: isTerminating(pod) ? [] : [removal(set, pod)], waits: isOrdered };
  const claims = pod.status?.phase === "Pending" ? (missingClaims(look, nameOf(pod)) ?? []) : [];
  const waits = isOrdered && (isTerminating(pod) || !isAvailable(look, pod));
  return { actions: claims, waits };
}

/** Of the claims of a pod that is scaled away: they go with it, if the retention says so. */
function scaledClaims({ set, claim }: Look, pod: ReadPod): Action[] {
  if (set.spec?.persistentVolumeClaimRetentionPolicy?.whenScaled !== "Delete") return [];
  const owner = { apiVersion: "v1", kind: "Pod", name: nameOf(pod), uid: pod.metadata?.uid ?? "" };
  return claimsOf(set, nameOf(pod)).flatMap((wanted) => {
    const held = claim(nameOf(wanted));
    if (held === undefined || held.metadata?.ownerReferences?.some(({ uid }) => uid === owner.uid) === true)
      return [];
    const patch = { metadata: { uid: held.metadata?.uid, ownerReferences: [owner] } };
    return [patchAction(PersistentVolumeClaims, held, "strategic", patch)];
  });
}

function condemnedStep(look: Look, pod: ReadPod, firstUnhealthy: ReadPod | undefined): Step {
  const { set, isOrdered } = look;
  if (isTerminating(pod)) return { actions: [], waits: isOrdered };
  // While another is not well, nobody who is well goes; the one that is not may.
  const isBlocked = isOrdered && firstUnhealthy !== undefined && firstUnhealthy !== pod;
  if (isBlocked) return { actions: [], waits: true };
  return { actions: [...scaledClaims(look, pod), removal(set, pod)], waits: isOrdered };
}

/**
 * From the last to the partition, as many at a time as may be unavailable; who is unavailable anywhere in the set counts.
 * Pods that are to go and are unavailable anyway go first.
 */
function updateSteps(look: Look): Action[] {
  const { set, replicas, update } = look;
  const { type, rollingUpdate } = set.spec?.updateStrategy ?? {};
  if (type !== "RollingUpdate") return [];
  const { partition = 0, maxUnavailable = 1 } = rollingUpdate ?? {};
  let room = Math.max(1, resolveAmount(maxUnavailable, replicasOf(set), "up"));
  const broken: ReadPod[] = [];
  const fine: ReadPod[] = [];
  for (const [at, pod] of replicas.entries()) {
    const isThere = pod !== undefined && !isTerminating(pod);
    const isOld = isThere && at >= partition && revisionOfPod(pod) !== nameOf(update);
    if (isOld) (isAvailable(look, pod) ? fine : broken).unshift(pod);
    else if (!isThere || !isAvailable(look, pod)) room--;
  }
  const gone = [...broken.slice(0, Math.max(0, room)), ...fine.slice(0, Math.max(0, room - broken.length))];
  return gone.map((pod) => removal(set, pod));
}

function steps(look: Look): Action[] {
  const { replicas, condemned } = look;
  const actions: Action[] = [];
  let hasGap = false;
  for (const at of replicas.keys()) {
    const step = replicaStep(look, at);
    actions.push(...step.actions);
    if (step.actions.length > 0) hasGap = true;
    if (step.waits) return actions;
  }
  const unhealthy = [...replicas, ...condemned.toReversed()].find(
    (pod) => pod !== undefined && (isTerminating(pod) || !isAvailable(look, pod)),
  );
  for (const pod of condemned) {
    const step = condemnedStep(look, pod, unhealthy);
    actions.push(...step.actions);
    if (step.actions.length > 0) hasGap = true;
    if (step.waits) return actions;
  }
  return hasGap ? actions : [...actions, ...updateSteps(look)];
}

type Counts = Record<
  "replicas" | "readyReplicas" | "availableReplicas" | "currentReplicas" | "updatedReplicas",
  number
>;

function count(look: Look): Counts {
  const pods = [...look.replicas, ...look.condemned].filter((pod) => pod !== undefined);
  const alive = pods.filter((pod) => !isTerminating(pod));
  const of = (list: readonly ReadPod[], wanted: (pod: ReadPod) => boolean): number =>
    list.filter(wanted).length;
  return {
    replicas: pods.length,
    readyReplicas: of(pods, isRunningAndReady),
    availableReplicas: of(pods, (pod) => isAvailable(look, pod)),
    currentReplicas: of(alive, (pod) => revisionOfPod(pod) === nameOf(look.current)),
    updatedReplicas: of(alive, (pod) => revisionOfPod(pod) === nameOf(look.update)),
  };
}

function planStatus(look: Look): Action[] {
  const { set, current, update } = look;
  const counts = count(look);
  const wanted = replicasOf(set);
  const isDone =
    set.spec?.updateStrategy?.type === "RollingUpdate" &&
    [counts.updatedReplicas, counts.replicas, counts.readyReplicas].every((number) => number === wanted);
  const { collisionCount } = set.status ?? {};
  const optional = {
    readyReplicas: counts.readyReplicas,
    currentReplicas: isDone ? counts.updatedReplicas : counts.currentReplicas,
    updatedReplicas: counts.updatedReplicas,
  };
  const status = {
    observedGeneration: set.metadata?.generation ?? 0,
    replicas: counts.replicas,
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== 0)),
    currentRevision: nameOf(isDone ? update : current),
    updateRevision: nameOf(update),
    ...(collisionCount === undefined ? {} : { collisionCount }),
    availableReplicas: counts.availableReplicas,
  };
  return sameJson(status, set.status) ? [] : [statusAction(StatefulSets, { ...set, status })];
}

function placed(set: ReadStatefulSet, pods: readonly ReadPod[]): Pick<Look, "replicas" | "condemned"> {
  const start = startOf(set);
  const replicas: (ReadPod | undefined)[] = Array.from({ length: replicasOf(set) }, () => undefined);
  const condemned: { pod: ReadPod; ordinal: number }[] = [];
  for (const pod of pods) {
    const ordinal = ordinalOf(set, pod);
    if (ordinal === undefined) continue;
    if (ordinal >= start && ordinal < start + replicas.length) replicas[ordinal - start] = pod;
    else condemned.push({ pod, ordinal });
  }
  return { replicas, condemned: condemned.sort((a, b) => b.ordinal - a.ordinal).map(({ pod }) => pod) };
}

export function planStatefulSet(input: StatefulInput, { nowMs }: PlanContext): Plan {
  const { set } = input;
  // The collector takes its pods and revisions: made anew, they would be taken again.
  if (set.metadata?.deletionTimestamp !== undefined) return { actions: [] };
  const selector = selectorFromObject(set.spec?.selector) ?? [];
  const isMember = (pod: ReadPod): boolean => ordinalOf(set, pod) !== undefined;
  const rules = { ref: StatefulSets, owner: set, selector };
  const { mine, patches } = claimObjects(input.pods, { ...rules, of: Pods, adoptable: isMember });
  if (patches.length > 0) return { actions: patches };
  const revisions = claimObjects(input.revisions, { ...rules, of: ControllerRevisions });
  const { update, actions } = planRevisions(StatefulSets, set, revisions.mine);
  // What has just been written is looked at when the caches show it.
  if (update === undefined || actions.length + revisions.patches.length > 0)
    return { actions: [...revisions.patches, ...actions] };
  const current = revisions.mine.find((one) => nameOf(one) === set.status?.currentRevision) ?? update;
  const isOrdered = set.spec?.podManagementPolicy !== "Parallel";
  const look: Look = { ...input, nowMs, isOrdered, current, update, ...placed(set, mine) };
  const used = new Set([nameOf(current), nameOf(update), ...mine.map(revisionOfPod)]);
  const trimmed = trimRevisions(set, revisions.mine, (one) => used.has(nameOf(one)));
  const waits = mine.map((pod) => availableIn(set, pod, nowMs) ?? 0).filter((wait) => wait > 0);
  return {
    actions: [...steps(look), ...planStatus(look), ...trimmed],
    ...(waits.length === 0 ? {} : { againAfterMs: Math.min(...waits) }),
  };
}

export function planStatefulFailure({ set }: StatefulInput, failure: Failure): Action[] {
  if (!isCollision(failure)) return [];
  const collisionCount = (set.status?.collisionCount ?? 0) + 1;
  return [statusAction(StatefulSets, { ...set, status: { replicas: 0, ...set.status, collisionCount } })];
}
