// Informers: a cache kept by a reflector, with handlers; one per (resource, options), shared by all who ask.

import { toError } from "#base/assert.ts";
import type { Logger } from "#base/log.ts";
import type { Client, ResourceRef } from "#client/client.ts";
import type { SharedEvent } from "#machinery/api-request.ts";
import { objectKey, type DeepReadonly, type KubeObject } from "#machinery/meta.ts";
import { Cache, type Change } from "./cache.ts";
import type { Deps } from "./component.ts";
import type { Handler, Informer, InformerFactory, InformerOptions } from "./informer.ts";
import { runReflector, type ReflectorDeps, type Sink } from "./reflector.ts";

type AnyHandler = Handler<KubeObject>;

/** The informer over a cache, without the I/O: the reflector calls `replace` and `apply`. */
export class CachedInformer implements Informer<KubeObject>, Sink {
  readonly ref: ResourceRef;
  readonly cache: Cache;
  synced = false;
  resourceVersion = "";
  readonly #log: Logger;
  readonly #handlers = new Set<AnyHandler>();
  readonly #progress = new Set<(resourceVersion: string) => void>();
  readonly #waiting: (() => void)[] = [];

  constructor(ref: ResourceRef, log: Logger, freeze: boolean) {
    this.ref = ref;
    this.#log = log;
    this.cache = new Cache({ freeze });
  }

  get size(): number {
    return this.cache.size;
  }

  waitForSync(): Promise<void> {
    return this.synced ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }

  get(key: string): DeepReadonly<KubeObject> | undefined {
    return this.cache.get(key);
  }

  list(): Iterable<DeepReadonly<KubeObject>> {
    return this.cache.values();
  }

  byIndex(index: string, value: string): readonly DeepReadonly<KubeObject>[] {
    return this.cache.byIndex(index, value);
  }

  addIndex(name: string, values: (object: DeepReadonly<KubeObject>) => readonly string[]): void {
    this.cache.addIndex(name, values);
  }

  onChange(handler: AnyHandler): () => void {
    this.#handlers.add(handler);
    for (const object of [...this.cache.values()]) this.#call(handler, { object, old: undefined });
    return () => void this.#handlers.delete(handler);
  }

  onProgress(handler: (resourceVersion: string) => void): () => void {
    this.#progress.add(handler);
    return () => void this.#progress.delete(handler);
  }

  replace(objects: readonly KubeObject[], resourceVersion: string): void {
    const changes = this.cache.replace(objects);
    this.resourceVersion = resourceVersion;
    for (const change of changes) this.#announce(change);
    this.synced = true;
    for (const resolve of this.#waiting.splice(0)) resolve();
    for (const handler of this.#progress) handler(resourceVersion);
  }

  apply(events: readonly SharedEvent[], resourceVersion: string): void {
    for (const { type, object } of events) {
      const change = type === "DELETED" ? this.cache.remove(objectKey(object)) : this.cache.put(object);
      // A deletion tells the last state, which may be newer than the cached one.
      if (change !== undefined)
        this.#announce(type === "DELETED" ? { object: undefined, old: object } : change);
    }
    this.resourceVersion = resourceVersion;
    for (const handler of this.#progress) handler(resourceVersion);
  }

  /** Takes over what a live read found: an object, or nothing under `key`. */
  observe(key: string, object: KubeObject | undefined): void {
    const change = object === undefined ? this.cache.remove(key) : this.cache.put(object);
    if (change !== undefined) this.#announce(change);
  }

  #announce(change: Change): void {
    for (const handler of this.#handlers) this.#call(handler, change);
  }

  #call(handler: AnyHandler, change: Change): void {
    try {
      handler(change.object, change.old);
    } catch (thrown) {
      // One reader's fault must not stop the stream that the others live on.
      this.#log.error("a change handler failed", { resource: this.ref.resource, error: toError(thrown) });
    }
  }
}

export interface InformerFactoryOptions {
  /** Freeze cached objects deeply, so that a writer by mistake throws. For tests. */
  readonly freeze?: boolean;
}

interface Entry {
  readonly informer: CachedInformer;
  readonly options: InformerOptions;
  readonly end: AbortController;
}

const idOf = ({ group, resource }: ResourceRef, of: InformerOptions): string =>
  [group, resource, of.namespace, of.labelSelector, of.fieldSelector, of.metadataOnly === true].join("\n");

export function createInformerFactory(
  client: Client,
  deps: Pick<Deps, "clock" | "random" | "log">,
  options: InformerFactoryOptions = {},
): InformerFactory {
  const reflectorDeps: ReflectorDeps = { client, ...deps };
  const informers = new Map<string, Entry>();
  const running: Promise<void>[] = [];
  const abort = new AbortController();
  let started = false;

  const run = ({ informer, options: of, end }: Entry): void => {
    const signal = AbortSignal.any([abort.signal, end.signal]);
    running.push(runReflector(reflectorDeps, informer.ref, of, informer, signal));
  };

  return {
    informer<T extends KubeObject>(ref: ResourceRef, of: InformerOptions = {}): Informer<T> {
      const whole = idOf(ref, { ...of, metadataOnly: false });
      // Where somebody has the whole objects anyway, a second cache would save nothing.
      const id = of.metadataOnly === true && !informers.has(whole) ? idOf(ref, of) : whole;
      let entry = informers.get(id);
      if (entry === undefined) {
        const informer = new CachedInformer(ref, deps.log, options.freeze ?? false);
        entry = { informer, options: of, end: new AbortController() };
        informers.set(id, entry);
        if (started) run(entry);
      }
      return entry.informer as unknown as Informer<T>;
    },
    async start(): Promise<void> {
      if (!started) {
        started = true;
        for (const entry of informers.values()) run(entry);
      }
      await Promise.all([...informers.values()].map(({ informer }) => informer.waitForSync()));
    },
    forget({ group, resource }) {
      for (const [id, { informer, end }] of informers) {
        if (informer.ref.group !== group || informer.ref.resource !== resource) continue;
        end.abort();
        informers.delete(id);
      }
    },
    async stop(): Promise<void> {
      abort.abort();
      await Promise.all(running);
    },
  };
}
