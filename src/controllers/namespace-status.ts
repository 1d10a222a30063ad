// What a namespace on its way out tells about itself. Pure.

import type { Namespace, NamespaceCondition } from "#machinery/gen/types/core-v1.ts";
import { timestamp } from "#base/clock.ts";
import type { DeepReadonly, KubeObject } from "#machinery/meta.ts";
import type { ResourceRef } from "#client/client.ts";

/** What was left of one resource after everything was deleted. */
export interface Remaining {
  readonly ref: ResourceRef;
  readonly objects: readonly DeepReadonly<KubeObject>[];
}

export interface DeletionReport {
  readonly discoveryErrors: readonly string[];
  readonly deletionErrors: readonly string[];
  readonly remaining: readonly Remaining[];
}

interface Told {
  readonly type: string;
  readonly good: readonly [reason: string, message: string];
  readonly bad: readonly [reason: string, message: string] | undefined;
}

/** `deployments.apps`, and `pods.` of the core group, as clients know these messages. */
const resourceDotGroup = ({ ref }: Remaining): string => `${ref.resource}.${ref.group}`;

function finalizerCounts(remaining: readonly Remaining[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { objects } of remaining)
    for (const object of objects)
      for (const finalizer of object.metadata?.finalizers ?? [])
        counts.set(finalizer, (counts.get(finalizer) ?? 0) + 1);
  return counts;
}

function told({ discoveryErrors, deletionErrors, remaining }: DeletionReport): Told[] {
  const left = remaining.filter(({ objects }) => objects.length > 0);
  const resources = left
    .map((one) => `${resourceDotGroup(one)} has ${one.objects.length} resource instances`)
    .sort()
    .join(", ");
  const finalizers = [...finalizerCounts(left)]
    .map(([name, count]) => `${name} in ${count} resource instances`)
    .sort()
    .join(", ");
  return [
    {
      type: "NamespaceDeletionDiscoveryFailure",
      good: ["ResourcesDiscovered", "All resources successfully discovered"],
      bad:
        discoveryErrors.length === 0
          ? undefined
          : [
              "DiscoveryFailed",
              `Discovery failed for some groups, ${discoveryErrors.length} failing: ${discoveryErrors.join(", ")}`,
            ],
    },
    {
      type: "NamespaceDeletionGroupVersionParsingFailure",
      good: ["ParsedGroupVersions", "All legacy kube types successfully parsed"],
      bad: undefined,
    },
    {
      type: "NamespaceDeletionContentFailure",
      good: ["ContentDeleted", "All content successfully deleted, may be waiting on finalization"],
      bad:
        deletionErrors.length === 0
          ? undefined
          : [
              "ContentDeletionFailed",
              `Failed to delete all resource types, ${deletionErrors.length} remaining: ${deletionErrors.join(", ")}`,
            ],
    },
    {
      type: "NamespaceContentRemaining",
      good: ["ContentRemoved", "All content successfully removed"],
      bad:
        resources === "" ? undefined : ["SomeResourcesRemain", `Some resources are remaining: ${resources}`],
    },
    {
      type: "NamespaceFinalizersRemaining",
      good: ["ContentHasNoFinalizers", "All content-preserving finalizers finished"],
      bad:
        finalizers === ""
          ? undefined
          : ["SomeFinalizersRemain", `Some content in the namespace has finalizers remaining: ${finalizers}`],
    },
  ];
}

/** The conditions that a report makes, or undefined when the namespace has them already. */
export function deletionConditions(
  namespace: DeepReadonly<Namespace>,
  report: DeletionReport,
  nowMs: number,
): DeepReadonly<NamespaceCondition>[] | undefined {
  const held = namespace.status?.conditions ?? [];
  const types = new Set<string>();
  const next = told(report).map(({ type, good, bad }): DeepReadonly<NamespaceCondition> => {
    types.add(type);
    const status = bad === undefined ? "False" : "True";
    const [reason, message] = bad ?? good;
    const old = held.find((condition) => condition.type === type);
    if (old?.status === status && old.reason === reason && old.message === message) return old;
    const lastTransitionTime = old?.status === status ? old.lastTransitionTime : timestamp(nowMs);
    return { type, status, lastTransitionTime, reason, message };
  });
  const others = held.filter(({ type }) => !types.has(type));
  const isSame = next.every((condition) => held.includes(condition));
  return isSame ? undefined : [...others, ...next];
}

/** Pods are given their grace period before anyone looks again, other leftovers a few seconds. */
export function lookAgainMs(remaining: readonly Remaining[]): number {
  let seconds = 0;
  for (const { ref, objects } of remaining) {
    if (objects.length === 0) continue;
    const isPod = ref.group === "" && ref.resource === "pods";
    const graces = objects.map((object) => object.metadata?.deletionGracePeriodSeconds ?? 0);
    seconds = Math.max(seconds, isPod ? Math.max(...graces) : 5, 1);
  }
  // Half of the estimate and a second: most pods are gone sooner.
  return seconds * 500 + 1000;
}
