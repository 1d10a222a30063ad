// DELETE of one object and of a selection: at once, gracefully, or after the finalizers are done.

import { timestamp } from "#base/clock.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { invalid, notSupported, type FieldError } from "#machinery/field-error.ts";
import { conflict, invalidObject, isApiError } from "#machinery/status.ts";
import { validate } from "../admit.ts";
import { successStatus } from "../answer.ts";
import { servesCbor, type ResourceContext } from "../context.ts";
import { decodeKind } from "../decode-body.ts";
import { booleanParameter, dryRunErrors, integerParameter } from "../options.ts";
import type { CachedObject } from "../stored-object.ts";
import { commitDelete, commitUpdate, current, namespaceOf, retrying } from "../write.ts";
import { readPage, type Page } from "./read.ts";

const policies = ["Foreground", "Background", "Orphan"];
const orphanFinalizer = "orphan";
const foregroundFinalizer = "foregroundDeletion";

interface DeleteOptions extends KubeObject {
  gracePeriodSeconds?: number;
  propagationPolicy?: string;
  orphanDependents?: boolean;
  preconditions?: { uid?: string; resourceVersion?: string };
  dryRun?: string[];
}

interface DeleteRequest {
  readonly gracePeriodSeconds: number | undefined;
  readonly propagationPolicy: string | undefined;
  /** `orphanDependents: false`, which changes the status of an answer that the object outlives. */
  readonly cascades: boolean;
  readonly preconditions: { readonly uid?: string; readonly resourceVersion?: string };
  readonly dryRun: boolean;
}

const optionsKind = { group: "", version: "v1", kind: "DeleteOptions" };

/** The options of the body, or those of the query when there is no body. */
async function givenOptions(context: ResourceContext): Promise<DeleteOptions> {
  const { query, request } = context;
  if (request.body !== undefined) {
    // Clients send options of any group and version, and fields of other releases.
    return decodeKind(
      request,
      optionsKind,
      { fieldValidation: "Ignore", cbor: servesCbor(context), warn: () => undefined },
      { anyVersion: true },
    ) as Promise<DeleteOptions>;
  }
  const options: DeleteOptions = { dryRun: query.getAll("dryRun") };
  const grace = integerParameter(query, "gracePeriodSeconds");
  if (grace !== undefined) options.gracePeriodSeconds = grace;
  const policy = query.get("propagationPolicy");
  if (policy !== null) options.propagationPolicy = policy;
  const orphan = booleanParameter(query, "orphanDependents");
  if (orphan !== undefined) options.orphanDependents = orphan;
  return options;
}

async function readRequest(context: ResourceContext): Promise<DeleteRequest> {
  const request = checkedOptions(await givenOptions(context));
  const { deletionWarning } = context.definition;
  if (request.propagationPolicy === undefined && deletionWarning !== undefined) context.warn(deletionWarning);
  return request;
}

function checkedOptions({
  gracePeriodSeconds,
  propagationPolicy: policy,
  orphanDependents: orphans,
  preconditions = {},
  dryRun = [],
}: DeleteOptions): DeleteRequest {
  const errors: FieldError[] = [];
  if (orphans !== undefined && policy !== undefined) {
    errors.push(
      invalid("propagationPolicy", policy, "orphanDependents and deletionPropagation cannot be both set"),
    );
  }
  if (policy !== undefined && !policies.includes(policy))
    errors.push(notSupported("propagationPolicy", policy, [...policies, "nil"]));
  errors.push(...dryRunErrors(dryRun));
  if (errors.length > 0) throw invalidObject({ group: "meta.k8s.io", kind: "DeleteOptions" }, "", errors);
  return {
    gracePeriodSeconds,
    propagationPolicy: policy ?? (orphans === undefined ? undefined : orphans ? "Orphan" : "Background"),
    cascades: orphans === false,
    preconditions,
    dryRun: dryRun.length > 0,
  };
}

/** The answer: the object while it is still there, and after that for some kinds; for the others a Status. */
export async function deleteOne(
  context: ResourceContext,
): Promise<{ object: CachedObject; code: number; status: object | undefined }> {
  const request = await readRequest(context);
  const { definition, info } = context;
  const { object, gone } = await retrying(
    async () => deleteObject(context, await current(context, namespaceOf(context), info.name), request),
    { conflicts: true },
  );
  const code = !gone && request.cascades ? 202 : 200;
  if (!gone || definition.returnsDeleted) return { object, code, status: undefined };
  const { name = "", uid } = object.object.metadata ?? {};
  const details = {
    name,
    ...(definition.group === "" ? {} : { group: definition.group }),
    kind: definition.resource,
    ...(uid === undefined ? {} : { uid }),
  };
  return { object, code, status: successStatus(details) };
}

/** Deletes the named object as these options say, whatever the request itself is. */
export async function deleteWith(context: ResourceContext, options: DeleteOptions): Promise<void> {
  const request = checkedOptions(options);
  await retrying(
    async () =>
      deleteObject(context, await current(context, namespaceOf(context), context.info.name), request),
    { conflicts: true },
  );
}

/** Deletes what a list with the same parameters gives; answers with that list. */
export async function deleteCollection(context: ResourceContext): Promise<Page> {
  const request = await readRequest(context);
  const page = await readPage(context);
  for (const one of page.objects) {
    const { namespace = "", name = "" } = one.object.metadata ?? {};
    try {
      await retrying(async () => deleteObject(context, await current(context, namespace, name), request), {
        conflicts: true,
      });
    } catch (error) {
      if (!isApiError(error, "NotFound")) throw error; // somebody else deleted it meanwhile
    }
  }
  return page;
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
    if (definition.generation !== "none" && !already) metadata.generation = (metadata.generation ?? 0) + 1;
    definition.prepareForDelete?.(draft, { nowMs: server.clock.now(), settings: server.settings });
  }
  return { object: await commitUpdate(context, draft, old, request.dryRun), gone: false };
}
