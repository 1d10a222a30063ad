// The store over any backend: decides transactions in memory at once, makes them durable in groups,
// and only then lets anybody see them.
//
//   txn → compare with the newest accepted state → accepted revision n ─┐ queue
//   one group at a time: backend.write (one fsync for all) ─────────────┘→ revision = n → answers, watches

import { assert, toError } from "#base/assert.ts";
import { realClock, type Clock, type Timer } from "#base/clock.ts";
import type { Backend, LeaseRecord, StoredRecord } from "./backend.ts";
import { KeyIndex, type Entry } from "./mvcc/key-index.ts";
import {
  CompactedError,
  FutureRevisionError,
  StoreClosedError,
  type Compare,
  type KeyValue,
  type Operation,
  type RangeOptions,
  type RangeResult,
  type Store,
  type StoreWatchOptions,
  type TxnResult,
  type Watch,
  type WatchEvent,
} from "./store.ts";

/** Recent records kept in memory: reads of them, and watches that resume soon, need no disk. */
const recentBytesMax = 16 * 1024 * 1024;
/** Commits that share one fsync; more wait for the next. */
const groupRecordsMax = 4096;
const compactSliceKeys = 2_000;
const rangeSliceKeys = 2_000;
const leaseCheckMs = 1_000;
/** The first revision is 1, as in etcd, where an empty store has it. */
const firstRevision = 1;

interface Pending {
  readonly records: readonly StoredRecord[];
  readonly leases?: readonly LeaseRecord[];
  readonly endedLeases?: readonly number[];
  readonly revision: number;
  resolve(): void;
  reject(error: Error): void;
}

interface Watcher {
  readonly options: StoreWatchOptions;
  /** Revisions up to this one have been delivered; live events come only after a catching-up watcher has them. */
  delivered: number;
  live: boolean;
  stopped: boolean;
}

interface LeaseState {
  readonly ttlSeconds: number;
  expiresMs: number;
  readonly keys: Set<string>;
}

export async function openRevisionStore(backend: Backend, clock: Clock = realClock): Promise<Store> {
  const store = new RevisionStore(backend, clock);
  await store.load();
  return store;
}

class RevisionStore implements Store {
  readonly #backend: Backend;
  readonly #clock: Clock;
  readonly #index = new KeyIndex();
  /** Newest revision that is decided; from #revision to here commits are on their way to the disk. */
  #accepted = firstRevision;
  #revision = firstRevision;
  #compacted = 0;
  #queue: Pending[] = [];
  #flushing = false;
  #failure: Error | undefined;
  #closed: Promise<void> | undefined;
  /** Records by revision, oldest first, up to recentBytesMax. */
  readonly #recent = new Map<number, readonly StoredRecord[]>();
  #recentBytes = 0;
  readonly #watchers = new Set<Watcher>();
  readonly #leases = new Map<number, LeaseState>();
  #lastLease = 0;
  #leaseTimer: Timer | undefined;

  constructor(backend: Backend, clock: Clock) {
    this.#backend = backend;
    this.#clock = clock;
  }

  async load(): Promise<void> {
    const held: { key: string; lease: number }[] = [];
    const { compactedRevision, leases } = await this.#backend.load((record) => {
      this.#index.add(record.key, entryOf(record));
      if (record.lease !== 0) held.push(record);
      this.#accepted = Math.max(this.#accepted, record.revision);
    });
    this.#accepted = Math.max(this.#accepted, compactedRevision);
    this.#revision = this.#accepted;
    this.#compacted = compactedRevision;
    for (const { id, ttlSeconds } of leases) {
      this.#lastLease = Math.max(this.#lastLease, id);
      this.#leases.set(id, { ttlSeconds, expiresMs: this.#clock.now() + ttlSeconds * 1000, keys: new Set() });
    }
    for (const { key, lease } of held) {
      if (this.#index.newest(key)?.lease === lease) this.#leases.get(lease)?.keys.add(key);
    }
    this.#scheduleLeaseCheck();
  }

  get revision(): number {
    return this.#revision;
  }

  get compactedRevision(): number {
    return this.#compacted;
  }

  progress(): Promise<number> {
    return Promise.resolve(this.#revision);
  }

  async get(key: string, revision?: number): Promise<KeyValue | undefined> {
    this.#checkReadable(revision);
    const entry = this.#index.at(key, revision ?? this.#revision);
    return entry === undefined ? undefined : (await this.#read([{ key, entry }]))[0];
  }

  async range({
    start,
    end,
    revision,
    limit = Infinity,
    keysOnly = false,
  }: RangeOptions): Promise<RangeResult> {
    this.#checkReadable(revision);
    const head = this.#revision;
    const at = revision ?? head;
    const found: { key: string; entry: Entry }[] = [];
    let count = 0;
    this.#index.scan(start, end, at, (key, entry) => {
      count++;
      if (found.length < limit) found.push({ key, entry });
    });
    const kvs: KeyValue[] = [];
    for (let from = 0; from < found.length; from += rangeSliceKeys) {
      const slice = found.slice(from, from + rangeSliceKeys);
      kvs.push(
        ...(keysOnly
          ? slice.map(({ key, entry }) => keyValue(key, Buffer.alloc(0), entry))
          : await this.#read(slice)),
      );
    }
    return { revision: head, kvs, count, more: count > found.length };
  }

  async txn(compares: readonly Compare[], operations: readonly Operation[]): Promise<TxnResult> {
    this.#checkOpen();
    for (const { key, modRevision } of compares) {
      const newest = this.#index.newest(key);
      const actual = newest === undefined || newest.version === 0 ? 0 : newest.revision;
      if (actual !== modRevision) return this.#refuse(compares);
    }
    const records = this.#accept(operations);
    if (records.length === 0) {
      await this.#settled();
      return { ok: true, revision: this.#revision };
    }
    const revision = this.#accepted;
    await this.#commit({ records, revision });
    return { ok: true, revision };
  }

  /** The state that made a compare fail may not be durable yet: nobody may hear of it before it is. */
  async #refuse(compares: readonly Compare[]): Promise<TxnResult> {
    await this.#settled();
    const current = await Promise.all(compares.map(({ key }) => this.get(key)));
    return { ok: false, revision: this.#revision, current };
  }

  /** Decides the operations: one new revision in the index, records to write. None when nothing changes. */
  #accept(operations: readonly Operation[]): StoredRecord[] {
    const effective = operations.filter((operation) => {
      if ("put" in operation) return true;
      const newest = this.#index.newest(operation.delete);
      return newest !== undefined && newest.version !== 0;
    });
    if (effective.length === 0) return [];
    for (const operation of effective) {
      if ("put" in operation && operation.lease && !this.#leases.has(operation.lease)) {
        throw new Error(`lease ${operation.lease} does not exist`);
      }
    }
    const revision = ++this.#accepted;
    return effective.map((operation, slot) => {
      const record = this.#recordOf(operation, revision, slot, effective.length);
      this.#index.add(record.key, entryOf(record));
      return record;
    });
  }

  #recordOf(operation: Operation, revision: number, slot: number, slots: number): StoredRecord {
    const key = "put" in operation ? operation.put : operation.delete;
    const before = this.#index.newest(key);
    if (before !== undefined && before.lease !== 0) this.#leases.get(before.lease)?.keys.delete(key);
    if ("delete" in operation) {
      return { revision, slot, slots, key, value: Buffer.alloc(0), createRevision: 0, version: 0, lease: 0 };
    }
    const exists = before !== undefined && before.version !== 0;
    const lease = operation.lease ?? 0;
    if (lease !== 0) this.#leases.get(lease)?.keys.add(key);
    return {
      revision,
      slot,
      slots,
      key,
      value: operation.value,
      createRevision: exists ? before.createRevision : revision,
      version: exists ? before.version + 1 : 1,
      lease,
    };
  }

  #commit(what: Omit<Pending, "resolve" | "reject">): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ ...what, resolve, reject });
      if (!this.#flushing) {
        this.#flushing = true;
        // Writers of the same turn of the event loop share the group.
        queueMicrotask(() => void this.#flush());
      }
    });
  }

  /** Resolves when everything accepted so far is durable. */
  #settled(): Promise<void> {
    if (this.#accepted === this.#revision && this.#queue.length === 0 && !this.#flushing)
      return Promise.resolve();
    return this.#commit({ records: [], revision: this.#accepted });
  }

  async #flush(): Promise<void> {
    while (this.#queue.length > 0) {
      const group = this.#takeGroup();
      const records = group.flatMap((one) => one.records);
      const leases = group.flatMap((one) => one.leases ?? []);
      const endedLeases = group.flatMap((one) => one.endedLeases ?? []);
      try {
        if (this.#failure !== undefined) throw this.#failure;
        if (records.length + leases.length + endedLeases.length > 0) {
          await this.#backend.write({ records, leases, endedLeases });
        }
      } catch (thrown) {
        // What is not durable was never promised; nothing after it may be promised either.
        this.#failure ??= new StoreClosedError(
          `the store failed to write and is closed: ${toError(thrown).message}`,
          { cause: thrown },
        );
        for (const one of group) one.reject(this.#failure);
        continue;
      }
      this.#publish(group);
    }
    this.#flushing = false;
  }

  #takeGroup(): Pending[] {
    let records = 0;
    let take = 0;
    while (take < this.#queue.length && (take === 0 || records < groupRecordsMax)) {
      records += (this.#queue[take] as Pending).records.length;
      take++;
    }
    return take === this.#queue.length ? this.#queue.splice(0) : this.#queue.splice(0, take);
  }

  #publish(group: readonly Pending[]): void {
    for (const { records, revision, resolve } of group) {
      if (records.length > 0) {
        this.#revision = revision;
        this.#remember(revision, records);
        for (const watcher of this.#watchers) if (watcher.live) this.#deliver(watcher, revision, records);
      }
      resolve();
    }
    for (const watcher of this.#watchers) {
      if (watcher.live && watcher.delivered < this.#revision) {
        watcher.delivered = this.#revision;
        watcher.options.onProgress?.(this.#revision);
      }
    }
  }

  #remember(revision: number, records: readonly StoredRecord[]): void {
    this.#recent.set(revision, records);
    for (const { value } of records) this.#recentBytes += value.length;
    for (const [oldest, old] of this.#recent) {
      if (this.#recentBytes <= recentBytesMax || oldest === revision) break;
      this.#recent.delete(oldest);
      for (const { value } of old) this.#recentBytes -= value.length;
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
        kv: keyValue(record.key, record.value, entryOf(record)),
      });
    }
    if (events === undefined) return;
    watcher.delivered = revision;
    watcher.options.onEvents(events, revision);
  }

  watch(options: StoreWatchOptions): Watch {
    const from = options.fromRevision ?? this.#revision + 1;
    const watcher: Watcher = { options, delivered: from - 1, live: false, stopped: false };
    this.#watchers.add(watcher);
    void this.#catchUp(watcher, from).catch((thrown: unknown) => this.#endWatch(watcher, toError(thrown)));
    return {
      stop: () => {
        watcher.stopped = true;
        this.#watchers.delete(watcher);
      },
    };
  }

  #endWatch(watcher: Watcher, error: Error | undefined): void {
    if (!this.#watchers.delete(watcher)) return;
    watcher.stopped = true;
    watcher.options.onClose(error);
  }

  /** Delivers history until there is none left, then switches to live events within one turn of the event loop. */
  async #catchUp(watcher: Watcher, from: number): Promise<void> {
    await Promise.resolve(); // the caller first gets its handle
    this.#checkOpen();
    if (from <= this.#compacted) throw new CompactedError(this.#compacted);
    let next = from;
    while (!watcher.stopped && next <= this.#revision) {
      const records = this.#recent.get(next);
      if (records !== undefined) {
        this.#deliver(watcher, next, records);
        next++;
        continue;
      }
      next = await this.#replay(watcher, next);
    }
    if (watcher.stopped) return;
    watcher.delivered = Math.max(watcher.delivered, next - 1);
    watcher.live = true;
    if (from <= this.#revision) watcher.options.onProgress?.(this.#revision);
  }

  /** Delivers revisions from disk up to the oldest in memory; returns the next one to deliver. */
  async #replay(watcher: Watcher, from: number): Promise<number> {
    const oldestRecent = this.#recent.keys().next().value;
    const to =
      oldestRecent === undefined || oldestRecent <= from
        ? this.#revision
        : Math.min(oldestRecent - 1, this.#revision);
    let group: StoredRecord[] = [];
    for await (const record of this.#backend.replay(from, to)) {
      if (watcher.stopped) return to + 1;
      if (group.length > 0 && (group[0] as StoredRecord).revision !== record.revision) {
        this.#deliver(watcher, (group[0] as StoredRecord).revision, group);
        group = [];
      }
      group.push(record);
    }
    if (group.length > 0) this.#deliver(watcher, (group[0] as StoredRecord).revision, group);
    if (from <= this.#compacted) throw new CompactedError(this.#compacted);
    return to + 1;
  }

  async #read(found: readonly { key: string; entry: Entry }[]): Promise<KeyValue[]> {
    const values: (Buffer | undefined)[] = found.map(
      ({ entry }) => this.#recent.get(entry.revision)?.[entry.slot]?.value,
    );
    const missing = found.flatMap(({ entry }, at) => (values[at] === undefined ? [{ at, entry }] : []));
    if (missing.length > 0) {
      const read = await this.#backend.read(missing.map(({ entry }) => entry));
      missing.forEach(({ at }, i) => (values[at] = read[i]));
    }
    return found.map(({ key, entry }, at) => keyValue(key, values[at] as Buffer, entry));
  }

  async grantLease(ttlSeconds: number): Promise<number> {
    this.#checkOpen();
    const id = ++this.#lastLease;
    this.#leases.set(id, { ttlSeconds, expiresMs: this.#clock.now() + ttlSeconds * 1000, keys: new Set() });
    await this.#commit({ records: [], leases: [{ id, ttlSeconds }], revision: this.#accepted });
    return id;
  }

  keepAlive(lease: number): Promise<void> {
    const state = this.#leases.get(lease);
    if (state === undefined) return Promise.reject(new Error(`lease ${lease} does not exist`));
    state.expiresMs = this.#clock.now() + state.ttlSeconds * 1000;
    return Promise.resolve();
  }

  async revokeLease(lease: number): Promise<void> {
    const state = this.#leases.get(lease);
    if (state === undefined) return;
    this.#leases.delete(lease);
    const records = this.#accept([...state.keys].map((key) => ({ delete: key })));
    await this.#commit({ records, endedLeases: [lease], revision: this.#accepted });
  }

  #scheduleLeaseCheck(): void {
    this.#leaseTimer = this.#clock.after(leaseCheckMs, () => {
      if (this.#closed !== undefined || this.#failure !== undefined) return;
      const now = this.#clock.now();
      const ended = [...this.#leases].filter(([, state]) => state.expiresMs <= now).map(([id]) => id);
      // A failure to write closes the store, which every other caller sees: nothing is lost by not reporting it here.
      Promise.all(ended.map((id) => this.revokeLease(id))).then(
        () => this.#scheduleLeaseCheck(),
        () => undefined,
      );
    });
  }

  async compact(revision: number): Promise<void> {
    this.#checkOpen();
    if (revision > this.#revision)
      throw new FutureRevisionError(`revision ${revision} is not there yet: the newest is ${this.#revision}`);
    if (revision <= this.#compacted) throw new CompactedError(this.#compacted);
    this.#compacted = revision;
    await this.#backend.write({ records: [], compactedRevision: revision });
    for (const known of this.#recent.keys()) {
      if (known > revision) break;
      for (const { value } of this.#recent.get(known) ?? []) this.#recentBytes -= value.length;
      this.#recent.delete(known);
    }
    let after: string | undefined;
    do {
      const { dropped, next } = this.#index.compact(revision, after, compactSliceKeys);
      after = next;
      if (dropped.length > 0) await this.#backend.remove(dropped);
      await new Promise((resolve) => setImmediate(resolve));
    } while (after !== undefined && this.#closed === undefined);
  }

  #checkOpen(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#closed !== undefined) throw new StoreClosedError("the store is closed");
  }

  #checkReadable(revision: number | undefined): void {
    this.#checkOpen();
    if (revision === undefined) return;
    if (revision > this.#revision)
      throw new FutureRevisionError(`revision ${revision} is not there yet: the newest is ${this.#revision}`);
    if (revision < this.#compacted) throw new CompactedError(this.#compacted);
  }

  check(): void {
    this.#index.check();
    assert(this.#revision <= this.#accepted, "nothing is visible that was not accepted");
    assert(this.#compacted <= this.#revision, "nothing newer than the newest is compacted");
    let bytes = 0;
    for (const records of this.#recent.values()) for (const { value } of records) bytes += value.length;
    assert(bytes === this.#recentBytes, "recent bytes are counted");
    for (const [id, { keys }] of this.#leases) {
      for (const key of keys) assert(this.#index.newest(key)?.lease === id, `${key} hangs on lease ${id}`);
    }
  }

  close(): Promise<void> {
    this.#closed ??= (async () => {
      this.#leaseTimer?.cancel();
      await this.#settled().catch(() => undefined); // a store that failed to write has told its writers already
      for (const watcher of [...this.#watchers]) this.#endWatch(watcher, undefined);
      await this.#backend.close();
    })();
    return this.#closed;
  }
}

const entryOf = ({ revision, slot, createRevision, version, lease }: StoredRecord): Entry => ({
  revision,
  slot,
  createRevision,
  version,
  lease,
});

const keyValue = (key: string, value: Buffer, entry: Entry): KeyValue => ({
  key,
  value,
  createRevision: entry.createRevision,
  modRevision: entry.revision,
  version: entry.version,
  lease: entry.lease,
});
