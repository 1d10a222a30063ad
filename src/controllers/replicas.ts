// Keeps as many pods of one template as are wanted: what ReplicationControllers and ReplicaSets have in common. Pure,
// but for the table of what they watch.

import { timestamp } from "#base/clock.ts";
import type { ResourceRef } from "#client/client.ts";
import { Pods } from "#client/refs.ts";
import type { Pod, PodTemplateSpec, ReplicationControllerCondition } from "#machinery/gen/types/core-v1.ts";
import { controllerOf, objectKey, type DeepReadonly, type KubeObject } from "#machinery/meta.ts";
import { matches, selectorFromMap, type Selector } from "#machinery/selectors.ts";
import { createAction, deleteAction, referenceTo, statusAction, type Action } from "#reconcile/action.ts";
import {
  watching,
  type ControllerDefinition,
  type Plan,
  type PlanContext,
  type Reads,
} from "#reconcile/controller.ts";
import type { Failure } from "#reconcile/execute.ts";
import { claimObjects, type Claimed } from "./ownership.ts";
import { podFromTemplate } from "./pod-from-template.ts";
import { availableInMs, isPodActive, isPodTerminal, type ReadPod } from "./pod-state.ts";
import { podsToDelete } from "./replica-plan.ts";

type Conditions = readonly DeepReadonly<ReplicationControllerCondition>[];

/** What both kinds have. */
export interface ReplicaOwner extends DeepReadonly<KubeObject> {
  readonly spec?: {
    readonly replicas?: number | undefined;
    readonly minReadySeconds?: number | undefined;
    readonly template?: DeepReadonly<PodTemplateSpec> | undefined;
  };
  readonly status?: DeepReadonly<{
    replicas?: number;
    fullyLabeledReplicas?: number;
    readyReplicas?: number;
    availableReplicas?: number;
    terminatingReplicas?: number;
    observedGeneration?: number;
    conditions?: ReplicationControllerCondition[];
  }>;
}

export interface ReplicaKind<T extends ReplicaOwner> {
  readonly ref: ResourceRef;
  readonly selectorOf: (owner: T) => Selector;
  /** Its status tells how many pods are on their way out. */
  readonly countsTerminating: boolean;
}

export interface ReplicaInput<T extends ReplicaOwner> {
  readonly owner: T;
  /** Pods of its namespace that it controls, or that nobody does; in any state. */
  readonly pods: readonly ReadPod[];
  /** Pods that count with its own when crowded nodes are relieved first; by default its own. */
  readonly related?: readonly ReadPod[];
}

/** Pods created or deleted in one go, at most. */
const burstReplicas = 500;

function claim<T extends ReplicaOwner>(
  kind: ReplicaKind<T>,
  { owner, pods }: ReplicaInput<T>,
): Claimed<ReadPod> {
  const { ref, selectorOf } = kind;
  return claimObjects(pods.filter(isPodActive), { ref, owner, selector: selectorOf(owner), of: Pods });
}

function creation(ref: ResourceRef, owner: ReplicaOwner): Action {
  const pod = podFromTemplate(owner.spec?.template, ref, owner, {
    generateName: `${owner.metadata?.name ?? ""}-`,
  });
  return createAction(Pods, pod, {
    announce: {
      about: referenceTo(ref, owner),
      done: { reason: "SuccessfulCreate", message: "Created pod: {name}" },
      failed: { reason: "FailedCreate", message: "Error creating: {error}" },
    },
  });
}

function removal(ref: ResourceRef, owner: ReplicaOwner, pod: ReadPod): Action {
  return deleteAction(Pods, pod, {
    announce: {
      about: referenceTo(ref, owner),
      done: { reason: "SuccessfulDelete", message: "Deleted pod: {name}" },
      failed: { reason: "FailedDelete", message: "Error deleting: {error}" },
    },
  });
}

const isTerminating = (owner: ReplicaOwner, pod: ReadPod): boolean =>
  pod.metadata?.deletionTimestamp !== undefined &&
  !isPodTerminal(pod) &&
  controllerOf(pod)?.uid === owner.metadata?.uid;

/** One pass: a ReplicaSet of a thousand pods is looked at thousands of times. */
function countPods(owner: ReplicaOwner, mine: readonly ReadPod[], nowMs: number) {
  const minReady = owner.spec?.minReadySeconds ?? 0;
  const template = selectorFromMap(owner.spec?.template?.metadata?.labels);
  const counts = {
    fullyLabeledReplicas: 0,
    readyReplicas: 0,
    availableReplicas: 0,
    observedGeneration: owner.metadata?.generation ?? 0,
  };
  for (const pod of mine) {
    if (matches(template, pod.metadata?.labels)) counts.fullyLabeledReplicas++;
    const wait = availableInMs(pod, minReady, nowMs);
    if (wait === undefined) continue;
    counts.readyReplicas++;
    if (wait === 0) counts.availableReplicas++;
  }
  return counts;
}

interface Told {
  readonly mine: readonly ReadPod[];
  readonly conditions: Conditions;
}

function statusOf<T extends ReplicaOwner>(
  { ref, countsTerminating }: ReplicaKind<T>,
  { owner, pods }: ReplicaInput<T>,
  { mine, conditions }: Told,
  nowMs: number,
): Action[] {
  const counts = countPods(owner, mine, nowMs);
  const terminating = countsTerminating
    ? { terminatingReplicas: pods.filter((pod) => isTerminating(owner, pod)).length }
    : {};
  const old: NonNullable<ReplicaOwner["status"]> = owner.status ?? {};
  const isSame =
    old.replicas === mine.length &&
    old.terminatingReplicas === terminating.terminatingReplicas &&
    Object.entries(counts).every(([field, value]) => (old[field as keyof typeof counts] ?? 0) === value) &&
    JSON.stringify(old.conditions ?? []) === JSON.stringify(conditions);
  if (isSame) return [];
  const status = {
    replicas: mine.length,
    // Zero and empty are written as absent.
    ...Object.fromEntries(Object.entries(counts).filter(([, value]) => value !== 0)),
    ...terminating,
    ...(conditions.length === 0 ? {} : { conditions }),
  };
  return [statusAction(ref, { ...owner, status })];
}

const withoutFailure = (owner: ReplicaOwner): Conditions =>
  (owner.status?.conditions ?? []).filter((condition) => condition.type !== "ReplicaFailure");

export function planReplicas<T extends ReplicaOwner>(
  kind: ReplicaKind<T>,
  input: ReplicaInput<T>,
  { nowMs }: PlanContext,
): Plan {
  const { owner, related } = input;
  const { mine, patches } = claim(kind, input);
  const actions: Action[] = [];
  if (owner.metadata?.deletionTimestamp === undefined) {
    const missing = (owner.spec?.replicas ?? 1) - mine.length;
    for (let i = 0; i < Math.min(missing, burstReplicas); i++) actions.push(creation(kind.ref, owner));
    const surplus = Math.min(-missing, burstReplicas);
    for (const pod of podsToDelete(mine, surplus, nowMs, related))
      actions.push(removal(kind.ref, owner, pod));
  }
  actions.push(...patches, ...statusOf(kind, input, { mine, conditions: withoutFailure(owner) }, nowMs));
  const minReady = owner.spec?.minReadySeconds ?? 0;
  if (minReady === 0) return { actions };
  const waits = mine.map((pod) => availableInMs(pod, minReady, nowMs) ?? 0).filter((wait) => wait > 0);
  return waits.length === 0 ? { actions } : { actions, againAfterMs: Math.min(...waits) };
}

/** Tells in the status that pods could not be created or deleted. */
export function planReplicaFailure<T extends ReplicaOwner>(
  kind: ReplicaKind<T>,
  input: ReplicaInput<T>,
  failure: Failure,
  { nowMs }: PlanContext,
): Action[] {
  const { owner } = input;
  const what = failure.action.do;
  if (what !== "create" && what !== "delete") return [];
  const reason = what === "create" ? "FailedCreate" : "FailedDelete";
  const old = owner.status?.conditions?.find((condition) => condition.type === "ReplicaFailure");
  const known = old?.status === "True" && old.reason === reason;
  const condition = known
    ? old
    : {
        type: "ReplicaFailure",
        status: "True",
        lastTransitionTime: timestamp(nowMs),
        reason,
        message: failure.error.message,
      };
  const { mine } = claim(kind, input);
  return statusOf(kind, input, { mine, conditions: [...withoutFailure(owner), condition] }, nowMs);
}

function selectsOrphan<T extends ReplicaOwner>(kind: ReplicaKind<T>, owner: T, pod: ReadPod): boolean {
  const selector = kind.selectorOf(owner);
  return selector.length > 0 && matches(selector, pod.metadata?.labels);
}

export const podIndexes = {
  "controller-uid": (pod: ReadPod): string[] => [controllerOf(pod)?.uid ?? []].flat(),
  "orphans-by-namespace": (pod: ReadPod): string[] =>
    controllerOf(pod) === undefined ? [pod.metadata?.namespace ?? ""] : [],
};

/** Everything but the name of a controller of replicas. */
export function replicaLoop<T extends ReplicaOwner & KubeObject>(
  kind: ReplicaKind<DeepReadonly<T> & ReplicaOwner>,
  relatedPods: (owner: DeepReadonly<T>, reads: Reads) => readonly ReadPod[] | undefined = () => undefined,
): Omit<ControllerDefinition<ReplicaInput<DeepReadonly<T> & ReplicaOwner>>, "name"> {
  const { ref } = kind;
  type Owner = DeepReadonly<T> & ReplicaOwner;
  return {
    owns: [Pods],
    writes: [Pods, ref],
    watches: [
      watching<T>({
        ref,
        indexes: {
          namespace: (owner) => [(owner as Owner).metadata?.namespace ?? ""],
          "controller-uid": (owner) => [controllerOf(owner as Owner)?.uid ?? []].flat(),
        },
        keys: (owner) => [objectKey(owner as Owner)],
      }),
      watching<Pod>({
        ref: Pods,
        indexes: podIndexes,
        keys: (pod, reads) => {
          const controller = controllerOf(pod);
          const namespace = pod.metadata?.namespace ?? "";
          if (controller !== undefined)
            return controller.kind === ref.kind ? [`${namespace}/${controller.name}`] : [];
          return reads
            .of<T>(ref)
            .byIndex("namespace", namespace)
            .filter((owner) => selectsOrphan(kind, owner as Owner, pod))
            .map((owner) => objectKey(owner as Owner));
        },
      }),
    ],
    read: (key, reads) => {
      const owner = reads.of<T>(ref).get(key) as Owner | undefined;
      if (owner === undefined) return undefined;
      const pods = reads.of<Pod>(Pods);
      const orphans = pods
        .byIndex("orphans-by-namespace", owner.metadata?.namespace ?? "")
        .filter((pod) => selectsOrphan(kind, owner, pod));
      const related = relatedPods(owner, reads);
      return {
        owner,
        pods: [...pods.byIndex("controller-uid", owner.metadata?.uid ?? ""), ...orphans],
        ...(related === undefined ? {} : { related }),
      };
    },
    plan: (input, context) => planReplicas(kind, input, context),
    planAfterFailure: (input, failure, context) => planReplicaFailure(kind, input, failure, context),
  };
}
