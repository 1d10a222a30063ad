// Watches of the store: history first, from memory or disk, then live events, each exactly once and in order.

import { toError } from "#base/assert.ts";
import type { Backend, StoredRecord } from "./backend.ts";
import { keyValue } from "./key-value.ts";
import type { RecentRecords } from "./recent-records.ts";
import { CompactedError, type StoreWatchOptions, type Watch, type WatchEvent } from "./store.ts";

/** Revisions delivered to one watch that catches up, before others get a turn. */
const catchUpSlice = 500;

interface Watcher {
  readonly options: StoreWatchOptions;
  /** Revisions up to this one have been delivered; live events come only after a catching-up watcher has them. */
  delivered: number;
  live: boolean;
  stopped: boolean;
}

/** What a hub has to know of its store. */
export interface Watched {
  readonly backend: Backend;
  readonly recent: RecentRecords;
  readonly revision: () => number;
  readonly compactedRevision: () => number;
  /** Throws when the store is closed. */
  readonly checkOpen: () => void;
}

export class WatchHub {
  readonly #store: Watched;
  readonly #watchers = new Set<Watcher>();

  constructor(store: Watched) {
    this.#store = store;
  }

  watch(options: StoreWatchOptions): Watch {
    const from = options.fromRevision ?? this.#store.revision() + 1;
    const watcher: Watcher = { options, delivered: from - 1, live: false, stopped: false };
    this.#watchers.add(watcher);
    void this.#catchUp(watcher, from).catch((thrown: unknown) => this.#end(watcher, toError(thrown)));
    return {
      stop: () => {
        watcher.stopped = true;
        this.#watchers.delete(watcher);
      },
    };
  }

  /** A revision that is now visible. */
  publish(revision: number, records: readonly StoredRecord[]): void {
    for (const watcher of this.#watchers)
      if (watcher.live && watcher.delivered < revision) this.#deliver(watcher, revision, records);
  }

  /** Everything up to here has been published. */
  progress(revision: number): void {
    for (const watcher of this.#watchers) {
      if (!watcher.live || watcher.delivered >= revision) continue;
      watcher.delivered = revision;
      this.#tell(watcher, () => watcher.options.onProgress?.(revision));
    }
  }

  endAll(error: Error | undefined): void {
    for (const watcher of [...this.#watchers]) this.#end(watcher, error);
  }

  #end(watcher: Watcher, error: Error | undefined): void {
    if (!this.#watchers.delete(watcher)) return;
    watcher.stopped = true;
    watcher.options.onClose(error);
  }

  /** The owner of a watch may fail; the store and the other watches go on. */
  #tell(watcher: Watcher, call: () => void): void {
    try {
      call();
    } catch (thrown) {
      this.#end(watcher, toError(thrown));
    }
  }

  #deliver(watcher: Watcher, revision: number, records: readonly StoredRecord[]): void {
    const { start, end } = watcher.options;
    let events: WatchEvent[] | undefined;
    for (const record of records) {
      if (record.key < start || record.key >= end) continue;
      events ??= [];
      events.push({
        type: record.version === 0 ? "delete" : "put",
        kv: keyValue(record.key, record.value, record),
      });
    }
    if (events === undefined) return;
    const all = events;
    watcher.delivered = revision;
    this.#tell(watcher, () => watcher.options.onEvents(all, revision));
  }

  /** Delivers history until there is none left, then switches to live events within one turn of the event loop. */
  async #catchUp(watcher: Watcher, from: number): Promise<void> {
    await Promise.resolve(); // the caller first gets its handle
    this.#store.checkOpen();
    if (from <= this.#store.compactedRevision()) throw new CompactedError(this.#store.compactedRevision());
    let next = from;
    for (let turns = 1; !watcher.stopped && next <= this.#store.revision(); turns++) {
      if (turns % catchUpSlice === 0) await new Promise((resolve) => setImmediate(resolve));
      const records = this.#store.recent.get(next);
      if (records === undefined) next = await this.#replay(watcher, next);
      else this.#deliver(watcher, next++, records);
    }
    if (watcher.stopped) return;
    watcher.delivered = Math.max(watcher.delivered, next - 1);
    watcher.live = true;
    const revision = this.#store.revision();
    if (from <= revision) this.#tell(watcher, () => watcher.options.onProgress?.(revision));
  }

  /** Delivers revisions from disk up to the oldest in memory; returns the next one to deliver. */
  async #replay(watcher: Watcher, from: number): Promise<number> {
    const head = this.#store.revision();
    const { oldest } = this.#store.recent;
    const to = oldest === undefined || oldest <= from ? head : Math.min(oldest - 1, head);
    let group: StoredRecord[] = [];
    const deliver = (): void => {
      const [first] = group;
      if (first === undefined) return;
      this.#checkWhole(first.revision);
      this.#deliver(watcher, first.revision, group);
      group = [];
    };
    for await (const record of this.#store.backend.replay(from, to)) {
      if (watcher.stopped) return to + 1;
      if (group[0] !== undefined && group[0].revision !== record.revision) deliver();
      group.push(record);
    }
    deliver();
    this.#checkWhole(from);
    return to + 1;
  }

  /** Compaction may have begun since: what was read of this revision need not be all of it. */
  #checkWhole(revision: number): void {
    const compacted = this.#store.compactedRevision();
    if (revision <= compacted) throw new CompactedError(compacted);
  }
}
