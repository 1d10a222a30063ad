// Deletes what lost its owners, of every kind that can be listed, watched and deleted.
// Watches: everything that discovery names, events aside.  Owns: nothing.  Writes: everything (delete, metadata).
// Why its own loop: kinds come from discovery, and before anything is deleted it and its owners are read live.

import { toError } from "#base/assert.ts";
import type { Timer } from "#base/clock.ts";
import type { Client, ResourceRef } from "#client/client.ts";
import { CustomResourceDefinitions } from "#client/refs.ts";
import {
  objectKey,
  parseApiVersion,
  splitKey,
  type DeepReadonly,
  type KubeObject,
  type OwnerReference,
} from "#machinery/meta.ts";
import { ApiError } from "#machinery/status.ts";
import type { Action } from "#reconcile/action.ts";
import type { Component, Deps } from "#reconcile/component.ts";
import { createEventRecorder, type EventRecorder } from "#reconcile/events.ts";
import { execute } from "#reconcile/execute.ts";
import type { Informer, InformerFactory } from "#reconcile/informer.ts";
import { WorkQueue } from "#reconcile/work-queue.ts";
import { discover } from "./discovered.ts";
import {
  hasFinalizer,
  isDeleting,
  orphanFinalizer,
  planForegroundOwner,
  planOrphaning,
  planOwned,
  waitsForDependents,
  type Dependent,
  type OwnerFate,
} from "./garbage-plan.ts";

export interface GarbageCollectorOptions {
  /** How often to look for kinds that are newly served. */
  readonly discoveryPeriodMs?: number;
}

export interface GarbageCollectorDeps extends Pick<Deps, "clock" | "log"> {
  readonly client: Client;
  readonly informers: InformerFactory;
}

type Readable = DeepReadonly<KubeObject>;
type ReadOwner = DeepReadonly<OwnerReference>;

interface Kind {
  readonly ref: ResourceRef;
  readonly informer: Informer<KubeObject>;
  /** Until all are filled, nobody listens. */
  unsubscribe: () => void;
}

const workersMax = 20;
/** How long the discovery of kinds waits for the objects of those that are new. */
const fillWaitMs = 30_000;
/** A definition changes several times until its kind is served. */
const soonMs = 300;
const ownerIndex = "owner-uid";
const kindId = (group: string, kind: string): string => `${group}/${kind}`;
const uidsOf = (object: Readable): string[] => (object.metadata?.ownerReferences ?? []).map(({ uid }) => uid);
const isEvent = ({ resource, group }: ResourceRef): boolean =>
  resource === "events" && (group === "" || group === "events.k8s.io");

export function startGarbageCollector(
  options: GarbageCollectorOptions,
  deps: GarbageCollectorDeps,
): Component {
  return new Collector(options, deps);
}

class Collector implements Component {
  readonly name = "garbage-collector-controller";
  readonly ready: Promise<void>;
  readonly done: Promise<void>;
  readonly #deps: GarbageCollectorDeps;
  readonly #periodMs: number;
  readonly #events: EventRecorder;
  readonly #queue: WorkQueue;
  /** By group and kind: how owner references name them. */
  readonly #kinds = new Map<string, Kind>();
  readonly #working = new Set<Promise<void>>();
  readonly #finish: () => void;
  #timer: Timer | undefined;
  #discovering = false;
  /** Something changed while kinds were discovered. */
  #again = false;
  readonly #unsubscribe: () => void;
  #stopped = false;

  constructor({ discoveryPeriodMs = 30_000 }: GarbageCollectorOptions, deps: GarbageCollectorDeps) {
    this.#deps = { ...deps, log: deps.log.with({ controller: this.name }) };
    this.#periodMs = discoveryPeriodMs;
    this.#events = createEventRecorder({ client: deps.client, component: this.name }, deps);
    this.#queue = new WorkQueue({ clock: deps.clock, onReady: () => this.#pump() });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.done = promise;
    this.#finish = resolve;
    this.ready = this.#discover();
    const definitions = deps.informers.informer(CustomResourceDefinitions);
    this.#unsubscribe = definitions.onChange(() => this.#discoverSoon());
  }

  async stop(): Promise<void> {
    if (!this.#stopped) {
      this.#stopped = true;
      this.#timer?.cancel();
      this.#unsubscribe();
      for (const { unsubscribe } of this.#kinds.values()) unsubscribe();
      this.#queue.close();
      await Promise.all(this.#working);
      await this.#events.flush();
      this.#finish();
    }
    return this.done;
  }

  async #discover(): Promise<void> {
    this.#discovering = true;
    this.#again = false;
    try {
      const { resources, failed } = await discover(this.#deps.client);
      const wanted = new Map<string, ResourceRef>();
      for (const { ref, verbs } of resources) {
        const isCollectable = ["list", "watch", "delete"].every((verb) => verbs.includes(verb));
        if (isCollectable && !isEvent(ref)) wanted.set(kindId(ref.group, ref.kind), ref);
      }
      if (failed.length === 0) this.#dropGone(wanted);
      await this.#addFresh(wanted);
    } catch (thrown) {
      this.#deps.log.warn("discovery failed", { error: toError(thrown) });
    }
    this.#discovering = false;
    this.#schedule(this.#again ? soonMs : this.#periodMs);
  }

  /** Kinds come and go with their definitions. */
  #discoverSoon(): void {
    if (this.#discovering) this.#again = true;
    else this.#schedule(soonMs);
  }

  #schedule(ms: number): void {
    this.#timer?.cancel();
    if (!this.#stopped) this.#timer = this.#deps.clock.after(ms, () => void this.#discover());
  }

  /** Custom kinds go, or come to be preferred in another version. */
  #dropGone(wanted: ReadonlyMap<string, ResourceRef>): void {
    for (const [id, { ref, unsubscribe }] of this.#kinds) {
      if (wanted.get(id)?.version === ref.version) continue;
      unsubscribe();
      this.#kinds.delete(id);
      // The built-in ones are shared with others, and stay.
      if (ref.group.includes(".")) this.#deps.informers.forget(ref);
    }
  }

  async #addFresh(wanted: ReadonlyMap<string, ResourceRef>): Promise<void> {
    const fresh: Kind[] = [];
    for (const [id, ref] of wanted) {
      if (this.#kinds.has(id)) continue;
      const informer = this.#deps.informers.informer<KubeObject>(ref, { metadataOnly: true });
      informer.addIndex(ownerIndex, uidsOf);
      fresh.push({ ref, informer, unsubscribe: () => undefined });
    }
    // A kind that goes while it is read is never filled: the others need not wait for it for long.
    if (fresh.length > 0) await this.#filled(fresh);
    const filled = fresh.filter(({ informer }) => informer.synced);
    for (const kind of filled) this.#kinds.set(kindId(kind.ref.group, kind.ref.kind), kind);
    // Only now: owners are looked for in all caches.
    if (this.#stopped) return;
    for (const kind of filled)
      kind.unsubscribe = kind.informer.onChange((object, old) => this.#changed(kind, object, old));
  }

  async #filled(kinds: readonly Kind[]): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = this.#deps.clock.after(fillWaitMs, resolve);
    await Promise.race([late, Promise.all(kinds.map(({ informer }) => informer.waitForSync()))]);
    timer.cancel();
  }

  #add({ ref }: Kind, object: Readable): void {
    this.#queue.add(`${kindId(ref.group, ref.kind)}|${objectKey(object)}`);
  }

  #changed(kind: Kind, object: Readable | undefined, old: Readable | undefined): void {
    if (object === undefined) {
      if (old === undefined) return;
      for (const dependent of this.#dependents(old)) this.#add(dependent.kind, dependent.object);
      this.#wakeOwners(old);
      return;
    }
    const owners = object.metadata?.ownerReferences;
    const isNews =
      old === undefined ||
      JSON.stringify(owners ?? []) !== JSON.stringify(old.metadata?.ownerReferences ?? []);
    if (isNews && owners !== undefined) this.#add(kind, object);
    if (isNews && old !== undefined) this.#wakeOwners(old);
    const mustAct = hasFinalizer(object, orphanFinalizer) || waitsForDependents(object);
    if (isDeleting(object) && mustAct) this.#add(kind, object);
  }

  /** Owners in foreground deletion may have waited for this. */
  #wakeOwners(object: Readable): void {
    for (const owner of object.metadata?.ownerReferences ?? []) {
      const found = this.#cachedOwner(object, owner);
      if (found?.object !== undefined && waitsForDependents(found.object))
        this.#add(found.kind, found.object);
    }
  }

  #dependents(owner: Readable): { kind: Kind; object: Readable }[] {
    const uid = owner.metadata?.uid ?? "";
    const found: { kind: Kind; object: Readable }[] = [];
    for (const kind of this.#kinds.values())
      for (const object of kind.informer.byIndex(ownerIndex, uid)) found.push({ kind, object });
    return found;
  }

  #cachedOwner(object: Readable, owner: ReadOwner): { kind: Kind; object: Readable | undefined } | undefined {
    const kind = this.#kinds.get(kindId(parseApiVersion(owner.apiVersion).group, owner.kind));
    if (kind === undefined) return undefined;
    const { namespace = "" } = object.metadata ?? {};
    const cached = kind.informer.get(kind.ref.namespaced ? `${namespace}/${owner.name}` : owner.name);
    return { kind, object: cached?.metadata?.uid === owner.uid ? cached : undefined };
  }

  #pump(): void {
    while (!this.#stopped && this.#working.size < workersMax) {
      const key = this.#queue.take();
      if (key === undefined) return;
      const work = this.#work(key).finally(() => {
        this.#working.delete(work);
        this.#queue.done(key);
        this.#pump();
      });
      this.#working.add(work);
    }
  }

  async #work(key: string): Promise<void> {
    try {
      await this.#collect(key);
      this.#queue.forget(key);
    } catch (thrown) {
      const error = toError(thrown);
      const isStale = error instanceof ApiError && error.code === 409;
      this.#deps.log[isStale ? "debug" : "warn"]("collection failed", { key, error });
      this.#queue.retry(key);
    }
  }

  async #collect(key: string): Promise<void> {
    const bar = key.indexOf("|");
    const kind = this.#kinds.get(key.slice(0, bar));
    const object = kind?.informer.get(key.slice(bar + 1));
    if (kind === undefined || object === undefined) return;
    if (isDeleting(object) && hasFinalizer(object, orphanFinalizer)) {
      await this.#execute(planOrphaning(kind.ref, object, this.#asDependents(object)));
      return;
    }
    if (waitsForDependents(object)) {
      for (const dependent of this.#dependents(object)) this.#add(dependent.kind, dependent.object);
      await this.#execute(planForegroundOwner(kind.ref, object, this.#asDependents(object)));
      return;
    }
    if (this.#isKept(object)) return;
    const live = await this.#live(kind.ref, object);
    if (live === undefined || live.metadata?.uid !== object.metadata?.uid) return;
    const owners = [];
    for (const owner of live.metadata?.ownerReferences ?? [])
      owners.push({ owner, fate: await this.#fate(live, owner) });
    // A kind that discovery does not name yet may come: then its owner's fate is known.
    if (owners.some(({ fate }) => fate === "unknown")) this.#queue.addAfter(key, this.#periodMs);
    const dependents = this.#dependents(live);
    const hasDependents = dependents.length > 0;
    const dependentWaits = dependents.some((one) => waitsForDependents(one.object));
    await this.#execute(planOwned({ ref: kind.ref, object: live, owners, hasDependents, dependentWaits }));
  }

  #asDependents(object: Readable): Dependent[] {
    return this.#dependents(object).map(({ kind, object: dependent }) => ({
      ref: kind.ref,
      object: dependent,
    }));
  }

  /** By the caches alone: every owner is there and stays. The common case, which costs no call. */
  #isKept(object: Readable): boolean {
    return (object.metadata?.ownerReferences ?? []).every((owner) => {
      const cached = this.#cachedOwner(object, owner)?.object;
      return cached !== undefined && !waitsForDependents(cached);
    });
  }

  async #fate(object: Readable, owner: ReadOwner): Promise<OwnerFate> {
    const found = this.#cachedOwner(object, owner);
    if (found === undefined) return "unknown";
    const { namespace = "" } = object.metadata ?? {};
    if (found.kind.ref.namespaced && namespace === "") {
      this.#deps.log.warn("a cluster-scoped object names a namespaced owner", { object: objectKey(object) });
      return "unknown";
    }
    const live =
      found.object ?? (await this.#live(found.kind.ref, { metadata: { namespace, name: owner.name } }));
    if (live?.metadata?.uid !== owner.uid) return "gone";
    return waitsForDependents(live) ? "waits" : "exists";
  }

  async #live(ref: ResourceRef, object: Readable): Promise<KubeObject | undefined> {
    const { namespace, name } = splitKey(objectKey(object));
    try {
      return await this.#deps.client.get(ref, ref.namespaced ? namespace : "", name);
    } catch (thrown) {
      if (thrown instanceof ApiError && thrown.code === 404) return undefined;
      throw thrown;
    }
  }

  async #execute(actions: readonly Action[]): Promise<void> {
    const { failures } = await execute(this.#deps.client, this.#events, actions);
    if (failures[0] !== undefined) throw failures[0].error;
  }
}
