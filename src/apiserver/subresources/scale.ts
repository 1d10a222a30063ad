// The scale subresource of every kind that has one: autoscaling/v1 Scale over the paths in the definition.

import type { ApiResponse } from "#machinery/api-request.ts";
import { invalid } from "#machinery/field-error.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { applyJsonPatch } from "#machinery/patch/json-patch.ts";
import { applyMergePatch } from "#machinery/patch/merge-patch.ts";
import {
  conflict,
  internalError,
  invalidObject,
  methodNotAllowed,
  staleObject,
  unsupportedMediaType,
} from "#machinery/status.ts";
import type { ScaleMapping } from "#machinery/define-resource.ts";
import { formFor, objectAnswer } from "../answer.ts";
import type { ResourceContext } from "../context.ts";
import { decodeKind, decodePatched, parsePatch } from "../decode-body.ts";
import { applyOver, checkAppliedFields } from "../managed-fields.ts";
import { applyType, booleanParameter, checkParameters, isApply, writeOptions } from "../options.ts";
import type { CachedObject } from "../stored-object.ts";
import { checkConfig, readConfig } from "../verbs/apply.ts";
import { checkPreconditions, replaceObject } from "../verbs/update.ts";
import { current, namespaceOf, retrying } from "../write.ts";

interface Scale extends KubeObject {
  spec?: { replicas?: number };
  status?: { replicas: number; selector?: string };
}

const kind = { group: "autoscaling", version: "v1", kind: "Scale" };
/** A Scale has no lists: both merge the same. */
const mergeTypes = ["application/merge-patch+json", "application/strategic-merge-patch+json"];

function at(object: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], object);
}

function setAt(object: unknown, path: string, value: unknown): void {
  const keys = path.split(".");
  const last = keys.pop() as string;
  let target = object as Record<string, unknown>;
  for (const key of keys) target = (target[key] ??= {}) as Record<string, unknown>;
  target[last] = value;
}

function scaleOf(object: KubeObject, mapping: ScaleMapping): Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata ?? {};
  const selector = mapping.selector(object);
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp } as NonNullable<
      KubeObject["metadata"]
    >,
    spec: { replicas: Number(at(object, mapping.specReplicasPath) ?? 0) },
    status: {
      replicas: Number(at(object, mapping.statusReplicasPath) ?? 0),
      ...(selector === "" ? {} : { selector }),
    },
  };
}

async function changeOf(context: ResourceContext): Promise<(scale: Scale) => Scale> {
  const { request } = context;
  const options = { ...writeOptions(context), warn: (message: string) => context.warn(message) };
  if (context.info.verb === "update") {
    const given = (await decodeKind(request, kind, options)) as Scale;
    return () => given;
  }
  const [type = ""] = (request.headers["content-type"] ?? "").split(";");
  const isJsonPatch = type.trim() === "application/json-patch+json";
  if (!isJsonPatch && !mergeTypes.includes(type.trim()))
    throw unsupportedMediaType(["application/json-patch+json", ...mergeTypes, applyType]);
  const { value, duplicates } = parsePatch(request);
  return (scale) =>
    decodePatched(
      isJsonPatch
        ? applyJsonPatch(structuredClone(scale), structuredClone(value))
        : applyMergePatch(scale, value),
      kind,
      duplicates,
      options,
    ) as Scale;
}

function checkReplicas(name: string, replicas: number): void {
  if (replicas < 0)
    throw invalidObject(kind, name, [
      invalid("spec.replicas", replicas, "must be greater than or equal to 0"),
    ]);
}

/** A Scale applied is the object applied with nothing but its replicas. */
async function applyScale(context: ResourceContext, mapping: ScaleMapping): Promise<CachedObject> {
  const { definition, info, query } = context;
  const options = writeOptions(context);
  const config = await readConfig(context, options);
  checkConfig(config, kind);
  checkAppliedFields(context, config, kind);
  const replicas = at(config, "spec.replicas");
  const whole = {};
  if (replicas !== undefined) setAt(whole, mapping.specReplicasPath, replicas);
  if (typeof replicas === "number") checkReplicas(info.name, replicas);
  const precondition = (field: string): string => String(at(config, `metadata.${field}`) ?? "");
  return retrying(
    async () => {
      const old = await current(context, namespaceOf(context), info.name);
      checkPreconditions(context, old, precondition("resourceVersion"), precondition("uid"));
      const force = booleanParameter(query, "force") ?? false;
      const { object, managed } = await applyOver(context, old, whole, force);
      const next = decodePatched(object, definition, [], {
        fieldValidation: "Ignore",
        warn: () => undefined,
      });
      return replaceObject(context, next, old, "object", options, managed);
    },
    { conflicts: precondition("resourceVersion") === "" },
  );
}

export async function scale(context: ResourceContext): Promise<ApiResponse> {
  const { definition, info, query } = context;
  const mapping = definition.scale as ScaleMapping;
  const subject = { group: definition.group, resource: definition.resource };
  const form = formFor(context, { protobuf: true, views: false });
  checkParameters(info.verb, query);
  if (info.verb === "get") {
    const { object } = await current(context, namespaceOf(context), info.name);
    const { specReplicasPath: path, mustExist } = mapping;
    if (mustExist === true && at(object, path) === undefined)
      throw internalError(`the spec replicas field ".${path}" does not exist`);
    return objectAnswer(200, scaleOf(object, mapping), form);
  }
  if (info.verb !== "update" && info.verb !== "patch") throw methodNotAllowed();
  if (info.verb === "patch" && isApply(context))
    return objectAnswer(200, scaleOf((await applyScale(context, mapping)).object, mapping), form);
  const change = await changeOf(context);
  const written = await retrying(
    async (): Promise<CachedObject> => {
      const old = await current(context, namespaceOf(context), info.name);
      const before = scaleOf(old.object, mapping);
      const next = change(before);
      const wanted = next.metadata?.resourceVersion;
      if (info.verb === "update" && wanted && wanted !== before.metadata?.resourceVersion)
        throw conflict(subject, info.name, staleObject);
      const replicas = next.spec?.replicas ?? 0;
      checkReplicas(info.name, replicas);
      const draft = old.draft();
      setAt(draft, mapping.specReplicasPath, replicas);
      return replaceObject(context, draft, old, "object", writeOptions(context));
    },
    { conflicts: true },
  );
  return objectAnswer(200, scaleOf(written.object, mapping), form);
}
