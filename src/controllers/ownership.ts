// Whose an object is: adopting orphans that one selects, releasing what one no longer selects. Pure.

import type { ResourceRef } from "#client/client.ts";
import {
  apiVersionOf,
  controllerOf,
  type DeepReadonly,
  type KubeObject,
  type OwnerReference,
} from "#machinery/meta.ts";
import { matches, type Selector } from "#machinery/selectors.ts";
import { patchAction, type Action } from "#reconcile/action.ts";

type Readable = DeepReadonly<KubeObject>;

export function ownerReference(ref: ResourceRef, owner: Readable): OwnerReference {
  const { name = "", uid = "" } = owner.metadata ?? {};
  return {
    apiVersion: apiVersionOf(ref),
    kind: ref.kind,
    name,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

export interface Claimed<T> {
  /** One's own, adopted ones included, released ones not. */
  readonly mine: readonly T[];
  readonly patches: readonly Action[];
}

export interface ClaimRules<T> {
  /** Of the owner. */
  readonly ref: ResourceRef;
  readonly owner: Readable;
  readonly selector: Selector;
  /** Of the objects. */
  readonly of: ResourceRef;
  /** May an orphan be taken in? By default, unless it is being deleted. */
  readonly adoptable?: (object: T) => boolean;
}

/** An owner that is being deleted takes nothing in and lets nothing out. */
export function claimObjects<T extends Readable>(objects: readonly T[], rules: ClaimRules<T>): Claimed<T> {
  const { ref, owner, selector, of, adoptable = () => true } = rules;
  const { uid = "", deletionTimestamp } = owner.metadata ?? {};
  const mine: T[] = [];
  const patches: Action[] = [];
  const patch = (object: T, reference: object): void => {
    const body = { metadata: { uid: object.metadata?.uid, ownerReferences: [reference] } };
    patches.push(patchAction(of, object, "strategic", body, { absentIsFine: true }));
  };
  for (const object of objects) {
    const controller = controllerOf(object);
    const isSelected = selector.length > 0 && matches(selector, object.metadata?.labels);
    if (controller !== undefined) {
      if (controller.uid !== uid) continue;
      if (isSelected || deletionTimestamp !== undefined) mine.push(object);
      else patch(object, { $patch: "delete", uid });
    } else if (
      isSelected &&
      deletionTimestamp === undefined &&
      object.metadata?.deletionTimestamp === undefined &&
      adoptable(object)
    ) {
      patch(object, ownerReference(ref, owner));
      mine.push(object);
    }
  }
  return { mine, patches };
}
