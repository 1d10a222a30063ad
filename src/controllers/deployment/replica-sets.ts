// The ReplicaSets of a Deployment: which is of today's template, what its name and annotations are, how a change of its
// size is written. Pure.

import { Deployments, ReplicaSets } from "#client/refs.ts";
import { sameJson } from "#machinery/apply/equal.ts";
import type { Deployment, ReplicaSet } from "#machinery/gen/types/apps-v1.ts";
import type { PodTemplateSpec } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { patchAction, referenceTo, type Action } from "#reconcile/action.ts";
import { resolveFenceposts } from "../amounts.ts";
import { templateHash } from "../template-hash.ts";

export type ReadDeployment = DeepReadonly<Deployment>;
export type ReadSet = DeepReadonly<ReplicaSet>;

export const hashLabel = "pod-template-hash";
const revisionAnnotation = "deployment.kubernetes.io/revision";
const historyAnnotation = "deployment.kubernetes.io/revision-history";
const desiredAnnotation = "deployment.kubernetes.io/desired-replicas";
const maxAnnotation = "deployment.kubernetes.io/max-replicas";
/** Of a Deployment, its ReplicaSets take over all annotations but these. */
const notInherited = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  "deprecated.deployment.rollback.to",
  revisionAnnotation,
  historyAnnotation,
  desiredAnnotation,
  maxAnnotation,
]);
/** Characters of the history annotation. */
const historyLengthMax = 2000;

export const replicasOf = ({ spec }: ReadSet): number => spec?.replicas ?? 1;
export const desiredOf = ({ spec }: ReadDeployment): number => spec?.replicas ?? 1;
export const availableOf = ({ status }: ReadSet): number => status?.availableReplicas ?? 0;
const nameOf = ({ metadata }: { readonly metadata?: { readonly name?: string } }): string =>
  metadata?.name ?? "";
const createdMs = ({ metadata }: ReadSet): number => Date.parse(metadata?.creationTimestamp ?? "") || 0;

/** Oldest first. */
export const byAge = (a: ReadSet, b: ReadSet): number =>
  createdMs(a) - createdMs(b) || (nameOf(a) < nameOf(b) ? -1 : 1);

export const isActive = (set: ReadSet): boolean => replicasOf(set) > 0;

export function fenceposts(deployment: ReadDeployment): { maxSurge: number; maxUnavailable: number } {
  const { type, rollingUpdate } = deployment.spec?.strategy ?? {};
  const desired = desiredOf(deployment);
  if (type !== "RollingUpdate") return { maxSurge: 0, maxUnavailable: 0 };
  const { maxSurge, maxUnavailable } = resolveFenceposts(
    rollingUpdate?.maxSurge,
    rollingUpdate?.maxUnavailable,
    desired,
  );
  return { maxSurge, maxUnavailable: Math.min(desired, maxUnavailable) };
}

function withoutHash(template: DeepReadonly<PodTemplateSpec> | undefined): unknown {
  const { [hashLabel]: _, ...labels } = template?.metadata?.labels ?? {};
  return { ...template, metadata: { ...template?.metadata, labels } };
}

/** The oldest with the Deployment's template; there can be two after a collision that was none. */
export function findNew(deployment: ReadDeployment, sets: readonly ReadSet[]): ReadSet | undefined {
  const wanted = withoutHash(deployment.spec?.template);
  return sets.toSorted(byAge).find(({ spec }) => sameJson(withoutHash(spec?.template), wanted));
}

export function revisionOf({ metadata }: ReadSet): number {
  return Number.parseInt(metadata?.annotations?.[revisionAnnotation] ?? "0", 10) || 0;
}

export const nextRevision = (old: readonly ReadSet[]): number =>
  old.reduce((most, set) => Math.max(most, revisionOf(set)), 0) + 1;

export const revisionAnnotations = (revision: string): Record<string, string> => ({
  [revisionAnnotation]: revision,
});
export const shownRevision = ({ metadata }: ReadDeployment | ReadSet): string =>
  metadata?.annotations?.[revisionAnnotation] ?? "";

type Annotations = Readonly<Record<string, string>>;

function inherited({ metadata }: ReadDeployment): Annotations {
  return Object.fromEntries(
    Object.entries(metadata?.annotations ?? {}).filter(([key]) => !notInherited.has(key)),
  );
}

/** How large the Deployment is and may become: what proportional scaling later compares with. */
export function sizeAnnotations(deployment: ReadDeployment): Annotations {
  const desired = desiredOf(deployment);
  return {
    [desiredAnnotation]: String(desired),
    [maxAnnotation]: String(desired + fenceposts(deployment).maxSurge),
  };
}

export function sizeBefore(set: ReadSet): { desired: number | undefined; max: number | undefined } {
  const read = (key: string): number | undefined => {
    const text = set.metadata?.annotations?.[key];
    return text === undefined || !/^\d+$/.test(text) ? undefined : Number(text);
  };
  return { desired: read(desiredAnnotation), max: read(maxAnnotation) };
}

function longerHistory(history: string, revision: string): string {
  if (history === "") return revision;
  let parts = [...history.split(","), revision];
  while (parts.join(",").length > historyLengthMax && parts.length > 1) parts = parts.slice(1);
  return parts.join(",");
}

/** The annotations of today's ReplicaSet, which exists: the Deployment's, and its revision if that has grown. */
function settledAnnotations(deployment: ReadDeployment, set: ReadSet, revision: number): Annotations {
  const held = set.metadata?.annotations ?? {};
  const before = held[revisionAnnotation] ?? "";
  const moved = revisionOf(set) < revision;
  const history = held[historyAnnotation] ?? "";
  return {
    ...held,
    ...inherited(deployment),
    ...(moved ? revisionAnnotations(String(revision)) : {}),
    ...(moved && before !== "" ? { [historyAnnotation]: longerHistory(history, before) } : {}),
  };
}

/** Brings annotations and minReadySeconds of today's ReplicaSet up to date: undefined when they are. */
export function settleNew(deployment: ReadDeployment, set: ReadSet, revision: number): ReadSet | undefined {
  const annotations = settledAnnotations(deployment, set, revision);
  const minReadySeconds = deployment.spec?.minReadySeconds ?? 0;
  const isSame =
    sameJson(annotations, set.metadata?.annotations ?? {}) &&
    (set.spec?.minReadySeconds ?? 0) === minReadySeconds;
  if (isSame || set.spec === undefined) return undefined;
  return { ...set, metadata: { ...set.metadata, annotations }, spec: { ...set.spec, minReadySeconds } };
}

export const newSetName = (deployment: ReadDeployment): string =>
  `${nameOf(deployment)}-${templateHash(deployment.spec?.template, deployment.status?.collisionCount)}`;

/** Today's ReplicaSet, as it is created. */
export function newSet(deployment: ReadDeployment, revision: number, replicas: number): ReadSet {
  const { namespace = "", uid = "", name = "" } = deployment.metadata ?? {};
  const hash = templateHash(deployment.spec?.template, deployment.status?.collisionCount);
  const template = deployment.spec?.template;
  const labels = { ...template?.metadata?.labels, [hashLabel]: hash };
  const selector = deployment.spec?.selector;
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name: newSetName(deployment),
      namespace,
      labels,
      annotations: {
        ...inherited(deployment),
        ...revisionAnnotations(String(revision)),
        ...sizeAnnotations(deployment),
      },
      ownerReferences: [
        {
          apiVersion: "apps/v1",
          kind: Deployments.kind,
          name,
          uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: {
      replicas,
      minReadySeconds: deployment.spec?.minReadySeconds ?? 0,
      selector: { ...selector, matchLabels: { ...selector?.matchLabels, [hashLabel]: hash } },
      template: { ...template, metadata: { ...template?.metadata, labels } },
    },
  };
}

/** A change of size, its record in the annotations, and the event; nothing when all is so already. */
export function resize(deployment: ReadDeployment, set: ReadSet, replicas: number): Action[] {
  const sizes = sizeAnnotations(deployment);
  const held = set.metadata?.annotations ?? {};
  const before = replicasOf(set);
  if (before === replicas && Object.entries(sizes).every(([key, value]) => held[key] === value)) return [];
  const patch = {
    metadata: { resourceVersion: set.metadata?.resourceVersion, annotations: sizes },
    ...(before === replicas ? {} : { spec: { replicas } }),
  };
  const action = patchAction(ReplicaSets, set, "merge", patch);
  return before === replicas ? [action] : [action, scaled(deployment, set, before, replicas)];
}

export function scaled(
  deployment: ReadDeployment,
  set: Pick<ReadSet, "metadata">,
  from: number,
  to: number,
): Action {
  const way = to > from ? "up" : "down";
  return {
    do: "event",
    about: referenceTo(Deployments, deployment),
    type: "Normal",
    reason: "ScalingReplicaSet",
    message: `Scaled ${way} replica set ${nameOf(set)} from ${from} to ${to}`,
  };
}
