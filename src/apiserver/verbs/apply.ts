// PATCH with a configuration to apply: laid over the live object by who owns what, or the start of a new object.

import { lastAppliedAnnotation } from "#machinery/apply/ownership.ts";
import { isObject, type JsonObject } from "#machinery/json-object.ts";
import { annotationsBytes, annotationsBytesMax } from "#machinery/label-rules.ts";
import { apiVersionOf, type KubeObject } from "#machinery/meta.ts";
import { JsonSyntaxError, parseJson } from "#machinery/schema/json.ts";
import { badRequest, conflict, isApiError } from "#machinery/status.ts";
import { authorizeAs } from "../authorize.ts";
import type { ResourceContext, WriteOptions } from "../context.ts";
import { decodePatched } from "../decode-body.ts";
import { applyOver } from "../managed-fields.ts";
import { applyCborType, booleanParameter, mediaTypeOf, writeOptions } from "../options.ts";
import type { CachedObject } from "../stored-object.ts";
import { current, namespaceOf, retrying } from "../write.ts";
import { createObject } from "./create.ts";
import { checkName, checkPreconditions, replaceObject, type Part } from "./update.ts";

/** The manager that keeps the annotation of client-side apply up to date, so that users may go back to it. */
const kubectl = "kubectl";

interface Config {
  readonly value: JsonObject;
  readonly metadata: JsonObject;
}

const textAt = (object: JsonObject, name: string): string => {
  const value = object[name];
  return typeof value === "string" ? value : "";
};

export async function applyPatch(
  context: ResourceContext,
  part: Part,
): Promise<{ object: CachedObject; created: boolean }> {
  const { query } = context;
  const options = writeOptions(context);
  const force = booleanParameter(query, "force") ?? false;
  const value = await readConfig(context, options);
  checkConfig(value, context.definition);
  const metadata = isObject(value["metadata"]) ? value["metadata"] : {};
  const config: Config = { value, metadata };
  return retrying(
    async () => {
      let old: CachedObject;
      try {
        old = await current(context, namespaceOf(context), context.info.name);
      } catch (error) {
        if (part !== "object" || !isApiError(error, "NotFound")) throw error;
        return { object: await createByApply(context, config, options), created: true };
      }
      return { object: await applyTo(context, config, old, force, part, options), created: false };
    },
    { conflicts: textAt(metadata, "resourceVersion") === "" },
  );
}

/** YAML, of which JSON is a part: most clients send JSON, which is read faster as such. */
export async function readConfig(context: ResourceContext, options: WriteOptions): Promise<JsonObject> {
  const { body } = context.request;
  if (Buffer.isBuffer(body) && mediaTypeOf(context.request) === applyCborType)
    return readCborConfig(context, body, options);
  const { value, duplicates } = Buffer.isBuffer(body)
    ? await parseConfig(body.toString())
    : { value: body, duplicates: [] };
  if (duplicates.length > 0) {
    const why = `error converting YAML to JSON: yaml: unmarshal errors:\n  ${duplicates.join("\n  ")}`;
    if (options.fieldValidation === "Strict") throw badRequest(`error strict decoding YAML: ${why}`);
    if (options.fieldValidation === "Warn") context.warn(why);
  }
  if (isObject(value)) return value;
  const found = Array.isArray(value) ? "array" : typeof value;
  const why = `json: cannot unmarshal ${found} into Go value of type map[string]interface {}`;
  throw badRequest(`error decoding YAML: error unmarshaling JSON: while decoding JSON: ${why}`);
}

async function readCborConfig(
  context: ResourceContext,
  body: Buffer,
  options: WriteOptions,
): Promise<JsonObject> {
  const { decodeCbor, CborError } = await import("#machinery/codec/cbor.ts");
  try {
    const { value, duplicates } = decodeCbor(body);
    if (duplicates.length > 0 && options.fieldValidation === "Strict")
      throw badRequest(`error strict decoding CBOR: ${duplicates.join(", ")}`);
    if (options.fieldValidation === "Warn") for (const told of duplicates) context.warn(told);
    if (isObject(value)) return value;
    throw badRequest("error decoding CBOR: an apply patch is a map");
  } catch (error) {
    if (error instanceof CborError) throw badRequest(`error decoding CBOR: ${error.message}`);
    throw error;
  }
}

async function parseConfig(text: string): Promise<{ value: unknown; duplicates: readonly string[] }> {
  const json = text.trimStart().startsWith("{") ? parsedJson(text) : undefined;
  if (json !== undefined) return { value: json, duplicates: [] };
  const { parseYaml, YamlError } = await import("#machinery/codec/yaml.ts");
  try {
    const { value, duplicates } = parseYaml(text);
    return { value: value ?? {}, duplicates };
  } catch (error) {
    if (error instanceof YamlError)
      throw badRequest(`error decoding YAML: error converting YAML to JSON: ${error.message}`);
    throw error;
  }
}

/** Undefined for flow style that is not JSON, and for repeated keys: YAML tells in which line they are. */
function parsedJson(text: string): unknown {
  try {
    const { value, duplicates } = parseJson(text, { duplicates: true });
    return duplicates.length > 0 ? undefined : value;
  } catch (error) {
    if (error instanceof JsonSyntaxError) return undefined;
    throw error;
  }
}

/** Refuses what is no configuration of this kind at this version. */
export function checkConfig(value: JsonObject, kind: { group: string; version: string; kind: string }): void {
  const version = textAt(value, "apiVersion");
  if (version !== apiVersionOf(kind))
    throw badRequest(
      `Incorrect version specified in apply patch. Specified patch version: ${version}, expected: ${apiVersionOf(kind)}`,
    );
  const given = textAt(value, "kind");
  if (given !== kind.kind)
    throw badRequest(
      `Incorrect kind specified in apply patch. Specified patch kind: ${given}, expected: ${kind.kind}`,
    );
  const metadata = value["metadata"];
  if (isObject(metadata) && Array.isArray(metadata["managedFields"]))
    throw badRequest("metadata.managedFields must be nil");
}

function decodeApplied(context: ResourceContext, applied: unknown, config: Config): KubeObject {
  const { definition, query } = context;
  // What the schema does not know was refused before.
  const next = decodePatched(applied, definition, [], { fieldValidation: "Ignore", warn: () => undefined });
  const metadata = (next.metadata ??= {});
  checkName(context, metadata);
  if (query.get("fieldManager") === kubectl && context.info.subresource === "")
    keepLastApplied(metadata.annotations, config);
  return next;
}

/** Writes what was applied into the annotation, where client-side apply had left one. */
function keepLastApplied(annotations: Record<string, string> | undefined, { value }: Config): void {
  if (annotations?.[lastAppliedAnnotation] === undefined) return;
  const config = structuredClone(value);
  const metadata = config["metadata"];
  if (isObject(metadata) && isObject(metadata["annotations"]))
    delete metadata["annotations"][lastAppliedAnnotation];
  annotations[lastAppliedAnnotation] = `${JSON.stringify(sortKeys(config))}\n`;
  if (annotationsBytes(annotations) > annotationsBytesMax) delete annotations[lastAppliedAnnotation];
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isObject(value)) return value;
  const sorted = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return Object.fromEntries(sorted.map(([key, inner]) => [key, sortKeys(inner)]));
}

async function applyTo(
  context: ResourceContext,
  config: Config,
  old: CachedObject,
  force: boolean,
  part: Part,
  options: WriteOptions,
): Promise<CachedObject> {
  const { metadata } = config;
  checkPreconditions(context, old, textAt(metadata, "resourceVersion"), textAt(metadata, "uid"));
  const { object, managed } = await applyOver(context, old, config.value, force);
  const next = decodeApplied(context, object, config);
  return replaceObject(context, next, old, part, options, managed);
}

async function createByApply(
  context: ResourceContext,
  config: Config,
  options: WriteOptions,
): Promise<CachedObject> {
  const { definition, info } = context;
  await authorizeAs(context, "create");
  const uid = textAt(config.metadata, "uid");
  if (uid !== "") {
    const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
    throw conflict({ group: definition.group, resource: definition.resource }, info.name, why);
  }
  const { object, managed } = await applyOver(context, undefined, config.value, false);
  const fresh = (): Promise<KubeObject> => {
    const draft = decodeApplied(context, object, config);
    const metadata = (draft.metadata ??= {});
    if (definition.namespaced) metadata.namespace = info.namespace;
    return Promise.resolve(draft);
  };
  return createObject(context, fresh, options, managed);
}
