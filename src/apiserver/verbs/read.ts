// GET of one object and of lists, from the watch cache; pages after the first come from the store's history.

import type { ApiResponse } from "#machinery/api-request.ts";
import { sharedObjectsHeader } from "#machinery/api-request.ts";
import { encodeProtobuf } from "#machinery/codec/protobuf.ts";
import { apiVersionOf, type KubeList, type KubeObject } from "#machinery/meta.ts";
import { badRequest, failure, gone, notFound } from "#machinery/status.ts";
import { CompactedError, FutureRevisionError, prefixEnd } from "#store/store.ts";
import { bytesAnswer, objectAnswer } from "../answer.ts";
import type { ResourceContext } from "../context.ts";
import type { OutputForm } from "../negotiate.ts";
import { integerParameter, resourceVersionParameter } from "../options.ts";
import { selectionOf, type Selection } from "../selection.ts";
import { CachedObject, encodeObject, packValue, storageKey, storagePrefix } from "../stored-object.ts";
import { partialMetadata, table, tableRow, type IncludeObject } from "../table.ts";
import { namespaceOf } from "../write.ts";

const tooOld =
  "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.";

export const wantsShared = (context: ResourceContext): boolean =>
  context.request.headers[sharedObjectsHeader] === "true";

export function includeObject(query: URLSearchParams): IncludeObject {
  const value = query.get("includeObject") ?? "";
  if (value === "None" || value === "Object") return value;
  if (value === "" || value === "Metadata") return "Metadata";
  throw badRequest(`unrecognized includeObject value: ${JSON.stringify(value)}`);
}

export async function get(context: ResourceContext, form: OutputForm): Promise<ApiResponse> {
  const { definition, server, info, query } = context;
  const computed = await computedObjects(context);
  if (computed !== undefined) {
    const one = computed.find((object) => object.object.metadata?.name === info.name);
    if (one === undefined)
      throw notFound({ group: definition.group, resource: definition.resource }, info.name);
    return oneAnswer(context, 200, one, form);
  }
  const version = resourceVersionParameter(query.get("resourceVersion"));
  if (version === undefined) await server.caches.waitForNewest();
  else await server.caches.waitFor(version);
  const found = server.caches
    .of(definition.storage)
    .get(storageKey(definition.storage, namespaceOf(context), info.name));
  if (found === undefined)
    throw notFound({ group: definition.group, resource: definition.resource }, info.name);
  return oneAnswer(context, 200, found, form);
}

/** One object in the negotiated form: the cached bytes as they are, wherever the form allows. */
export async function oneAnswer(
  context: ResourceContext,
  status: number,
  object: CachedObject,
  form: OutputForm,
): Promise<ApiResponse> {
  if (form.as === "Table") {
    const row = tableRow(
      context.definition,
      object.object,
      includeObject(context.query),
      context.server.clock.now(),
    );
    return objectAnswer(
      status,
      table(context.definition, [row], { resourceVersion: String(object.revision) }),
      form,
    );
  }
  if (form.as === "PartialObjectMetadata") return objectAnswer(status, partialMetadata(object.object), form);
  if (form.encoding === "json") {
    if (wantsShared(context)) return { status, headers: {}, body: { kind: "object", object: object.object } };
    return bytesAnswer(status, form.contentType, [object.bytes]);
  }
  return objectAnswer(status, object.object, form);
}

/** The objects of a resource that is computed when asked for; undefined: this one is stored. */
async function computedObjects(context: ResourceContext): Promise<CachedObject[] | undefined> {
  const { definition, server } = context;
  const make = server.computed.get(`${definition.group}/${definition.resource}`);
  if (make === undefined) return undefined;
  const key = (object: KubeObject): string => storageKey(definition.storage, "", object.metadata?.name ?? "");
  return (await make()).map((object) =>
    CachedObject.fromValue(key(object), packValue(encodeObject(object, definition)), 0),
  );
}

interface Page {
  readonly objects: readonly CachedObject[];
  readonly revision: number;
  readonly continueFrom?: string;
  readonly remaining?: number;
}

interface ContinueToken {
  v: string;
  rv: number;
  start: string;
}

function decodeContinue(token: string, prefix: string): { revision: number; start: string } {
  let parsed: ContinueToken;
  try {
    parsed = JSON.parse(Buffer.from(token, "base64url").toString()) as ContinueToken;
  } catch {
    throw badRequest("continue key is not valid: illegal base64 data");
  }
  if (parsed.v !== "meta.k8s.io/v1" || !Number.isInteger(parsed.rv) || typeof parsed.start !== "string") {
    throw badRequest("continue key is not valid: server does not recognize this encoded version");
  }
  if (parsed.start.includes("..") && parsed.start.split("/").includes(".."))
    throw badRequest("continue key is not valid: invalid start key");
  return { revision: parsed.rv, start: `${prefix}${parsed.start}` };
}

function encodeContinue(revision: number, lastKey: string, prefix: string): string {
  const token: ContinueToken = {
    v: "meta.k8s.io/v1",
    rv: revision,
    start: `${lastKey.slice(prefix.length)}\0`,
  };
  return Buffer.from(JSON.stringify(token)).toString("base64url");
}

/** Takes objects until the limit is full; says whether there were more. */
function take(
  source: Iterable<CachedObject>,
  selection: Selection,
  limit: number,
): { objects: CachedObject[]; last: string; more: boolean } {
  const objects: CachedObject[] = [];
  let last = "";
  for (const object of source) {
    if (objects.length === limit) return { objects, last, more: true };
    last = object.key;
    if (selection.matches(object)) objects.push(object);
  }
  return { objects, last, more: false };
}

async function readPage(context: ResourceContext): Promise<Page> {
  const { definition, server, query } = context;
  const selection = selectionOf(query, definition);
  const computed = await computedObjects(context);
  if (computed !== undefined) {
    return {
      objects: computed.filter((object) => selection.matches(object)),
      revision: server.caches.revision,
    };
  }
  const limit = integerParameter(query, "limit") ?? 0;
  if (limit < 0) throw badRequest("limit must not be negative");
  const size = limit === 0 ? Infinity : limit;
  const namespace = namespaceOf(context);
  const prefix = storagePrefix(definition.storage) + (namespace === "" ? "" : `${namespace}/`);
  const version = resourceVersionParameter(query.get("resourceVersion"));
  const match = query.get("resourceVersionMatch");
  const token = query.get("continue") ?? "";
  checkVersionMatch(match, version, token);

  let page: { objects: CachedObject[]; last: string; more: boolean };
  let revision: number;
  let whole: number | undefined;
  if (token !== "" || (match === "Exact" && version !== undefined)) {
    const from =
      token === "" ? { revision: version as number, start: prefix } : decodeContinue(token, prefix);
    revision = from.revision;
    const history = await readHistory(context, from.start, prefixEnd(prefix), revision, token !== "");
    page = take(history, selection, size);
    whole = history.length;
  } else {
    if (version === undefined) await server.caches.waitForNewest();
    else await server.caches.waitFor(version);
    revision = server.caches.revision;
    const cache = server.caches.of(definition.storage);
    if (selection.name !== undefined && (namespace !== "" || !definition.namespaced)) {
      const one = cache.get(`${prefix}${selection.name}`);
      page = { objects: one !== undefined && selection.matches(one) ? [one] : [], last: "", more: false };
    } else page = take(cache.range(prefix, prefixEnd(prefix)), selection, size);
    if (page.more && selection.all) {
      whole = namespace === "" ? cache.size : [...cache.range(prefix, prefixEnd(prefix))].length;
    }
  }
  if (!page.more) return { objects: page.objects, revision };
  return {
    objects: page.objects,
    revision,
    continueFrom: encodeContinue(revision, page.last, prefix),
    ...(selection.all && whole !== undefined ? { remaining: whole - page.objects.length } : {}),
  };
}

function checkVersionMatch(match: string | null, version: number | undefined, token: string): void {
  const refuse = (why: string): never => {
    throw failure(
      422,
      "Invalid",
      `ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: ${why}`,
      {
        group: "meta.k8s.io",
        kind: "ListOptions",
        causes: [
          { reason: "FieldValueForbidden", message: `Forbidden: ${why}`, field: "resourceVersionMatch" },
        ],
      },
    );
  };
  if (token !== "" && version !== undefined && version !== 0)
    throw badRequest("specifying resource version is not allowed when using continue");
  if (match === null || match === "") return;
  if (version === undefined) refuse("resourceVersionMatch is forbidden unless resourceVersion is provided");
  if (token !== "") refuse("resourceVersionMatch is forbidden when continue is provided");
  if (match !== "Exact" && match !== "NotOlderThan") refuse(`supported values: "Exact", "NotOlderThan", ""`);
  if (match === "Exact" && version === 0)
    refuse(`resourceVersionMatch "Exact" is forbidden for resourceVersion "0"`);
}

async function readHistory(
  context: ResourceContext,
  start: string,
  end: string,
  revision: number,
  continued: boolean,
): Promise<CachedObject[]> {
  try {
    const { kvs } = await context.server.store.range({ start, end, revision });
    return kvs.map((kv) => CachedObject.fromValue(kv.key, kv.value, kv.modRevision));
  } catch (error) {
    if (error instanceof CompactedError)
      throw gone(continued ? tooOld : `The resourceVersion for the provided list is too old.`);
    if (error instanceof FutureRevisionError)
      throw failure(
        504,
        "Timeout",
        `Too large resource version: ${revision}, current: ${context.server.caches.revision}`,
      );
    throw error;
  }
}

export async function list(context: ResourceContext, form: OutputForm): Promise<ApiResponse> {
  return listAnswer(context, await readPage(context), form);
}

/** A list of these objects in the negotiated form. */
export async function listAnswer(
  context: ResourceContext,
  page: Page,
  form: OutputForm,
): Promise<ApiResponse> {
  const { definition, server } = context;
  const metadata = {
    resourceVersion: String(page.revision),
    ...(page.continueFrom === undefined ? {} : { continue: page.continueFrom }),
    ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
  };
  if (form.as === "Table") {
    const include = includeObject(context.query);
    const nowMs = server.clock.now();
    const rows = page.objects.map((object) => tableRow(definition, object.object, include, nowMs));
    return objectAnswer(200, table(definition, rows, metadata), form);
  }
  if (form.as === "PartialObjectMetadata") {
    const items = page.objects.map((object) => partialMetadata(object.object));
    return objectAnswer(
      200,
      { kind: "PartialObjectMetadataList", apiVersion: "meta.k8s.io/v1", metadata, items },
      form,
    );
  }
  const apiVersion = apiVersionOf(definition);
  if (form.encoding === "json" && !wantsShared(context)) {
    return bytesAnswer(
      200,
      form.contentType,
      jsonList(definition.listKind, apiVersion, metadata, page.objects),
    );
  }
  const whole: KubeList = {
    kind: definition.listKind,
    apiVersion,
    metadata,
    items: page.objects.map((object) => object.object),
  };
  if (form.encoding === "json")
    return { status: 200, headers: {}, body: { kind: "object", object: whole as KubeObject } };
  if (form.encoding === "protobuf") return bytesAnswer(200, form.contentType, [encodeProtobuf(whole)]);
  return objectAnswer(200, whole, form);
}

const comma = Buffer.from(",");
const end = Buffer.from("]}");

/** The list as the cached bytes of its items, strung together. */
function jsonList(
  kind: string,
  apiVersion: string,
  metadata: object,
  objects: readonly CachedObject[],
): Buffer[] {
  const chunks: Buffer[] = [
    Buffer.from(
      `{"kind":"${kind}","apiVersion":"${apiVersion}","metadata":${JSON.stringify(metadata)},"items":[`,
    ),
  ];
  objects.forEach((object, at) => {
    if (at > 0) chunks.push(comma);
    chunks.push(...object.item);
  });
  chunks.push(end);
  return chunks;
}
