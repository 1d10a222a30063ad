// What a plan is made of: writes as data, with everything that the executor needs and no choices left to it.

import type { DeleteOptions, PatchType, ResourceRef } from "#client/client.ts";
import type { DeepReadonly, KubeObject } from "#machinery/meta.ts";

/** core/v1 ObjectReference, as events name what they are about. */
export interface ObjectRef {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly fieldPath?: string;
}

/** Events about the outcome of a write. `{name}` is the written object's name, `{error}` why it failed. */
export interface Announcement {
  readonly about: ObjectRef;
  readonly done?: { readonly reason: string; readonly message: string };
  readonly failed?: { readonly reason: string; readonly message: string };
}

export type Action =
  | {
      readonly do: "create";
      readonly ref: ResourceRef;
      readonly namespace: string;
      readonly object: KubeObject;
      readonly announce?: Announcement;
      /** Another one of that name is as good. */
      readonly existsIsFine?: boolean;
    }
  | {
      readonly do: "patch";
      readonly ref: ResourceRef;
      readonly namespace: string;
      readonly name: string;
      readonly type: PatchType;
      readonly patch: unknown;
      readonly subresource?: string;
      readonly absentIsFine?: boolean;
    }
  /** PUT of the whole object, or of a subresource. Carries the resourceVersion it was computed from. */
  | {
      readonly do: "update";
      readonly ref: ResourceRef;
      readonly object: KubeObject;
      readonly subresource?: string;
    }
  | { readonly do: "status"; readonly ref: ResourceRef; readonly object: KubeObject }
  /** An absent object is a success. */
  | {
      readonly do: "delete";
      readonly ref: ResourceRef;
      readonly namespace: string;
      readonly name: string;
      readonly options?: DeleteOptions;
      readonly announce?: Announcement;
    }
  | {
      readonly do: "event";
      readonly about: ObjectRef;
      readonly type: "Normal" | "Warning";
      readonly reason: string;
      readonly message: string;
    };

/** How events refer to an object. */
export function referenceTo(
  ref: ResourceRef,
  object: KubeObject | { readonly metadata?: unknown },
): ObjectRef {
  const { namespace, name, uid, resourceVersion } = (object as KubeObject).metadata ?? {};
  return {
    apiVersion: ref.group === "" ? ref.version : `${ref.group}/${ref.version}`,
    kind: ref.kind,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
}

type Readable = DeepReadonly<KubeObject>;
type Extra<K extends Action["do"]> = Partial<Omit<Extract<Action, { do: K }>, "do" | "ref" | "object">>;

/** Plans are made of frozen parts; actions only carry them, so the mutable type is a loan. */
const carried = (object: Readable): KubeObject => object as KubeObject;

export function createAction<T extends Readable>(
  ref: ResourceRef,
  object: T,
  extra: Extra<"create"> = {},
): Action {
  return {
    do: "create",
    ref,
    namespace: object.metadata?.namespace ?? "",
    object: carried(object),
    ...extra,
  };
}

export function updateAction<T extends Readable>(
  ref: ResourceRef,
  object: T,
  extra: Extra<"update"> = {},
): Action {
  return { do: "update", ref, object: carried(object), ...extra };
}

export function statusAction<T extends Readable>(ref: ResourceRef, object: T): Action {
  return { do: "status", ref, object: carried(object) };
}

/** Patches the object by name. Put `metadata.uid` or `metadata.resourceVersion` into the patch as a precondition. */
export function patchAction(
  ref: ResourceRef,
  object: Readable,
  type: PatchType,
  patch: Readonly<Record<string, unknown>>,
  extra: Extra<"patch"> = {},
): Action {
  const { namespace = "", name = "" } = object.metadata ?? {};
  return { do: "patch", ref, namespace, name, type, patch, ...extra };
}

/** Deletes exactly the object that was looked at: its uid is a precondition. */
export function deleteAction(ref: ResourceRef, object: Readable, extra: Extra<"delete"> = {}): Action {
  const { namespace = "", name = "", uid } = object.metadata ?? {};
  const preconditions = uid === undefined ? {} : { preconditions: { uid } };
  return {
    do: "delete",
    ref,
    namespace,
    name,
    ...extra,
    options: { ...preconditions, ...extra.options },
  };
}
