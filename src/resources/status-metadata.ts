// Metadata in a write to the status: some kinds let nothing of it through. Pure.

import type { KubeObject } from "#machinery/meta.ts";

/** Labels, annotations, finalizers and owners stay as the object has them. */
export function keepMetadataOfObject(next: KubeObject, old: KubeObject): void {
  const [target, source] = [(next.metadata ??= {}), old.metadata ?? {}];
  for (const field of ["labels", "annotations", "finalizers", "ownerReferences"] as const) {
    if (source[field] === undefined) delete target[field];
    else (target as Record<string, unknown>)[field] = structuredClone(source[field]);
  }
}
