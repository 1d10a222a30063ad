// GET …?watch=true: the events of a resource from a revision on, filtered, as bytes or as shared objects.

import { toError } from "#base/assert.ts";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { ApiResponse, ByteFeed, SharedEvent } from "#machinery/api-request.ts";
import { encodeProtobuf, encodeWatchFrame } from "#machinery/codec/protobuf.ts";
import { apiVersionOf, type KubeObject } from "#machinery/meta.ts";
import { ApiError, gone, internalError } from "#machinery/status.ts";
import { prefixEnd } from "#store/store.ts";
import type { ResourceContext } from "../context.ts";
import type { Encoding, OutputForm } from "../negotiate.ts";
import {
  booleanParameter,
  checkListOptions,
  integerParameter,
  resourceVersionParameter,
} from "../options.ts";
import { selectionOf, type Selection } from "../selection.ts";
import { storagePrefix, type CachedObject } from "../stored-object.ts";
import { metadataOnly, partialMetadata, sharedMetadata, table, tableRow } from "../table.ts";
import { allInVersion, eventInVersion } from "../versions.ts";
import { watcherEventsMax, type CacheEvent } from "../watch-cache.ts";
import { namespaceOf } from "../write.ts";
import { includeObject, viewRefused, wantsShared } from "./read.ts";

/** Without timeoutSeconds a watch ends between half an hour and an hour, so that they do not all end at once. */
const defaultTimeoutMs = 30 * 60_000;
export const bookmarkEveryMs = 60_000;
/** The state that a watch begins with is encoded piece by piece, as the client takes it, and others have their turns. */
const pieceEvents = 128;
const nothing: readonly Outgoing[] = [];
const initialEventsEnd = "k8s.io/initial-events-end";

type EventType = SharedEvent["type"];

/** Watches with something to send, at the end of this turn: one after the other, not a task each. */
let due: (() => void)[] = [];

function atEndOfTurn(flush: () => void): void {
  if (due.push(flush) > 1) return;
  queueMicrotask(() => {
    const all = due;
    due = [];
    for (const each of all) each();
  });
}

interface Outgoing {
  readonly type: EventType;
  readonly object: CachedObject | undefined;
  /** Where the encoded form is shared; absent for what is this watcher's own. */
  readonly event?: CacheEvent;
  /** Bookmarks and errors. */
  readonly plain?: KubeObject;
}

/** Collects what one watcher has still to be sent; closes when that grows beyond its bound. */
class Outbox {
  #events: Outgoing[] = [];
  #wake: (() => void) | undefined;
  readonly #atClose: (() => void)[] = [];
  /** What is still being converted, and all that came after it: undefined when nothing is. */
  #pending: Promise<void> | undefined;
  #pendingCount = 0;
  closed = false;

  /** Something is still being converted. */
  get waits(): boolean {
    return this.#pending !== undefined;
  }

  /** Uses `value` after all that came before it: at once, unless one of them has to be waited for. */
  inOrder<T>(value: T | Promise<T>, use: (value: T) => void): void {
    if (this.#pending === undefined && !(value instanceof Promise)) {
      use(value);
      return;
    }
    if (this.closed) return;
    if (++this.#pendingCount > watcherEventsMax) this.close();
    const before = this.#pending;
    // Each may be done before its turn: what it failed with is told when that comes.
    const settled = Promise.resolve(value).then(
      (one) => () => use(one),
      (error: unknown) => () =>
        this.fail(error instanceof ApiError ? error : internalError(toError(error).message)),
    );
    const mine = (before ?? Promise.resolve())
      .then(() => settled)
      .then((run) => {
        this.#pendingCount--;
        if (this.#pending === mine) this.#pending = undefined;
        if (!this.closed) run();
      });
    this.#pending = mine;
  }

  push(event: Outgoing): void {
    if (this.closed) return;
    this.#events.push(event);
    this.#wake?.();
  }

  /** A change, as it happens. Who is too slow for them gets what is queued, and resumes from there. */
  pushChange(event: Outgoing): void {
    if (this.#events.length < watcherEventsMax) this.push(event);
    else this.close();
  }

  /** Ends with this error. */
  fail({ status }: ApiError): void {
    this.push({ type: "ERROR", object: undefined, plain: status as unknown as KubeObject });
    this.close();
  }

  /** Runs once, at the end; now, if that has come. An answer that nobody reads has an end too. */
  atClose(release: () => void): void {
    if (this.closed) release();
    else this.#atClose.push(release);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const release of this.#atClose) release();
    this.#wake?.();
  }

  /** All events as bytes, those of one turn together, a piece at a time, as fast as the sink takes them. */
  feed(encode: (outgoing: Outgoing) => Buffer): ByteFeed {
    return (sink) => {
      let batch: readonly Outgoing[] = nothing;
      let at = 0;
      let full = false;
      let planned = false;
      let ended = false;
      const fill = (): boolean => {
        if (batch === nothing) {
          if (this.#events.length <= 1) {
            const only = this.#events.pop();
            return only === undefined || sink.write(encode(only));
          }
          batch = this.#events;
          this.#events = [];
        }
        const piece = batch.slice(at, at + pieceEvents);
        at += piece.length;
        // What has been sent is kept no longer.
        if (at === batch.length) {
          batch = nothing;
          at = 0;
        }
        return sink.write(Buffer.concat(piece.map(encode)));
      };
      const flush = (): void => {
        planned = false;
        if (full || ended) return;
        try {
          full = !fill();
        } catch (thrown) {
          ended = true;
          this.close();
          sink.fail(toError(thrown));
          return;
        }
        if (batch !== nothing || this.#events.length > 0) {
          planned = !full;
          if (planned) setImmediate(flush);
        } else if (this.closed) {
          ended = true;
          sink.end();
        }
      };
      this.#wake = () => {
        if (planned || full || ended) return;
        planned = true;
        atEndOfTurn(flush);
      };
      flush();
      return () => {
        full = false;
        flush();
      };
    };
  }

  async *batches(): AsyncGenerator<readonly Outgoing[]> {
    for (;;) {
      if (this.#events.length > 0) {
        const batch = this.#events;
        this.#events = [];
        yield batch;
      } else if (this.closed) return;
      else {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        this.#wake = undefined;
      }
    }
  }
}

export async function watch(context: ResourceContext, form: OutputForm): Promise<ApiResponse> {
  const { definition, server, query, request } = context;
  if (form.as === "PartialObjectMetadataList")
    throw viewRefused(`${form.as}, but the requested object is not a list`, definition, definition.kind);
  const selection = selectionOf(query, definition);
  const version = resourceVersionParameter(query.get("resourceVersion"));
  checkListOptions(query, "watch");
  const initial = booleanParameter(query, "sendInitialEvents");
  const seconds = integerParameter(query, "timeoutSeconds") ?? 0;
  const bookmarks = booleanParameter(query, "allowWatchBookmarks") ?? false;
  const namespace = namespaceOf(context);
  const prefix = storagePrefix(definition.storage) + (namespace === "" ? "" : `${namespace}/`);
  if (version === undefined || initial === true) await server.caches.waitForNewest();
  // A watch from a revision that is yet to come begins there; state that is not older than it has to be waited for.
  if (version !== undefined && initial === true) await server.caches.waitFor(version);

  const cache = server.caches.of(definition.storage);
  const outbox = new Outbox();
  const sharesObjects = wantsShared(context) && form.as === "object";
  const isOne = selection.name !== undefined && (!definition.namespaced || namespace !== "");
  const only = isOne ? `${prefix}${selection.name}` : undefined;
  const include = (object: CachedObject | undefined): boolean =>
    object !== undefined && selection.matches(object);
  const isWholeResource = prefix === cache.prefix;
  const onChange = (event: CacheEvent): void => {
    const outgoing = lookedAt(event, selection, include);
    if (outgoing === undefined) return;
    // Now it comes without parsing.
    if (sharesObjects) void outgoing.object?.object;
    outbox.pushChange(outgoing);
  };
  const onEvent = (event: CacheEvent): void => {
    if (version !== undefined && event.revision <= version) return;
    if (only === undefined && !isWholeResource && !event.current.key.startsWith(prefix)) return;
    if (definition.conversion === undefined && !outbox.waits) onChange(event);
    else outbox.inOrder(eventInVersion(definition, event), onChange);
  };

  // From here to subscribe() nothing may wait: no event may fall between the state and the stream.
  const startsWithState = initial ?? (version === undefined || version === 0);
  if (startsWithState) {
    const one = only === undefined ? undefined : cache.get(only);
    const ofOne = one === undefined ? [] : [one];
    const state = only === undefined ? cache.range(prefix, prefixEnd(prefix)) : ofOne;
    sendState(context, outbox, state, include);
    if (initial === true && bookmarks) {
      const end = bookmark(context, server.caches.revision, { [initialEventsEnd]: "true" });
      outbox.inOrder(end, (plain) => outbox.push({ type: "BOOKMARK", object: undefined, plain }));
    }
  } else {
    // Without its state, any version is as good as the newest.
    const missed = version === undefined || version === 0 ? [] : cache.since(version);
    // As documented, the stream begins, and its only event is the error.
    if (missed === undefined) outbox.fail(gone(`too old resource version: ${version} (${cache.forgotten})`));
    else for (const event of missed) if (only === undefined || event.current.key === only) onEvent(event);
  }
  outbox.atClose(cache.subscribe({ onEvent }, only));
  outbox.atClose(closeWhenRetired(context, outbox));
  outbox.atClose(startTimers(context, outbox, { bookmarks, seconds }));
  request.signal?.addEventListener("abort", () => outbox.close(), { once: true });
  if (request.signal?.aborted === true) outbox.close();

  async function* send<T>(encode: (batch: readonly Outgoing[]) => T): AsyncGenerator<T> {
    try {
      for await (const batch of outbox.batches()) {
        for (let at = 0; at < batch.length; at += pieceEvents) {
          if (at > 0) await nextTurn();
          yield encode(batch.slice(at, at + pieceEvents));
        }
      }
    } finally {
      outbox.close();
    }
  }
  if (wantsShared(context) && form.as !== "Table") {
    const shared = sharer(form);
    return { status: 200, headers: {}, body: { kind: "events", events: send((batch) => batch.map(shared)) } };
  }
  const frame = await frameOf(form.encoding);
  const encode = encoder(context, form, frame);
  const chunks = send((batch) => Buffer.concat(batch.map(encode)));
  return {
    status: 200,
    headers: { "content-type": form.contentType },
    body: { kind: "stream", chunks, feed: outbox.feed(encode) },
  };
}

/** What is there now, as additions. */
function sendState(
  { definition }: ResourceContext,
  outbox: Outbox,
  state: Iterable<CachedObject>,
  include: (object: CachedObject) => boolean,
): void {
  const shown = definition.conversion === undefined ? state : allInVersion(definition, state);
  outbox.inOrder<Iterable<CachedObject>>(shown, (objects) => {
    for (const object of objects) if (include(object)) outbox.push({ type: "ADDED", object });
  });
}

/** A kind that is served no longer, or by another schema: who watches it looks again. Built-in kinds stay. */
function closeWhenRetired({ definition, server }: ResourceContext, outbox: Outbox): () => void {
  if (definition.schema === undefined) return () => undefined;
  const { group, version, resource } = definition;
  return server.registry.onChange(() => {
    if (server.registry.find(group, version, resource) !== definition) outbox.close();
  });
}

/** How a change looks through a selection: an object that begins or ceases to match is added or deleted. */
function translate(
  event: CacheEvent,
  include: (object: CachedObject | undefined) => boolean,
): Outgoing | undefined {
  const was = include(event.previous);
  const is = !event.deleted && include(event.current);
  if (is) return { type: was ? "MODIFIED" : "ADDED", object: event.current, event };
  if (!was) return undefined;
  // What left the selection is shown as it last matched, at the revision that made it leave.
  const last = event.deleted ? event.current : (event.previous as CachedObject).atRevision(event.revision);
  return { type: "DELETED", object: last, ...(event.deleted ? { event } : {}) };
}

/** What the last watcher saw: mostly the next one of the same event has the same selection. */
let last: { event: CacheEvent; text: string; outgoing: Outgoing | undefined } | undefined;

function lookedAt(
  event: CacheEvent,
  { text }: Selection,
  include: (object: CachedObject | undefined) => boolean,
): Outgoing | undefined {
  if (last?.event !== event || last.text !== text)
    last = { event, text, outgoing: translate(event, include) };
  return last.outgoing;
}

function bookmark(
  context: ResourceContext,
  revision: number,
  annotations?: Record<string, string>,
): KubeObject {
  const { definition } = context;
  const metadata = {
    resourceVersion: String(revision),
    creationTimestamp: null,
    ...(annotations === undefined ? {} : { annotations }),
  };
  return { kind: definition.kind, apiVersion: apiVersionOf(definition), metadata };
}

function startTimers(
  context: ResourceContext,
  outbox: Outbox,
  { bookmarks, seconds }: { bookmarks: boolean; seconds: number },
): () => void {
  const { server } = context;
  const limitMs = seconds > 0 ? seconds * 1000 : defaultTimeoutMs * (1 + server.random.next());
  const send = (): void =>
    outbox.inOrder(bookmark(context, server.caches.revision), (plain) =>
      outbox.push({ type: "BOOKMARK", object: undefined, plain }),
    );
  const end = server.clock.after(limitMs, () => {
    if (bookmarks) send();
    outbox.close();
  });
  let next = bookmarks ? server.clock.after(server.bookmarkEveryMs, again) : undefined;
  function again(): void {
    send();
    next = server.clock.after(server.bookmarkEveryMs, again);
  }
  return () => {
    end.cancel();
    next?.cancel();
  };
}

const sharer =
  ({ as, viewVersion }: OutputForm) =>
  ({ type, object, plain }: Outgoing): SharedEvent => ({
    type,
    object:
      plain ??
      (as === "object"
        ? (object as CachedObject).object
        : sharedMetadata(object as CachedObject, viewVersion)),
  });

const newline = Buffer.from("}\n");

const line = (type: EventType, object: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`{"type":"${type}","object":`), object, newline]);

/** One event of any object. */
type Frame = (type: EventType, object: object) => Buffer;

async function frameOf(encoding: Encoding): Promise<Frame> {
  if (encoding === "protobuf") return (type, object) => encodeWatchFrame(type, encodeProtobuf(object));
  if (encoding === "json") return (type, object) => line(type, Buffer.from(JSON.stringify(object)));
  const { encodeCbor } = await import("#machinery/codec/cbor.ts");
  return (type, object) => encodeCbor({ type, object });
}

type FormNames = Readonly<Record<EventType, string>>;
const knownForms = new Map<string, FormNames>();

/** What the encoded forms of an event are kept under: the same strings for all watchers, so that finding one is cheap. */
function formNames(form: string): FormNames {
  let names = knownForms.get(form);
  if (names === undefined) {
    const of = (type: EventType): string => `${form} ${type}`;
    names = {
      ADDED: of("ADDED"),
      MODIFIED: of("MODIFIED"),
      DELETED: of("DELETED"),
      BOOKMARK: of("BOOKMARK"),
      ERROR: of("ERROR"),
    };
    knownForms.set(form, names);
  }
  return names;
}

/** Bytes of one event. The common forms are made once for each event and shared by its watchers. */
function encoder(context: ResourceContext, form: OutputForm, frame: Frame): (outgoing: Outgoing) => Buffer {
  const { definition, server, query } = context;
  const { encoding, as, viewVersion: apiVersion } = form;
  const names = formNames(`${encoding} ${as} ${apiVersion}`);
  let firstTable = true;
  const tableOf = (object: KubeObject): object => {
    const rows = [tableRow(definition, object, includeObject(query), server.clock.now(), apiVersion)];
    const metadata = { resourceVersion: object.metadata?.resourceVersion ?? "" };
    const made = table(definition, rows, metadata, { withColumns: firstTable, apiVersion });
    firstTable = false;
    return made;
  };
  return ({ type, object, event, plain }) => {
    if (plain !== undefined)
      return frame(type, type === "BOOKMARK" && as !== "object" ? bookmarkView(plain, form) : plain);
    const cached = object as CachedObject;
    if (as === "Table") return frame(type, tableOf(cached.once(true)));
    const make = (): Buffer => {
      if (encoding === "json")
        return line(type, as === "object" ? cached.bytes : metadataOnly(cached, apiVersion));
      const whole = cached.once(true);
      return frame(type, as === "object" ? whole : partialMetadata(whole, apiVersion));
    };
    return event === undefined ? make() : event.encoded(names[type], make);
  };
}

function bookmarkView(plain: KubeObject, { as, viewVersion }: OutputForm): object {
  if (as === "PartialObjectMetadata") return partialMetadata(plain, viewVersion);
  return {
    kind: "Table",
    apiVersion: viewVersion,
    metadata: { resourceVersion: plain.metadata?.resourceVersion ?? "" },
    columnDefinitions: null,
    rows: [{ cells: [], object: partialMetadata(plain, viewVersion) }],
  };
}
