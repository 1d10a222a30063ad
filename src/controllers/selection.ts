// Which workload an object concerns: the one that controls it, or, of an orphan, those whose selector means it.

import type { ResourceRef } from "#client/client.ts";
import type { LabelSelector } from "#machinery/gen/types/meta-v1.ts";
import { controllerOf, objectKey, type DeepReadonly, type KubeObject } from "#machinery/meta.ts";
import { matches, selectorFromObject } from "#machinery/selectors.ts";
import type { Reads } from "#reconcile/controller.ts";

interface Selecting extends DeepReadonly<KubeObject> {
  readonly spec?: { readonly selector?: DeepReadonly<LabelSelector> };
}

/** In its namespace, and by its selector; one without terms selects nothing. */
export function selects({ spec, metadata }: Selecting, object: DeepReadonly<KubeObject>): boolean {
  const selector = selectorFromObject(spec?.selector) ?? [];
  return (
    metadata?.namespace === object.metadata?.namespace &&
    selector.length > 0 &&
    matches(selector, object.metadata?.labels)
  );
}

/** Work keys of the workloads of a kind; their informer has the index `namespace`. */
export function keysOfDependent<T extends KubeObject>(
  ref: ResourceRef,
  object: DeepReadonly<KubeObject>,
  reads: Reads,
  means: (owner: DeepReadonly<T>) => boolean,
): string[] {
  const namespace = object.metadata?.namespace ?? "";
  const controller = controllerOf(object);
  if (controller !== undefined)
    return controller.kind === ref.kind ? [`${namespace}/${controller.name}`] : [];
  return reads
    .of<T>(ref)
    .byIndex("namespace", namespace)
    .filter(means)
    .map((owner) => objectKey(owner as DeepReadonly<KubeObject>));
}
