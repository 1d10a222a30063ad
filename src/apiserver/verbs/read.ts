// GET of one object and of lists, from the watch cache; pages after the first come from the store's history.

import type { ApiResponse } from "#machinery/api-request.ts";
import { sharedObjectsHeader } from "#machinery/api-request.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { internalName } from "#machinery/codec/body.ts";
import { badRequest, failure, futureVersion, gone, notFound } from "#machinery/status.ts";
import { CompactedError, FutureRevisionError, prefixEnd } from "#store/store.ts";
import { bytesAnswer, objectAnswer } from "../answer.ts";
import type { ResourceContext } from "../context.ts";
import type { OutputForm } from "../negotiate.ts";
import { decodeContinue, encodeContinue, newestRevision, type Continuation } from "../continue-token.ts";
import { checkListOptions, integerParameter, resourceVersionParameter } from "../options.ts";
import { selectionOf, type Selection } from "../selection.ts";
import { CachedObject, encodeObject, packValue, storageKey, storagePrefix } from "../stored-object.ts";
import { partialMetadata, table, tableRow, type IncludeObject } from "../table.ts";
import { allInVersion, inVersion } from "../versions.ts";
import { namespaceOf } from "../write.ts";

const tooOld =
  "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";

export const wantsShared = (context: ResourceContext): boolean =>
  context.request.headers[sharedObjectsHeader] === "true";

export function includeObject(query: URLSearchParams): IncludeObject {
  const value = query.get("includeObject") ?? "";
  if (value === "None" || value === "Object") return value;
  if (value === "" || value === "Metadata") return "Metadata";
  throw badRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(value)}: must be 'Metadata', 'Object', 'None', or empty`,
  );
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
  return oneAnswer(context, 200, await inVersion(definition, found), form);
}

/** One object in the negotiated form: the cached bytes as they are, wherever the form allows. */
export async function oneAnswer(
  context: ResourceContext,
  status: number,
  object: CachedObject,
  form: OutputForm,
): Promise<ApiResponse> {
  if (form.as !== "object") return objectAnswer(status, viewOfOne(context, object, form), form);
  if (form.encoding === "json") {
    if (wantsShared(context)) return { status, headers: {}, body: { kind: "object", object: object.object } };
    return bytesAnswer(status, form.contentType, [object.bytes]);
  }
  return objectAnswer(status, object.once(true), form);
}

function viewOfOne(context: ResourceContext, object: CachedObject, { as, viewVersion }: OutputForm): object {
  const { definition, query, server } = context;
  if (as === "PartialObjectMetadataList")
    throw viewRefused(`${as}, but the requested object is not a list`, definition, definition.kind);
  if (as === "PartialObjectMetadata") return partialMetadata(object.once(true), viewVersion);
  const row = tableRow(definition, object.once(true), includeObject(query), server.clock.now(), viewVersion);
  const metadata = { resourceVersion: String(object.revision) };
  return table(definition, [row], metadata, { apiVersion: viewVersion });
}

export const viewRefused = (why: string, { group }: { group: string }, kind: string): Error =>
  failure(406, "NotAcceptable", `you requested ${why} (*${internalName({ group, kind })})`);

/** The objects of a resource that is computed when asked for; undefined: this one is stored. */
async function computedObjects(context: ResourceContext): Promise<CachedObject[] | undefined> {
  const { definition, server, info } = context;
  const make = server.computed.get(`${definition.group}/${definition.resource}`);
  if (make === undefined) return undefined;
  const key = ({ metadata: { namespace = "", name = "" } = {} }: KubeObject): string =>
    storageKey(definition.storage, namespace, name);
  return (await make(namespaceOf(context), info.name)).map((object) =>
    CachedObject.fromValue(key(object), packValue(encodeObject(object, definition, "")), 0),
  );
}

export interface Page {
  readonly objects: readonly CachedObject[];
  /** In place of `objects`, where they are many and were asked for `lazily`: they are read as they are sent. */
  readonly source?: Iterable<CachedObject>;
  readonly revision: number;
  readonly continueFrom?: string;
  readonly remaining?: number;
}

/** Takes objects until the limit is full; says whether there is one more that matches. */
function take(
  source: Iterable<CachedObject>,
  selection: Selection,
  limit: number,
): { objects: CachedObject[]; last: string; more: boolean } {
  if (selection.all && limit === Infinity && Array.isArray(source))
    return { objects: source as CachedObject[], last: "", more: false };
  const objects: CachedObject[] = [];
  for (const object of source) {
    if (!selection.matches(object)) continue;
    if (objects.length === limit) return { objects, last: objects.at(-1)?.key ?? "", more: true };
    objects.push(object);
  }
  return { objects, last: "", more: false };
}

/** How a list is to be read, from its parameters. */
interface Reading {
  readonly prefix: string;
  readonly selection: Selection;
  /** The most objects of this page. */
  readonly size: number;
  /** A revision and no other: a later page, or what a client asked for. Undefined: as of now. */
  readonly at: Continuation | undefined;
  readonly continued: boolean;
  readonly notOlderThan: number | undefined;
}

function readingOf(context: ResourceContext): Reading {
  const { definition, query } = context;
  const selection = selectionOf(query, definition);
  const limit = integerParameter(query, "limit") ?? 0;
  integerParameter(query, "timeoutSeconds");
  const namespace = namespaceOf(context);
  const prefix = storagePrefix(definition.storage) + (namespace === "" ? "" : `${namespace}/`);
  const version = resourceVersionParameter(query.get("resourceVersion"), "invalid resource version: ");
  const match = query.get("resourceVersionMatch") ?? "";
  checkListOptions(query, "list");
  const token = query.get("continue") ?? "";
  const shared = { prefix, selection, size: limit > 0 ? limit : Infinity, continued: token !== "" };
  if (token !== "") {
    if (version !== undefined && version !== 0)
      throw badRequest("specifying resource version is not allowed when using continue");
    return { ...shared, at: decodeContinue(token, prefix), notOlderThan: undefined };
  }
  // As documented: pages from a revision are pages of that revision, unless a match says otherwise.
  const exact = match === "Exact" || (match === "" && limit > 0);
  const at = exact && version !== undefined && version > 0 ? { revision: version, start: prefix } : undefined;
  return { ...shared, at, notOlderThan: at === undefined ? version : undefined };
}

/** Whole lists of at least so many are read as they are sent, from the state at their revision. */
const manyObjects = 2_000;

export async function readPage(context: ResourceContext, { lazily = false } = {}): Promise<Page> {
  const reading = readingOf(context);
  const { selection } = reading;
  const computed = await computedObjects(context);
  if (computed !== undefined) {
    return {
      objects: computed.filter((object) => selection.matches(object)),
      revision: context.server.caches.revision,
    };
  }
  const { at } = reading;
  return at === undefined || at.revision === newestRevision
    ? readNow(context, reading, at?.start ?? reading.prefix, lazily)
    : readThen(context, reading, at);
}

/** From memory, as of now or newer than asked for. */
async function readNow(
  context: ResourceContext,
  reading: Reading,
  start: string,
  lazily: boolean,
): Promise<Page> {
  const { caches } = context.server;
  const { prefix, selection, size, notOlderThan } = reading;
  if (notOlderThan === undefined) await caches.waitForNewest();
  else await caches.waitFor(notOlderThan);
  const { revision } = caches;
  const cache = caches.of(context.definition.storage);
  if (selection.name !== undefined && (!context.definition.namespaced || context.info.namespace !== "")) {
    const one = cache.get(`${prefix}${selection.name}`);
    if (one === undefined || one.key < start) return { objects: [], revision };
    const shown = await inVersion(context.definition, one);
    return { objects: selection.matches(shown) ? [shown] : [], revision };
  }
  const end = prefixEnd(prefix);
  const everything = selection.all && size === Infinity;
  const asStored = everything && context.definition.conversion === undefined;
  if (lazily && asStored && cache.count(start, end) >= manyObjects)
    return { objects: [], source: cache.snapshot(start, end), revision };
  const stored = everything ? cache.all(start, end) : cache.range(start, end);
  const shown = convertsAll(context, reading) ? await allInVersion(context.definition, stored) : stored;
  const { objects: taken, last, more } = take(shown, selection, size);
  const objects = await allInVersion(context.definition, taken);
  if (!more) return { objects, revision };
  const whole = selection.all ? cache.count(start, end) : undefined;
  return { objects, revision, ...continuation(reading, revision, last, whole) };
}

/** Fields are selected in the version that was asked for: then all are converted, otherwise only the page. */
const convertsAll = ({ definition }: ResourceContext, { selection }: Reading): boolean =>
  definition.conversion !== undefined && !selection.all;

/** From the store's history, at one revision. */
async function readThen(context: ResourceContext, reading: Reading, at: Continuation): Promise<Page> {
  const { selection, size } = reading;
  const { revision } = at;
  // What a selection leaves out is not known beforehand: then everything is read.
  const limit = selection.all && size !== Infinity ? size + 1 : undefined;
  const { objects: read, count } = await readHistory(context, reading, at, limit);
  const shown = convertsAll(context, reading) ? await allInVersion(context.definition, read) : read;
  const { objects: taken, last, more } = take(shown, selection, size);
  const objects = await allInVersion(context.definition, taken);
  return { objects, revision, ...(more ? continuation(reading, revision, last, count) : {}) };
}

function continuation(
  { prefix, selection, size }: Reading,
  revision: number,
  last: string,
  whole: number | undefined,
): Pick<Page, "continueFrom" | "remaining"> {
  return {
    continueFrom: encodeContinue({ revision, start: `${last}\0` }, prefix),
    ...(selection.all && whole !== undefined ? { remaining: whole - size } : {}),
  };
}

async function readHistory(
  context: ResourceContext,
  { prefix, continued }: Reading,
  { start, revision }: Continuation,
  limit: number | undefined,
): Promise<{ objects: CachedObject[]; count: number }> {
  try {
    const { kvs, count } = await context.server.store.range({
      start,
      end: prefixEnd(prefix),
      revision,
      ...(limit === undefined ? {} : { limit }),
    });
    return { objects: kvs.map((kv) => CachedObject.fromValue(kv.key, kv.value, kv.modRevision)), count };
  } catch (error) {
    if (error instanceof CompactedError) {
      throw continued
        ? gone(tooOld, { continue: encodeContinue({ revision: newestRevision, start }, prefix) })
        : gone("The resourceVersion for the provided list is too old.");
    }
    if (error instanceof FutureRevisionError) throw futureVersion(revision, context.server.caches.revision);
    throw error;
  }
}
