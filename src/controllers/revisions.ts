// The history of a template in ControllerRevisions, which StatefulSets and DaemonSets keep: one for each template that
// there was, numbered; going back to one gives it the next number. Pure.

import type { ResourceRef } from "#client/client.ts";
import { ControllerRevisions } from "#client/refs.ts";
import { sameJson } from "#machinery/apply/equal.ts";
import type { ControllerRevision } from "#machinery/gen/types/apps-v1.ts";
import type { PodTemplateSpec } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly, KubeObject } from "#machinery/meta.ts";
import { ApiError } from "#machinery/status.ts";
import { createAction, deleteAction, patchAction, type Action } from "#reconcile/action.ts";
import type { Failure } from "#reconcile/execute.ts";
import { ownerReference } from "./ownership.ts";
import { templateHash } from "./template-hash.ts";

export type ReadRevision = DeepReadonly<ControllerRevision>;
type ReadTemplate = DeepReadonly<PodTemplateSpec>;

/** Of a ControllerRevision: the hash that is in its name. */
export const revisionHashLabel = "controller.kubernetes.io/hash";
/** Of a pod: which revision of its owner's template it is of. */
export const podRevisionLabel = "controller-revision-hash";
const historyLimitDefault = 10;

export interface RevisionOwner extends DeepReadonly<KubeObject> {
  readonly spec?: {
    readonly template?: ReadTemplate;
    readonly revisionHistoryLimit?: number | undefined;
  };
  readonly status?: { readonly collisionCount?: number | undefined };
}

/** What is kept of a template: a patch that brings it back. */
const dataOf = (template: ReadTemplate | undefined): object => ({
  spec: { template: { ...template, $patch: "replace" } },
});

export function templateOf({ data }: ReadRevision): ReadTemplate {
  const { $patch: _, ...template } = (
    data as unknown as { spec: { template: ReadTemplate & { $patch?: string } } }
  ).spec.template;
  return template;
}

/** Oldest first. */
export const byRevision = (a: ReadRevision, b: ReadRevision): number =>
  a.revision - b.revision || ((a.metadata?.name ?? "") < (b.metadata?.name ?? "") ? -1 : 1);

export interface Revisions {
  /** Of today's template; undefined while it is being written. */
  readonly update: ReadRevision | undefined;
  readonly actions: readonly Action[];
}

function newRevision(ref: ResourceRef, owner: RevisionOwner, revision: number): ReadRevision {
  const { name = "", namespace = "", annotations } = owner.metadata ?? {};
  const data = dataOf(owner.spec?.template);
  const hash = templateHash(data, owner.status?.collisionCount);
  return {
    apiVersion: "apps/v1",
    kind: "ControllerRevision",
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels: { ...owner.spec?.template?.metadata?.labels, [revisionHashLabel]: hash },
      ...(annotations === undefined ? {} : { annotations }),
      ownerReferences: [ownerReference(ref, owner)],
    },
    data: data as never,
    revision,
  };
}

/** The revision of today's template: the newest one, an older one under a new number, or one that is made. */
export function planRevisions(
  ref: ResourceRef,
  owner: RevisionOwner,
  revisions: readonly ReadRevision[],
): Revisions {
  const sorted = revisions.toSorted(byRevision);
  const last = sorted.at(-1);
  const next = (last?.revision ?? 0) + 1;
  const data = dataOf(owner.spec?.template);
  const equal = sorted.filter((one) => sameJson(one.data, data)).at(-1);
  if (equal === undefined)
    return { update: undefined, actions: [createAction(ControllerRevisions, newRevision(ref, owner, next))] };
  if (equal === last) return { update: equal, actions: [] };
  const patch = { metadata: { uid: equal.metadata?.uid }, revision: next };
  return {
    update: { ...equal, revision: next },
    actions: [patchAction(ControllerRevisions, equal, "merge", patch)],
  };
}

/** Another revision has that name: with a collision more, the next has another. */
export const isCollision = ({ action, error }: Failure): boolean =>
  action.do === "create" &&
  action.ref.resource === ControllerRevisions.resource &&
  error instanceof ApiError &&
  error.reason === "AlreadyExists";

/** Old revisions beyond the limit; those that something still needs stay. */
export function trimRevisions(
  owner: RevisionOwner,
  revisions: readonly ReadRevision[],
  isLive: (revision: ReadRevision) => boolean,
): Action[] {
  const limit = owner.spec?.revisionHistoryLimit ?? historyLimitDefault;
  const idle = revisions.toSorted(byRevision).filter((revision) => !isLive(revision));
  const surplus = limit < 0 ? 0 : Math.max(0, idle.length - limit);
  return idle.slice(0, surplus).map((revision) => deleteAction(ControllerRevisions, revision));
}
