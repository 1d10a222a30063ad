// All watch caches of a server, fed by one watch of everything under /registry/.

import type { Logger } from "#base/log.ts";
import type { Clock } from "#base/clock.ts";
import { futureVersion } from "#machinery/status.ts";
import { CompactedError, prefixEnd, StoreClosedError, type Store, type Watch } from "#store/store.ts";
import { CachedObject, storagePrefix } from "./stored-object.ts";
import { ResourceCache } from "./watch-cache.ts";

const root = "/registry/";
/** How long a read waits for the cache to reach the revision that it needs. */
const freshWaitMs = 3_000;
const reloadDelayMs = 100;

export interface Caches {
  /** The cache of a resource; made on first use. */
  of(storage: { group: string; resource: string }): ResourceCache;
  /** Everything up to this revision is in the caches. */
  readonly revision: number;
  /** Resolves when the caches hold at least `revision`; 504 when that takes too long. */
  waitFor(revision: number): Promise<void>;
  /** Resolves when the caches hold everything that was acknowledged before the call. */
  waitForNewest(): Promise<void>;
  /** How many watches are open. */
  readonly watchers: number;
  /** Calls `listener` with each new revision, after the caches hold it. */
  onRevision(listener: (revision: number) => void): () => void;
  /** Asserts that each cache is of one piece, and that what is shared of objects is what clients read. */
  check(): void;
  stop(): void;
}

export async function startCaches(
  store: Store,
  storages: Iterable<{ group: string; resource: string }>,
  deps: { log: Logger; clock: Clock },
): Promise<Caches> {
  const caches = new Map<string, ResourceCache>();
  const listeners = new Set<(revision: number) => void>();
  let waiting: { revision: number; resolve: () => void }[] = [];
  let revision = 0;
  let watch: Watch | undefined;
  let stopped = false;

  function cacheFor(prefix: string): ResourceCache {
    let cache = caches.get(prefix);
    if (cache === undefined) caches.set(prefix, (cache = new ResourceCache(prefix, revision)));
    return cache;
  }

  /** Keys are prefix + [namespace/] + name: the prefix that a cache was made for is the longest that fits. */
  function cacheOfKey(key: string): ResourceCache | undefined {
    const second = key.indexOf("/", root.length);
    const core = caches.get(key.slice(0, second + 1));
    if (core !== undefined) return core;
    const third = key.indexOf("/", second + 1);
    if (third < 0) return undefined;
    const prefix = key.slice(0, third + 1);
    // Objects of groups that nobody serves yet: a custom resource's, whose definition has still to be read.
    return (
      caches.get(prefix) ?? (key.slice(root.length, second).includes(".") ? cacheFor(prefix) : undefined)
    );
  }

  function advance(to: number): void {
    revision = Math.max(revision, to);
    if (waiting.length > 0) {
      for (const one of waiting) if (one.revision <= revision) one.resolve();
      waiting = waiting.filter((one) => one.revision > revision);
    }
    for (const listener of listeners) listener(revision);
  }

  async function load(): Promise<void> {
    const at = store.revision;
    revision = at;
    for (const prefix of [...caches.keys()]) caches.set(prefix, new ResourceCache(prefix, at));
    const { kvs } = await store.range({ start: root, end: prefixEnd(root), revision: at });
    for (const kv of kvs) cacheOfKey(kv.key)?.load(CachedObject.fromValue(kv.key, kv.value, kv.modRevision));
    follow(at);
  }

  function follow(from: number): void {
    watch = store.watch({
      start: root,
      end: prefixEnd(root),
      fromRevision: from + 1,
      onEvents(events, at) {
        for (const event of events) cacheOfKey(event.kv.key)?.apply(event, at);
        advance(at);
      },
      onProgress: advance,
      onClose(error) {
        if (stopped || error === undefined) return;
        if (error instanceof StoreClosedError) {
          deps.log.error("the store is closed", { error });
          return;
        }
        deps.log.warn("the store's watch ended; following it again", { error });
        deps.clock.after(reloadDelayMs, () => {
          if (stopped) return;
          // Watchers of the old caches see no more events: their clients list again, as after any 410.
          if (error instanceof CompactedError)
            load().catch((failed: unknown) =>
              deps.log.error("the caches cannot be loaded", { error: failed }),
            );
          else follow(revision);
        });
      },
    });
  }

  for (const storage of storages) cacheFor(storagePrefix(storage));
  await load();

  function waitFor(needed: number): Promise<void> {
    if (revision >= needed) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = deps.clock.after(freshWaitMs, () => {
        waiting = waiting.filter((one) => one !== entry);
        reject(futureVersion(needed, revision));
      });
      const entry = {
        revision: needed,
        resolve: () => {
          timer.cancel();
          resolve();
        },
      };
      waiting.push(entry);
    });
  }

  return {
    of: (storage) => cacheFor(storagePrefix(storage)),
    get revision() {
      return revision;
    },
    waitFor,
    waitForNewest: async () => waitFor(await store.progress()),
    get watchers() {
      return [...caches.values()].reduce((sum, cache) => sum + cache.watchers, 0);
    },
    onRevision(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    check() {
      for (const cache of caches.values()) cache.check();
    },
    stop() {
      stopped = true;
      watch?.stop();
    },
  };
}
