// DELETE of one object and of a selection: at once, gracefully, or after the finalizers are done.

import { timestamp } from "#base/clock.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { invalid, notSupported, type FieldError } from "#machinery/field-error.ts";
import { isObject } from "#machinery/schema/decode.ts";
import { badRequest, conflict, invalidObject, isApiError, type Status } from "#machinery/status.ts";
import { validate } from "../admit.ts";
import { successStatus } from "../answer.ts";
import type { ResourceContext } from "../context.ts";
import { parseBody } from "../decode-body.ts";
import { booleanParameter, integerParameter, writeOptions } from "../options.ts";
import { selectionOf } from "../selection.ts";
import { storagePrefix, type CachedObject } from "../stored-object.ts";
import { commitDelete, commitUpdate, current, namespaceOf, retrying } from "../write.ts";
import { prefixEnd } from "#store/store.ts";

const policies = ["Background", "Foreground", "Orphan"];
const orphanFinalizer = "orphan";
const foregroundFinalizer = "foregroundDeletion";

interface DeleteRequest {
  readonly gracePeriodSeconds: number | undefined;
  readonly propagationPolicy: string | undefined;
  readonly preconditions: { readonly uid?: string; readonly resourceVersion?: string };
  readonly dryRun: boolean;
}

async function readRequest(context: ResourceContext): Promise<DeleteRequest> {
  const { query } = context;
  const { value } = await parseBody(context.request, false);
  if (value !== undefined && !isObject(value))
    throw badRequest("the body of a deletion must be DeleteOptions");
  const body = (value ?? {}) as {
    kind?: string;
    gracePeriodSeconds?: unknown;
    propagationPolicy?: unknown;
    orphanDependents?: unknown;
    preconditions?: { uid?: string; resourceVersion?: string };
    dryRun?: string[];
  };
  const gracePeriodSeconds = body.gracePeriodSeconds ?? integerParameter(query, "gracePeriodSeconds");
  if (
    gracePeriodSeconds !== undefined &&
    (typeof gracePeriodSeconds !== "number" || !Number.isInteger(gracePeriodSeconds))
  ) {
    throw badRequest(
      `json: cannot unmarshal ${typeof gracePeriodSeconds} into Go struct field DeleteOptions.gracePeriodSeconds of type int64`,
    );
  }
  const errors: FieldError[] = [];
  const policy = body.propagationPolicy ?? query.get("propagationPolicy") ?? undefined;
  if (policy !== undefined && !policies.includes(String(policy)))
    errors.push(notSupported("propagationPolicy", policy, policies));
  for (const value of body.dryRun ?? [])
    if (value !== "All") errors.push(notSupported("dryRun", [value], ["All"]));
  const orphans = body.orphanDependents ?? booleanParameter(query, "orphanDependents");
  if (orphans !== undefined && policy !== undefined) {
    errors.push(
      invalid("propagationPolicy", policy, "orphanDependents and deletionPropagation cannot be both set"),
    );
  }
  if (errors.length > 0) throw invalidObject({ group: "meta.k8s.io", kind: "DeleteOptions" }, "", errors);
  return {
    gracePeriodSeconds,
    propagationPolicy:
      policy === undefined
        ? orphans === true
          ? "Orphan"
          : orphans === false
            ? "Background"
            : undefined
        : String(policy),
    preconditions: body.preconditions ?? {},
    dryRun: writeOptions(query).dryRun || (body.dryRun ?? []).length > 0,
  };
}

/** The answer: the object while it is still there, a Status once it is gone. */
export async function deleteOne(
  context: ResourceContext,
): Promise<{ object: CachedObject; status: Status | undefined }> {
  const request = await readRequest(context);
  const { definition, info } = context;
  const { object, gone } = await retrying(
    async () => deleteObject(context, await current(context, namespaceOf(context), info.name), request),
    { conflicts: true },
  );
  if (!gone) return { object, status: undefined };
  const { name = "", uid } = object.object.metadata ?? {};
  const details = {
    name,
    ...(definition.group === "" ? {} : { group: definition.group }),
    kind: definition.resource,
    ...(uid === undefined ? {} : { uid }),
  };
  return { object, status: successStatus(details) };
}

export async function deleteCollection(context: ResourceContext): Promise<CachedObject[]> {
  const request = await readRequest(context);
  const { definition, server, query } = context;
  const selection = selectionOf(query, definition);
  await server.caches.waitForNewest();
  const prefix =
    storagePrefix(definition.storage) + (namespaceOf(context) === "" ? "" : `${namespaceOf(context)}/`);
  const chosen = [...server.caches.of(definition.storage).range(prefix, prefixEnd(prefix))].filter((object) =>
    selection.matches(object),
  );
  const deleted: CachedObject[] = [];
  for (const one of chosen) {
    const { namespace = "", name = "" } = one.object.metadata ?? {};
    try {
      const { object } = await retrying(
        async () => deleteObject(context, await current(context, namespace, name), request),
        { conflicts: true },
      );
      deleted.push(object);
    } catch (error) {
      if (!isApiError(error, "NotFound")) throw error; // somebody else deleted it meanwhile
    }
  }
  return deleted;
}

function checkPreconditions(
  context: ResourceContext,
  old: CachedObject,
  { uid, resourceVersion }: DeleteRequest["preconditions"],
): void {
  const { group, resource } = context.definition;
  const metadata = old.object.metadata ?? {};
  const fail = (what: string, wanted: string, actual: string): never => {
    throw conflict(
      { group, resource },
      metadata.name ?? "",
      `Precondition failed: ${what} in precondition: ${wanted}, ${what} in object meta: ${actual}`,
    );
  };
  if (uid && uid !== metadata.uid) fail("UID", uid, metadata.uid ?? "");
  if (resourceVersion && resourceVersion !== String(old.revision))
    fail("ResourceVersion", resourceVersion, String(old.revision));
}

/** The finalizers that the propagation policy asks for. */
function finalizersFor(
  definition: ResourceContext["definition"],
  object: KubeObject,
  policy: string | undefined,
): string[] {
  const present = object.metadata?.finalizers ?? [];
  const others = present.filter((name) => name !== orphanFinalizer && name !== foregroundFinalizer);
  if (policy === "Orphan" || (policy === undefined && definition.defaultPropagation === "Orphan"))
    return [...others, orphanFinalizer];
  if (policy === "Foreground") return [...others, foregroundFinalizer];
  return policy === undefined ? [...present] : others;
}

async function deleteObject(
  context: ResourceContext,
  old: CachedObject,
  request: DeleteRequest,
): Promise<{ object: CachedObject; gone: boolean }> {
  const { definition, server } = context;
  checkPreconditions(context, old, request.preconditions);
  const stored = old.object;
  await validate(context, {
    operation: "DELETE",
    object: undefined,
    old: stored,
    dryRun: request.dryRun,
    name: stored.metadata?.name ?? "",
  });

  const draft = old.draft();
  const metadata = (draft.metadata ??= {});
  const finalizers = finalizersFor(definition, stored, request.propagationPolicy);
  if (finalizers.length > 0) metadata.finalizers = finalizers;
  else delete metadata.finalizers;
  const grace = definition.gracePeriod?.(draft, request.gracePeriodSeconds);
  const held = finalizers.length > 0 || (definition.specFinalizers?.(draft) ?? []).length > 0;
  const wait = grace ?? 0;
  if (wait === 0 && !held) return { object: await commitDelete(context, old, request.dryRun), gone: true };

  const already = stored.metadata?.deletionTimestamp !== undefined;
  const shorter = already && wait < (stored.metadata?.deletionGracePeriodSeconds ?? 0);
  if (!already || shorter) {
    metadata.deletionTimestamp = timestamp(server.clock.now() + wait * 1000);
    metadata.deletionGracePeriodSeconds = wait;
    if (definition.generation === "spec" && !already) metadata.generation = (metadata.generation ?? 0) + 1;
    definition.prepareForDelete?.(draft, { nowMs: server.clock.now(), settings: server.settings });
  }
  return { object: await commitUpdate(context, draft, old, request.dryRun), gone: false };
}
