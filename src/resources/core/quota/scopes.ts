// Whether a quota's scopes take an object in: all of them must. Pure.

import type {
  PersistentVolumeClaim,
  Pod,
  ResourceQuota,
  ScopedResourceSelectorRequirement,
} from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly, KubeObject } from "#machinery/meta.ts";
import { podQos } from "../pod/qos.ts";
import { isClaims, isPods, type Subject } from "./usage.ts";

type Read<T> = DeepReadonly<T>;
export type ReadQuota = Read<ResourceQuota>;
type Requirement = Read<ScopedResourceSelectorRequirement>;

/** Scopes in the list are there, or not. */
export function scopesOf({ spec }: ReadQuota): Requirement[] {
  const listed = (spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: "Exists" }));
  return [...listed, ...(spec?.scopeSelector?.matchExpressions ?? [])];
}

/** Of several values one that fits is enough. */
function fits({ operator, values = [] }: Requirement, found: readonly string[]): boolean {
  switch (operator) {
    case "In":
      return found.some((one) => values.includes(one));
    case "NotIn":
      return !found.some((one) => values.includes(one));
    case "Exists":
      return found.length > 0;
    default:
      return found.length === 0;
  }
}

function crossesNamespaces({ spec }: Read<Pod>): boolean {
  const { podAffinity, podAntiAffinity } = spec?.affinity ?? {};
  for (const one of [podAffinity, podAntiAffinity]) {
    const terms = [
      ...(one?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(one?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => term.podAffinityTerm),
    ];
    if (terms.some((term) => (term.namespaces?.length ?? 0) > 0 || term.namespaceSelector !== undefined))
      return true;
  }
  return false;
}

function takesPod(scope: Requirement, pod: Read<Pod>): boolean {
  const { activeDeadlineSeconds, priorityClassName = "" } = pod.spec ?? {};
  switch (scope.scopeName) {
    case "Terminating":
      return activeDeadlineSeconds !== undefined;
    case "NotTerminating":
      return activeDeadlineSeconds === undefined;
    case "BestEffort":
      return podQos(pod) === "BestEffort";
    case "NotBestEffort":
      return podQos(pod) !== "BestEffort";
    case "PriorityClass":
      return fits(scope, priorityClassName === "" ? [] : [priorityClassName]);
    case "CrossNamespacePodAffinity":
      return crossesNamespaces(pod);
    default:
      return false;
  }
}

/** A claim has the attributes that it asks for, those that it has, and those that it is on its way to. */
function takesClaim(scope: Requirement, { spec, status }: Read<PersistentVolumeClaim>): boolean {
  if (scope.scopeName !== "VolumeAttributesClass") return false;
  const names = [
    spec?.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ];
  return fits(scope, [...new Set(names.filter((name): name is string => name !== undefined && name !== ""))]);
}

export function scopesTake(quota: ReadQuota, subject: Subject, object: Read<KubeObject>): boolean {
  return scopesOf(quota).every((scope) => {
    if (isPods(subject)) return takesPod(scope, object as Read<Pod>);
    return isClaims(subject) && takesClaim(scope, object as Read<PersistentVolumeClaim>);
  });
}
