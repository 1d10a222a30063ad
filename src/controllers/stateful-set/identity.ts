// What makes a pod of a StatefulSet that pod and no other: its ordinal, its name, its claims. Pure.

import { Pods, StatefulSets } from "#client/refs.ts";
import type { StatefulSet } from "#machinery/gen/types/apps-v1.ts";
import type { PersistentVolumeClaim, PodTemplateSpec } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly, KubeObject } from "#machinery/meta.ts";
import { createAction, referenceTo, type Action } from "#reconcile/action.ts";
import { podFromTemplate } from "../pod-from-template.ts";
import { availableInMs, isPodReady, type ReadPod } from "../pod-state.ts";
import { podRevisionLabel } from "../revisions.ts";

export type ReadStatefulSet = DeepReadonly<StatefulSet>;
export type ReadClaim = DeepReadonly<PersistentVolumeClaim>;

const nameLabel = "statefulset.kubernetes.io/pod-name";
const indexLabel = "apps.kubernetes.io/pod-index";

const nameOf = ({ metadata }: { readonly metadata?: { readonly name?: string } }): string =>
  metadata?.name ?? "";

export const startOf = ({ spec }: ReadStatefulSet): number => spec?.ordinals?.start ?? 0;
export const replicasOf = ({ spec }: ReadStatefulSet): number => spec?.replicas ?? 1;

/** Undefined for a pod that has not the name of one of the set's. */
export function ordinalOf(set: ReadStatefulSet, pod: ReadPod): number | undefined {
  const prefix = `${nameOf(set)}-`;
  const name = nameOf(pod);
  const rest = name.slice(prefix.length);
  return name.startsWith(prefix) && /^\d+$/.test(rest) ? Number(rest) : undefined;
}

export const revisionOfPod = ({ metadata }: ReadPod): string => metadata?.labels?.[podRevisionLabel] ?? "";

export const isTerminating = ({ metadata }: ReadPod): boolean => metadata?.deletionTimestamp !== undefined;

export const isRunningAndReady = (pod: ReadPod): boolean =>
  pod.status?.phase === "Running" && isPodReady(pod);

/** Undefined when it is not ready; otherwise how long until it counts. */
export const availableIn = (set: ReadStatefulSet, pod: ReadPod, nowMs: number): number | undefined =>
  isRunningAndReady(pod) ? availableInMs(pod, set.spec?.minReadySeconds ?? 0, nowMs) : undefined;

export const claimName = (template: ReadClaim, podName: string): string => `${nameOf(template)}-${podName}`;

/** The claims of one pod, as they are created. */
export function claimsOf(set: ReadStatefulSet, podName: string): ReadClaim[] {
  const { spec } = set;
  const deletedWithSet = spec?.persistentVolumeClaimRetentionPolicy?.whenDeleted === "Delete";
  const { uid = "", namespace = "" } = set.metadata ?? {};
  return (spec?.volumeClaimTemplates ?? []).map((template) => ({
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      ...template.metadata,
      name: claimName(template, podName),
      namespace,
      labels: { ...template.metadata?.labels, ...spec?.selector?.matchLabels },
      ...(deletedWithSet
        ? { ownerReferences: [{ apiVersion: "apps/v1", kind: StatefulSets.kind, name: nameOf(set), uid }] }
        : {}),
    },
    ...(template.spec === undefined ? {} : { spec: template.spec }),
  }));
}

/** The pod of an ordinal, of one revision of the template. */
export function newPod(
  set: ReadStatefulSet,
  ordinal: number,
  template: DeepReadonly<PodTemplateSpec>,
  revision: string,
): DeepReadonly<KubeObject> {
  const name = `${nameOf(set)}-${ordinal}`;
  const pod = podFromTemplate(template, StatefulSets, set, { name });
  const claims = set.spec?.volumeClaimTemplates ?? [];
  const own = new Set(claims.map(nameOf));
  const volumes = [
    ...claims.map((claim) => ({
      name: nameOf(claim),
      persistentVolumeClaim: { claimName: claimName(claim, name) },
    })),
    ...(template.spec?.volumes ?? []).filter((volume) => !own.has(volume.name ?? "")),
  ];
  const { serviceName = "" } = set.spec ?? {};
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      labels: {
        ...pod.metadata?.labels,
        [podRevisionLabel]: revision,
        [nameLabel]: name,
        [indexLabel]: String(ordinal),
      },
    },
    spec: {
      ...template.spec,
      hostname: name,
      ...(serviceName === "" ? {} : { subdomain: serviceName }),
      ...(volumes.length === 0 ? {} : { volumes }),
    },
  } as DeepReadonly<KubeObject>;
}

export function podCreation(set: ReadStatefulSet, pod: DeepReadonly<KubeObject>): Action {
  const text = `create Pod ${nameOf(pod)} in StatefulSet ${nameOf(set)}`;
  return createAction(Pods, pod, {
    announce: {
      about: referenceTo(StatefulSets, set),
      done: { reason: "SuccessfulCreate", message: `${text} successful` },
      failed: { reason: "FailedCreate", message: `${text} failed error: {error}` },
    },
  });
}
