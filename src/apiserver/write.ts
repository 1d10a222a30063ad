// The one way into the store: encode, claim what must be unique, commit, and hand back what was committed.

import {
  isApiError,
  alreadyExists,
  conflict,
  invalidObject,
  notFound,
  serviceUnavailable,
  staleObject,
} from "#machinery/status.ts";
import type { ClaimView } from "#machinery/define-resource.ts";
import type { FieldError } from "#machinery/field-error.ts";
import type { KubeObject } from "#machinery/meta.ts";
import type { Compare, Operation } from "#store/store.ts";
import { claimKey } from "./claims.ts";
import type { ResourceContext } from "./context.ts";
import type { ManagedFields } from "./managed-fields.ts";
import { CachedObject, noteSource, storageKey } from "./stored-object.ts";
import { inVersion, toStored } from "./versions.ts";

/** Tries to win against other writers of the same claims or object before giving up. */
export const writeAttemptsMax = 8;

export function keyOf(context: ResourceContext, object: KubeObject): string {
  return storageKey(
    context.definition.storage,
    object.metadata?.namespace ?? "",
    object.metadata?.name ?? "",
  );
}

/** A claim that another object was given in the meantime: allocate again. */
export class ClaimTaken extends Error {
  override name = "ClaimTaken";
}

/** Chooses free values for what the draft leaves open, as far as is known now: the commit has the last word. */
export function allocate(context: ResourceContext, draft: KubeObject, old: KubeObject | undefined): void {
  const { definition, server } = context;
  if (definition.allocate === undefined) return;
  const held = new Set((old === undefined ? [] : (definition.claims?.(old) ?? [])).map(claimKey));
  const view: ClaimView = {
    taken: (pool, value) => {
      const key = claimKey({ pool, value });
      return server.claims.taken(key) && !held.has(key);
    },
    random: (bound) => server.random.integer(bound),
  };
  const errors: FieldError[] = definition.allocate(draft, old, view, {
    nowMs: server.clock.now(),
    settings: server.settings,
  });
  if (errors.length > 0) throw invalidObject(definition, draft.metadata?.name ?? "", errors);
}

function claimChanges(
  context: ResourceContext,
  next: KubeObject | undefined,
  old: KubeObject | undefined,
): { compares: Compare[]; operations: Operation[] } {
  const claims = context.definition.claims;
  if (claims === undefined) return { compares: [], operations: [] };
  const before = new Set((old === undefined ? [] : claims(old)).map(claimKey));
  const after = new Set((next === undefined ? [] : claims(next)).map(claimKey));
  const owner = Buffer.from(keyOf(context, (next ?? old) as KubeObject));
  const added = [...after].filter((key) => !before.has(key));
  const dropped = [...before].filter((key) => !after.has(key));
  return {
    compares: added.map((key) => ({ key, modRevision: 0 })),
    operations: [
      ...added.map((key) => ({ put: key, value: owner })),
      ...dropped.map((key) => ({ delete: key })),
    ],
  };
}

/** Stores a new object. Throws 409 AlreadyExists, or ClaimTaken. */
export async function commitCreate(
  context: ResourceContext,
  object: KubeObject,
  managed: ManagedFields,
  dryRun: boolean,
): Promise<CachedObject> {
  const { definition, server } = context;
  const key = keyOf(context, object);
  const value = (await toStored(definition, object, managed.text)).pack();
  const subject = { group: definition.group, resource: definition.resource };
  if (dryRun) {
    if ((await server.store.get(key)) !== undefined)
      throw alreadyExists(subject, object.metadata?.name ?? "");
    return inVersion(definition, CachedObject.fromValue(key, value, 0));
  }
  const lease =
    definition.timeToLiveSeconds === undefined
      ? undefined
      : await server.leases.forSeconds(definition.timeToLiveSeconds);
  const claims = claimChanges(context, object, undefined);
  if (definition.conversion === undefined) noteSource(value, object);
  const put = lease === undefined ? { put: key, value } : { put: key, value, lease };
  const result = await server.store.txn(
    [{ key, modRevision: 0 }, ...claims.compares],
    [put, ...claims.operations],
  );
  if (result.ok) return committed(context, key, value, result.revision);
  if (result.current[0] === undefined) throw new ClaimTaken();
  throw alreadyExists(subject, object.metadata?.name ?? "");
}

/**
 * Replaces an object that is still as `old`. Throws 409 Conflict when it is not, or ClaimTaken.
 * Writes that are nobody's update of fields (a binding, a deletion's marks) leave the managed fields as they are.
 */
export async function commitUpdate(
  context: ResourceContext,
  next: KubeObject,
  old: CachedObject,
  dryRun: boolean,
  managed: ManagedFields = { text: old.managedFields, onlyTimes: false },
): Promise<CachedObject> {
  const { definition, server } = context;
  const { encoded, pack } = await toStored(definition, next, managed.text);
  if (old.stored.sameContent(encoded, managed.onlyTimes)) return old;
  const value = pack();
  if (dryRun) return inVersion(definition, CachedObject.fromValue(old.key, value, old.revision));
  const lease =
    definition.timeToLiveSeconds === undefined
      ? undefined
      : await server.leases.forSeconds(definition.timeToLiveSeconds);
  const claims = claimChanges(context, next, old.object);
  if (definition.conversion === undefined) noteSource(value, next);
  const put = lease === undefined ? { put: old.key, value } : { put: old.key, value, lease };
  const result = await server.store.txn(
    [{ key: old.key, modRevision: old.revision }, ...claims.compares],
    [put, ...claims.operations],
  );
  if (result.ok) return committed(context, old.key, value, result.revision);
  if (result.current[0]?.modRevision === old.revision) throw new ClaimTaken();
  throw staleConflict(context, next.metadata?.name ?? "", result.current[0] === undefined);
}

/** Removes an object that is still as `old`; what it claimed is free again. Returns its last state. */
export async function commitDelete(
  context: ResourceContext,
  old: CachedObject,
  dryRun: boolean,
): Promise<CachedObject> {
  if (dryRun) return old;
  const claims = claimChanges(context, undefined, old.object);
  const result = await context.server.store.txn(
    [{ key: old.key, modRevision: old.revision }],
    [{ delete: old.key }, ...claims.operations],
  );
  if (!result.ok)
    throw staleConflict(context, old.object.metadata?.name ?? "", result.current[0] === undefined);
  await context.server.caches.waitFor(result.revision);
  return old.atRevision(result.revision);
}

function staleConflict(context: ResourceContext, name: string, gone: boolean): Error {
  const { group, resource } = context.definition;
  return gone ? notFound({ group, resource }, name) : conflict({ group, resource }, name, staleObject);
}

/** What the cache now holds at this revision; built from the bytes if something newer is there already. */
async function committed(
  context: ResourceContext,
  key: string,
  value: Buffer,
  revision: number,
): Promise<CachedObject> {
  const { caches } = context.server;
  await caches.waitFor(revision);
  const cached = caches.of(context.definition.storage).get(key);
  return inVersion(
    context.definition,
    cached?.revision === revision ? cached : CachedObject.fromValue(key, value, revision),
  );
}

/** Where the named object lives; a cluster-scoped one lives nowhere, whatever the path seems to say. */
export const namespaceOf = ({ definition, info }: ResourceContext): string =>
  definition.namespaced ? info.namespace : "";

/** The object as it is now, in the version of the request, or 404. */
export async function current(
  context: ResourceContext,
  namespace: string,
  name: string,
): Promise<CachedObject> {
  const { definition, server } = context;
  await server.caches.waitForNewest();
  const found = server.caches.of(definition.storage).get(storageKey(definition.storage, namespace, name));
  if (found === undefined) throw notFound({ group: definition.group, resource: definition.resource }, name);
  return inVersion(definition, found);
}

/** Runs `attempt` again after somebody else was faster; a conflict that the client's own version caused is final. */
export async function retrying<T>(attempt: () => Promise<T>, options: { conflicts: boolean }): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      const again =
        error instanceof ClaimTaken ||
        (options.conflicts && isApiError(error, "Conflict") && error.message.endsWith(staleObject));
      if (!again) throw error;
      if (tries >= writeAttemptsMax) {
        throw error instanceof ClaimTaken
          ? serviceUnavailable("too many writers want the same address: try again")
          : error;
      }
    }
  }
}
