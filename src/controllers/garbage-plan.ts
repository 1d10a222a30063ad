// Garbage collection, the decisions. Pure: an object, what became of its owners and who depends on it come in;
// one action or none comes out.
//
//   some owner exists            → keep; owner references to vanished (or waiting) owners are cut
//   none, one waits (foreground) → delete; foreground when it has dependents itself; in a circle it stops blocking
//   none                         → delete, in the way that its own finalizers say

import type { ResourceRef } from "#client/client.ts";
import type { DeepReadonly, KubeObject, OwnerReference } from "#machinery/meta.ts";
import { deleteAction, patchAction, type Action } from "#reconcile/action.ts";

type Readable = DeepReadonly<KubeObject>;
type ReadOwner = DeepReadonly<OwnerReference>;

export const orphanFinalizer = "orphan";
export const foregroundFinalizer = "foregroundDeletion";

/** What became of an owner. "unknown": its kind is not served, so nothing may be decided on it. */
export type OwnerFate = "exists" | "waits" | "gone" | "unknown";

export interface Owned {
  readonly ref: ResourceRef;
  /** As read from the server just now. */
  readonly object: Readable;
  readonly owners: readonly { readonly owner: ReadOwner; readonly fate: OwnerFate }[];
  readonly hasDependents: boolean;
  /** One of its dependents waits for its own, which in the end is this one: a circle. */
  readonly dependentWaits: boolean;
}

export const isDeleting = (object: Readable): boolean => object.metadata?.deletionTimestamp !== undefined;
export const hasFinalizer = (object: Readable, finalizer: string): boolean =>
  object.metadata?.finalizers?.includes(finalizer) === true;
/** It goes only after those that block it are gone. */
export const waitsForDependents = (object: Readable): boolean =>
  isDeleting(object) && hasFinalizer(object, foregroundFinalizer);

/** Cuts owner references, from exactly the object that was looked at. */
export function cutOwners(ref: ResourceRef, object: Readable, uids: ReadonlySet<string>): Action {
  const { uid, resourceVersion, ownerReferences = [] } = object.metadata ?? {};
  const left = ownerReferences.filter((owner) => !uids.has(owner.uid));
  const metadata = { uid, resourceVersion, ownerReferences: left.length === 0 ? null : left };
  return patchAction(ref, object, "merge", { metadata }, { absentIsFine: true });
}

/** Its owners need not wait for it any more. */
function unblockOwners(ref: ResourceRef, object: Readable): Action {
  const { uid, resourceVersion, ownerReferences = [] } = object.metadata ?? {};
  const unblocking = ownerReferences.map((owner) => ({ ...owner, blockOwnerDeletion: false }));
  const metadata = { uid, resourceVersion, ownerReferences: unblocking };
  return patchAction(ref, object, "merge", { metadata }, { absentIsFine: true });
}

export function removeFinalizer(ref: ResourceRef, object: Readable, finalizer: string): Action {
  const { uid, resourceVersion, finalizers = [] } = object.metadata ?? {};
  const left = finalizers.filter((one) => one !== finalizer);
  const metadata = { uid, resourceVersion, finalizers: left.length === 0 ? null : left };
  return patchAction(ref, object, "merge", { metadata }, { absentIsFine: true });
}

export function planOwned({ ref, object, owners, hasDependents, dependentWaits }: Owned): Action[] {
  if (owners.length === 0 || (isDeleting(object) && !waitsForDependents(object))) return [];
  if (owners.some(({ fate }) => fate === "unknown")) return [];
  const lost = owners.filter(({ fate }) => fate !== "exists");
  if (lost.length === 0 || isDeleting(object)) return [];
  if (lost.length < owners.length)
    return [cutOwners(ref, object, new Set(lost.map(({ owner }) => owner.uid)))];
  const isAwaited = owners.some(({ fate }) => fate === "waits");
  const propagationPolicy =
    isAwaited && hasDependents
      ? "Foreground"
      : hasFinalizer(object, orphanFinalizer)
        ? "Orphan"
        : hasFinalizer(object, foregroundFinalizer)
          ? "Foreground"
          : "Background";
  const deletion = deleteAction(ref, object, { options: { propagationPolicy } });
  // Somebody in a circle of owners must stop being waited for, or all wait for ever.
  return isAwaited && dependentWaits ? [unblockOwners(ref, object), deletion] : [deletion];
}

export interface Dependent {
  readonly ref: ResourceRef;
  readonly object: Readable;
}

/** The owner reference of `dependent` to the owner of this uid. */
const referenceOf = (dependent: Dependent, uid: string): ReadOwner | undefined =>
  dependent.object.metadata?.ownerReferences?.find((owner) => owner.uid === uid);

/** An owner in foreground deletion: done when no dependent blocks it any more. */
export function planForegroundOwner(
  ref: ResourceRef,
  object: Readable,
  dependents: readonly Dependent[],
): Action[] {
  const uid = object.metadata?.uid ?? "";
  const blocks = dependents.some((dependent) => referenceOf(dependent, uid)?.blockOwnerDeletion === true);
  return blocks ? [] : [removeFinalizer(ref, object, foregroundFinalizer)];
}

/** An owner that leaves orphans behind: they forget it, then it may go. */
export function planOrphaning(
  ref: ResourceRef,
  object: Readable,
  dependents: readonly Dependent[],
): Action[] {
  const uids = new Set([object.metadata?.uid ?? ""]);
  return [
    ...dependents.map((dependent) => cutOwners(dependent.ref, dependent.object, uids)),
    removeFinalizer(ref, object, orphanFinalizer),
  ];
}
