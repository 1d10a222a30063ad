// Keeps spec.replicas pods alive.
// Watches: replicationcontrollers, pods (by owner; orphans by selector).  Owns: pods.
// Writes: pods (create, delete, owner references), replicationcontrollers/status.

import { Pods, ReplicationControllers } from "#client/refs.ts";
import { timestamp } from "#base/clock.ts";
import type {
  Pod,
  ReplicationController,
  ReplicationControllerCondition,
  ReplicationControllerStatus,
} from "#machinery/gen/types/core-v1.ts";
import { controllerOf, objectKey, type DeepReadonly } from "#machinery/meta.ts";
import { matches, selectorFromMap } from "#machinery/selectors.ts";
import {
  createAction,
  deleteAction,
  patchAction,
  referenceTo,
  statusAction,
  type Action,
} from "#reconcile/action.ts";
import { defineController, watching, type Plan, type PlanContext } from "#reconcile/controller.ts";
import type { Failure } from "#reconcile/execute.ts";
import { availableInMs, isPodActive, isPodReady, type ReadPod } from "./pod-state.ts";
import { podsToDelete } from "./replica-plan.ts";

type ReadRc = DeepReadonly<ReplicationController>;

/** Pods created or deleted in one go, at most. */
const burstReplicas = 500;

export interface ReplicaInput {
  readonly rc: ReadRc;
  /** Pods of its namespace that it controls, or that nobody does; in any state. */
  readonly pods: readonly ReadPod[];
}

interface Claim {
  /** Its active pods, adopted ones included. */
  readonly mine: readonly ReadPod[];
  readonly patches: readonly Action[];
}

/** Adopts matching orphans and releases pods that no longer match. */
function claim({ rc, pods }: ReplicaInput): Claim {
  const { name = "", uid = "", deletionTimestamp } = rc.metadata ?? {};
  const selector = selectorFromMap(rc.spec?.selector);
  const mine: ReadPod[] = [];
  const patches: Action[] = [];
  for (const pod of pods) {
    const owner = controllerOf(pod);
    const isMatch = selector.length > 0 && matches(selector, pod.metadata?.labels);
    if (!isPodActive(pod) || (owner !== undefined && owner.uid !== uid)) continue;
    if (owner !== undefined && isMatch) mine.push(pod);
    if (owner !== undefined ? isMatch : !isMatch) continue;
    if (deletionTimestamp !== undefined) {
      if (owner !== undefined) mine.push(pod);
      continue;
    }
    const reference =
      owner === undefined
        ? {
            apiVersion: "v1",
            kind: "ReplicationController",
            name,
            uid,
            controller: true,
            blockOwnerDeletion: true,
          }
        : { $patch: "delete", uid };
    const patch = { metadata: { uid: pod.metadata?.uid, ownerReferences: [reference] } };
    patches.push(patchAction(Pods, pod, "strategic", patch, { absentIsFine: true }));
    if (owner === undefined) mine.push(pod);
  }
  return { mine, patches };
}

function newPod(rc: ReadRc): Action {
  const { name = "", namespace = "", uid = "" } = rc.metadata ?? {};
  const template = rc.spec?.template;
  const { labels, annotations, finalizers } = template?.metadata ?? {};
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      generateName: `${name}-`,
      namespace,
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ownerReferences: [
        {
          apiVersion: "v1",
          kind: "ReplicationController",
          name,
          uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: template?.spec,
  };
  return createAction(Pods, pod, {
    announce: {
      about: referenceTo(ReplicationControllers, rc),
      done: { reason: "SuccessfulCreate", message: "Created pod: {name}" },
      failed: { reason: "FailedCreate", message: "Error creating: {error}" },
    },
  });
}

function removal(rc: ReadRc, pod: ReadPod): Action {
  return deleteAction(Pods, pod, {
    announce: {
      about: referenceTo(ReplicationControllers, rc),
      done: { reason: "SuccessfulDelete", message: "Deleted pod: {name}" },
      failed: { reason: "FailedDelete", message: "Error deleting: {error}" },
    },
  });
}

type Conditions = readonly DeepReadonly<ReplicationControllerCondition>[];

function statusOf(rc: ReadRc, mine: readonly ReadPod[], conditions: Conditions, nowMs: number): Action[] {
  const minReady = rc.spec?.minReadySeconds ?? 0;
  const template = selectorFromMap(rc.spec?.template?.metadata?.labels);
  const count = (wanted: (pod: ReadPod) => boolean): number => mine.filter(wanted).length;
  const counts = {
    fullyLabeledReplicas: count((pod) => matches(template, pod.metadata?.labels)),
    readyReplicas: count(isPodReady),
    availableReplicas: count((pod) => availableInMs(pod, minReady, nowMs) === 0),
    observedGeneration: rc.metadata?.generation ?? 0,
  };
  const old: DeepReadonly<Partial<ReplicationControllerStatus>> = rc.status ?? {};
  const isSame =
    old.replicas === mine.length &&
    Object.entries(counts).every(([field, value]) => (old[field as keyof typeof counts] ?? 0) === value) &&
    JSON.stringify(old.conditions ?? []) === JSON.stringify(conditions);
  if (isSame) return [];
  const status = {
    replicas: mine.length,
    // Zero and empty are written as absent.
    ...Object.fromEntries(Object.entries(counts).filter(([, value]) => value !== 0)),
    ...(conditions.length === 0 ? {} : { conditions }),
  };
  return [statusAction(ReplicationControllers, { ...rc, status })];
}

const withoutFailure = (rc: ReadRc): Conditions =>
  (rc.status?.conditions ?? []).filter((condition) => condition.type !== "ReplicaFailure");

export function planReplicas(input: ReplicaInput, { nowMs }: PlanContext): Plan {
  const { rc } = input;
  const { mine, patches } = claim(input);
  const actions: Action[] = [];
  if (rc.metadata?.deletionTimestamp === undefined) {
    const missing = (rc.spec?.replicas ?? 1) - mine.length;
    for (let i = 0; i < Math.min(missing, burstReplicas); i++) actions.push(newPod(rc));
    const surplus = Math.min(-missing, burstReplicas);
    for (const pod of podsToDelete(mine, surplus, nowMs)) actions.push(removal(rc, pod));
  }
  actions.push(...patches, ...statusOf(rc, mine, withoutFailure(rc), nowMs));
  const waits = mine
    .map((pod) => availableInMs(pod, rc.spec?.minReadySeconds ?? 0, nowMs) ?? 0)
    .filter((wait) => wait > 0);
  return waits.length === 0 ? { actions } : { actions, againAfterMs: Math.min(...waits) };
}

/** Tells in the status that pods could not be created or deleted. */
export function planReplicaFailure(input: ReplicaInput, failure: Failure, { nowMs }: PlanContext): Action[] {
  const { rc } = input;
  const what = failure.action.do;
  if (what !== "create" && what !== "delete") return [];
  const reason = what === "create" ? "FailedCreate" : "FailedDelete";
  const old = rc.status?.conditions?.find((condition) => condition.type === "ReplicaFailure");
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
  return statusOf(rc, claim(input).mine, [...withoutFailure(rc), condition], nowMs);
}

export const replicationController = defineController<ReplicaInput>({
  name: "replication-controller",
  owns: [Pods],
  writes: [Pods, ReplicationControllers],
  watches: [
    watching<ReplicationController>({ ref: ReplicationControllers, keys: (rc) => [objectKey(rc)] }),
    watching<Pod>({
      ref: Pods,
      indexes: {
        "controller-uid": (pod) => [controllerOf(pod)?.uid ?? []].flat(),
        "orphans-by-namespace": (pod) =>
          controllerOf(pod) === undefined ? [pod.metadata?.namespace ?? ""] : [],
      },
      keys: (pod, reads) => {
        const owner = controllerOf(pod);
        const namespace = pod.metadata?.namespace ?? "";
        if (owner !== undefined)
          return owner.kind === "ReplicationController" ? [`${namespace}/${owner.name}`] : [];
        const all = reads.of<ReplicationController>(ReplicationControllers).list();
        return [...all].filter((rc) => matchesOrphan(rc, pod)).map((rc) => objectKey(rc));
      },
    }),
  ],
  read: (key, reads) => {
    const rc = reads.of<ReplicationController>(ReplicationControllers).get(key);
    if (rc === undefined) return undefined;
    const pods = reads.of<Pod>(Pods);
    const orphans = pods
      .byIndex("orphans-by-namespace", rc.metadata?.namespace ?? "")
      .filter((pod) => matchesOrphan(rc, pod));
    return { rc, pods: [...pods.byIndex("controller-uid", rc.metadata?.uid ?? ""), ...orphans] };
  },
  plan: planReplicas,
  planAfterFailure: planReplicaFailure,
});

function matchesOrphan(rc: ReadRc, pod: ReadPod): boolean {
  const selector = selectorFromMap(rc.spec?.selector);
  return (
    rc.metadata?.namespace === pod.metadata?.namespace &&
    selector.length > 0 &&
    matches(selector, pod.metadata?.labels)
  );
}
