// PUT and PATCH, of whole objects and of their status: read, change, check, commit; again when somebody was faster.

import { sameJson } from "#machinery/apply/equal.ts";
import type { KubeObject, ObjectMeta } from "#machinery/meta.ts";
import { applyJsonPatch } from "#machinery/patch/json-patch.ts";
import { applyMergePatch } from "#machinery/patch/merge-patch.ts";
import { applyStrategicMergePatch } from "#machinery/patch/strategic-merge-patch.ts";
import { isObject } from "#machinery/schema/decode.ts";
import { schemaOf, type ResourceDefinition } from "#machinery/define-resource.ts";
import {
  badRequest,
  conflict,
  invalidObject,
  isApiError,
  methodNotAllowed,
  staleObject,
  unsupportedMediaType,
} from "#machinery/status.ts";
import { invalid } from "#machinery/field-error.ts";
import { moreErrors, mutate, validate } from "../admit.ts";
import { servesCbor, type ResourceContext, type WriteOptions } from "../context.ts";
import { decodePatched, parsePatch } from "../decode-body.ts";
import { managedByUpdate, type ManagedFields } from "../managed-fields.ts";
import { changedMetadata, keepMetadata, validateMetadataUpdate } from "../metadata.ts";
import { applyCborType, applyType, mediaTypeOf, writeOptions } from "../options.ts";
import type { CachedObject } from "../stored-object.ts";
import { allocate, commitDelete, commitUpdate, current, namespaceOf, retrying } from "../write.ts";
import { createObject, requestObject } from "./create.ts";

const patchTypes = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
];

/** What an update changes: everything, only the status, or another part that has an endpoint of its own. */
export type Part = "object" | "status" | { readonly part: string };

export async function update(
  context: ResourceContext,
  part: Part,
): Promise<{ object: CachedObject; created: boolean }> {
  const { definition, info } = context;
  const options = writeOptions(context);
  const fresh = requestObject(context, options);
  let given: KubeObject | undefined = await fresh();
  const { metadata = {} } = given;
  checkName(context, metadata);
  const { resourceVersion: wanted = "", uid } = metadata;
  try {
    const object = await retrying(
      async () => {
        const old = await current(context, namespaceOf(context), info.name);
        checkPreconditions(context, old, wanted, uid);
        if (wanted === "" && definition.requireResourceVersion) throw versionRequired(context);
        const next = given ?? (await fresh());
        given = undefined;
        return replaceObject(context, next, old, part, options);
      },
      { conflicts: wanted === "" },
    );
    return { object, created: false };
  } catch (error) {
    if (!definition.allowCreateOnUpdate || part !== "object" || !isApiError(error, "NotFound")) throw error;
    return { object: await createObject(context, fresh, options), created: true };
  }
}

/** As documented, this error names the resource where others name the kind. */
const versionRequired = ({ definition, info }: ResourceContext): Error =>
  invalidObject({ group: definition.group, kind: definition.resource }, info.name, [
    invalid("metadata.resourceVersion", 0, "must be specified for an update"),
  ]);

export async function patch(context: ResourceContext, part: Part): Promise<CachedObject> {
  const { definition, info } = context;
  const options = writeOptions(context);
  const change = readPatch(context);
  return retrying(
    async () => {
      const old = await current(context, namespaceOf(context), info.name);
      const next = decodePatched(
        change.apply(old.draft(change.namesManaged)),
        definition,
        change.duplicates,
        {
          ...options,
          warn: (message) => context.warn(message),
        },
        change.touches,
      );
      const metadata = (next.metadata ??= {});
      checkName(context, metadata);
      if (!metadata.namespace && definition.namespaced) metadata.namespace = info.namespace;
      checkPreconditions(context, old, metadata.resourceVersion ?? "", metadata.uid);
      return replaceObject(context, next, old, part, options);
    },
    { conflicts: !change.namesVersion },
  );
}

/** An object says its own name, and it is the one in the path. */
export function checkName({ info, definition }: ResourceContext, { name, namespace }: ObjectMeta): void {
  if (!name)
    throw badRequest(
      `the name of the object (${info.name} based on URL) was undeterminable: name must be provided`,
    );
  if (name !== info.name)
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${info.name})`);
  if (definition.namespaced && namespace && namespace !== info.namespace)
    throw badRequest(
      `the namespace of the object (${namespace}) does not match the namespace on the request (${info.namespace})`,
    );
}

interface Change {
  readonly duplicates: readonly string[];
  /** The patch itself sets metadata.resourceVersion: a conflict is the client's to resolve. */
  readonly namesVersion: boolean;
  /** The patch looks at metadata.managedFields or changes them. */
  readonly namesManaged: boolean;
  /** Whether this field of the object, at the top, may be another one afterwards. */
  touches(field: string): boolean;
  apply(target: unknown): unknown;
}

/** What a JSON patch touches: the first step of each path. */
function touchedBy(operations: unknown): (field: string) => boolean {
  const paths = (Array.isArray(operations) ? operations : [])
    .flatMap((one) => (isObject(one) ? [one["path"], one["from"]] : []))
    .map((path) => String(path ?? "/").split("/")[1]);
  return (field) => paths.some((first) => first === undefined || first === field);
}

/** What an object as a patch touches: its own fields; with a directive among them, anything. */
function touchedLike(value: Readonly<Record<string, unknown>>): (field: string) => boolean {
  const hasDirective = Object.keys(value).some((key) => key.startsWith("$"));
  return (field) => hasDirective || Object.hasOwn(value, field);
}

/** A JSON patch operation on the managed fields or on what holds them. */
function namesManagedFields(operation: unknown): boolean {
  const { path, from } = isObject(operation) ? operation : {};
  return [path, from].some(
    (place) =>
      place === "" ||
      place === "/metadata" ||
      (typeof place === "string" && place.startsWith("/metadata/managedFields")),
  );
}

function readPatch(context: ResourceContext): Change {
  const { request, definition } = context;
  const type = mediaTypeOf(request);
  // Strategic merge patches need what only built-in kinds say of their lists.
  const accepted = definition.schema === undefined ? patchTypes : patchTypes.slice(0, 2);
  if (!accepted.includes(type))
    throw unsupportedMediaType([...accepted, applyType, ...(servesCbor(context) ? [applyCborType] : [])]);
  const { value, duplicates } = parsePatch(request);
  if (type === patchTypes[0])
    return {
      duplicates,
      namesVersion: false,
      namesManaged: Array.isArray(value) && value.some(namesManagedFields),
      touches: touchedBy(value),
      apply: (target) => applyJsonPatch(target, structuredClone(value)),
    };
  if (!isObject(value)) {
    const found = Array.isArray(value) ? "array" : value === null ? "null" : typeof value;
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${found} into Go value of type map[string]interface {}`,
    );
  }
  const metadata = isObject(value["metadata"]) ? value["metadata"] : {};
  const namesVersion = Boolean(metadata["resourceVersion"]);
  const namesManaged = Object.hasOwn(metadata, "managedFields");
  const common = { duplicates, namesVersion, namesManaged, touches: touchedLike(value) };
  if (type === patchTypes[1]) return { ...common, apply: (target) => applyMergePatch(target, value) };
  const schema = schemaOf(definition);
  return {
    ...common,
    apply: (target) => applyStrategicMergePatch(target, value, schema),
  };
}

export function checkPreconditions(
  context: ResourceContext,
  old: CachedObject,
  resourceVersion: string,
  uid: string | undefined,
): void {
  const { group, resource } = context.definition;
  const { name = "", uid: actual } = old.object.metadata ?? {};
  if (uid !== undefined && uid !== "" && uid !== actual) {
    throw conflict(
      { group, resource },
      name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${actual}`,
    );
  }
  if (resourceVersion !== "" && resourceVersion !== String(old.revision))
    throw conflict({ group, resource }, name, staleObject);
}

/** Everything between a changed draft and its commit. An apply has settled before who owns what. */
export async function replaceObject(
  context: ResourceContext,
  next: KubeObject,
  old: CachedObject,
  part: Part,
  { dryRun }: WriteOptions,
  applied?: ManagedFields,
): Promise<CachedObject> {
  const { definition, server } = context;
  const stored = old.object;
  const strategy = { nowMs: server.clock.now(), settings: server.settings };
  const given = (next.metadata ??= {});
  const { managedFields } = given;
  const changed = changedMetadata(given, stored.metadata ?? {});
  keepMetadata(given, stored.metadata ?? {});
  definition.applyDefaults(next);
  const managed = applied ?? (await managedByUpdate(context, next, old, managedFields));
  const write = { operation: "UPDATE" as const, object: next, old: stored, dryRun };
  await mutate(context, write);
  definition.applyDefaults(next);
  const own = typeof part === "object" ? definition.parts[part.part] : undefined;
  if (own !== undefined) own.prepareForUpdate(next, stored, strategy);
  else if (part === "status") prepareStatus(context, next, stored);
  else definition.prepareForUpdate(next, stored, strategy);
  const metadata = next.metadata;
  if (raisesGeneration(definition, next, stored))
    metadata.generation = (stored.metadata?.generation ?? 0) + 1;

  const errors = [
    ...changed,
    ...validateMetadataUpdate(next, stored, definition),
    ...(part === "status"
      ? (definition.status?.validateUpdate?.(next, stored) ?? [])
      : (own ?? definition).validateUpdate(next, stored)),
    ...(part === "status" ? [] : await moreErrors(context, next, stored)),
  ];
  if (errors.length > 0) throw invalidObject(definition, metadata.name ?? "", errors);
  await validate(context, write);
  if (part === "object") {
    for (const warning of definition.warnings(next, stored)) context.warn(warning);
    allocate(context, next, stored);
  }
  return isReleased(context, next)
    ? commitDelete(context, old, dryRun)
    : commitUpdate(context, next, old, dryRun, managed);
}

function raisesGeneration(definition: ResourceDefinition, next: KubeObject, old: KubeObject): boolean {
  if (definition.generation === "none") return false;
  if (definition.generation === "spec") return !sameJson(specOf(next), specOf(old));
  const content = (object: KubeObject): object => {
    const { metadata: _m, status, ...rest } = object as KubeObject & { status?: unknown };
    return definition.status === undefined ? { ...rest, status } : rest;
  };
  return !sameJson(content(next), content(old));
}

const specOf = (object: KubeObject): unknown => (object as { spec?: unknown }).spec;

/** Status updates keep everything but the status (and labels, annotations, finalizers as given): the stored values. */
function prepareStatus(context: ResourceContext, next: KubeObject, old: KubeObject): void {
  const { definition, server } = context;
  if (definition.status === undefined) throw methodNotAllowed();
  const fields = next as Record<string, unknown>;
  for (const key of Object.keys(fields))
    if (!["apiVersion", "kind", "metadata", "status"].includes(key)) delete fields[key];
  for (const [key, value] of Object.entries(old)) {
    if (!["apiVersion", "kind", "metadata", "status"].includes(key)) fields[key] = value;
  }
  definition.status.prepareForUpdate?.(next, old, { nowMs: server.clock.now(), settings: server.settings });
}

/** Marked for deletion, and nothing holds it any longer: this update is its end. */
function isReleased({ definition }: ResourceContext, object: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = object.metadata ?? {};
  if (deletionTimestamp === undefined || finalizers.length > 0) return false;
  if ((definition.specFinalizers?.(object) ?? []).length > 0) return false;
  return definition.gracePeriod === undefined || deletionGracePeriodSeconds === 0;
}
