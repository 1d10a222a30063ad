// POST: a new object.

import { nameSuffix } from "#base/random.ts";
import { timestamp } from "#base/clock.ts";
import type { KubeObject, ObjectMeta } from "#machinery/meta.ts";
import {
  ApiError,
  badRequest,
  generatedNameTaken,
  invalidObject,
  isApiError,
  methodNotAllowed,
} from "#machinery/status.ts";
import { moreErrors, mutate, validate } from "../admit.ts";
import type { ResourceContext, WriteOptions } from "../context.ts";
import { decodeRequestObject } from "../decode-body.ts";
import { managedByCreate, type ManagedFields } from "../managed-fields.ts";
import { initMetadata, validateMetadata } from "../metadata.ts";
import { writeOptions } from "../options.ts";
import { storageKey, type CachedObject } from "../stored-object.ts";
import { allocate, commitCreate, retrying } from "../write.ts";

/** Generated names that collide are made anew this often. */
const generateAttemptsMax = 8;
/** A generated name keeps this much of its prefix, so that the whole fits a DNS label. */
const generatePrefixMax = 58;

/** The namespace of the object must be that of the path; absent, it is taken from there. Where there is none, it goes. */
export function settleNamespace(context: ResourceContext, object: KubeObject): void {
  const metadata = (object.metadata ??= {});
  if (!context.definition.namespaced) {
    delete metadata.namespace;
    return;
  }
  const { namespace } = context.info;
  if (!metadata.namespace) metadata.namespace = namespace;
  else if (metadata.namespace !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
}

/** Gives the same object anew at every call: each attempt at a write has its own to change. */
export type Fresh = () => Promise<KubeObject>;

/** The object in the body, decoded anew each time: that is cheaper than a copy, and hardly ever needed twice. */
export function requestObject(context: ResourceContext, options: WriteOptions): Fresh {
  return async () => {
    const given = await decodeRequestObject(context.request, context.definition, {
      ...options,
      warn: (message) => context.warn(message),
    });
    settleNamespace(context, given);
    return given;
  };
}

export function create(context: ResourceContext): Promise<CachedObject> {
  const options = writeOptions(context);
  return createObject(context, requestObject(context, options), options);
}

/** Creates a decoded object: defaults, ownership (unless an apply has settled it), admission, validation, commit. */
export async function createObject(
  context: ResourceContext,
  fresh: Fresh,
  options: WriteOptions,
  managed?: ManagedFields,
): Promise<CachedObject> {
  if (context.definition.terminating) {
    const { status } = methodNotAllowed();
    const message = "create not allowed while custom resource definition is terminating";
    throw new ApiError({ ...status, message });
  }
  for (let attempt = 1; ; attempt++) {
    let generated = false;
    let named: ObjectMeta = {};
    const draft = async (): Promise<KubeObject> => {
      const object = await fresh();
      named = object.metadata ??= {};
      generated = nameObject(context, named);
      return object;
    };
    try {
      return await retrying(async () => attemptCreate(context, await draft(), options, managed), {
        conflicts: false,
      });
    } catch (error) {
      if (!isApiError(error, "AlreadyExists")) throw error;
      if (!generated || attempt >= generateAttemptsMax) throw await collision(context, error, named);
    }
  }
}

/** What is there already, in the words of who asked for a generated name, and whether it is about to go. */
async function collision(
  { definition, server }: ResourceContext,
  error: ApiError,
  metadata: ObjectMeta,
): Promise<ApiError> {
  await server.caches.waitForNewest();
  const { name = "", namespace = "", generateName = "" } = metadata;
  const { group, resource, storage } = definition;
  const told = generateName === "" ? error : generatedNameTaken({ group, resource }, name);
  const present = server.caches.of(storage).get(storageKey(storage, namespace, name));
  if (present?.object.metadata?.deletionTimestamp === undefined) return told;
  const message = `object is being deleted: ${told.message}`;
  return new ApiError({ ...told.status, message }, told.headers);
}

/** Makes a name where only its beginning is given, and says whether it did. */
function nameObject({ server }: ResourceContext, metadata: ObjectMeta): boolean {
  if (metadata.resourceVersion)
    throw badRequest("resourceVersion should not be set on objects to be created");
  if (metadata.name || !metadata.generateName) return false;
  metadata.name = metadata.generateName.slice(0, generatePrefixMax) + nameSuffix(server.random);
  return true;
}

async function attemptCreate(
  context: ResourceContext,
  draft: KubeObject,
  { dryRun }: WriteOptions,
  given: ManagedFields | undefined,
): Promise<CachedObject> {
  const { definition, server } = context;
  const nowMs = server.clock.now();
  const write = { operation: "CREATE" as const, object: draft, old: undefined, dryRun };
  definition.applyDefaults(draft);
  const managed = given ?? managedByCreate(context, draft);
  await mutate(context, write);
  definition.applyDefaults(draft);
  initMetadata(draft.metadata ?? {}, {
    uid: server.random.uuid(),
    creationTimestamp: timestamp(nowMs),
    generation: definition.generation !== "none",
  });
  definition.prepareForCreate(draft, { nowMs, settings: server.settings, caller: context.caller });
  const errors = [
    ...validateMetadata(draft, definition),
    ...definition.validate(draft),
    ...(await moreErrors(context, draft, undefined)),
  ];
  if (errors.length > 0) throw invalidObject(definition, draft.metadata?.name ?? "", errors);
  await validate(context, write);
  for (const warning of definition.warnings(draft, undefined)) context.warn(warning);
  allocate(context, draft, undefined);
  return commitCreate(context, draft, managed, dryRun);
}
