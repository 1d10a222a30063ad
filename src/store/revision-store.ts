// The store over any backend: decides transactions in memory at once, makes them durable in groups,
// and only then lets anybody see them.
//
//   txn → compare with the newest accepted state → accepted revision n ─┐ queue
//   one group at a time: backend.write (one fsync for all) ─────────────┘→ revision = n → answers, watches

import { assert, toError } from "#base/assert.ts";
import { realClock, type Clock, type Timer } from "#base/clock.ts";
import {
  DamagedStoreError,
  MissingRecordError,
  type Backend,
  type LeaseRecord,
  type StoredRecord,
} from "./backend.ts";
import { keyValue } from "./key-value.ts";
import { KeyIndex, type Entry } from "./mvcc/key-index.ts";
import { RecentRecords } from "./recent-records.ts";
import {
  CompactedError,
  FutureRevisionError,
  InvalidTransactionError,
  StoreBusyError,
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
} from "./store.ts";
import { WatchHub } from "./watch-hub.ts";

/** Commits that share one fsync; more wait for the next. */
const groupRecordsMax = 4096;
const groupBytesMax = 8 * 1024 * 1024;
/** What may wait for the disk; more is refused. */
const queuedBytesMax = 64 * 1024 * 1024;
const compactSliceKeys = 2_000;
const rangeSliceKeys = 2_000;
/** Leases that end are looked for at most this often. */
const leaseCheckMs = 1_000;
const maxBytesPerCharacter = 3;
/** The first revision is 1, as in etcd, where an empty store has it. */
const firstRevision = 1;

interface Pending {
  readonly records: readonly StoredRecord[];
  readonly leases?: readonly LeaseRecord[];
  readonly endedLeases?: readonly number[];
  readonly revision: number;
  readonly bytes: number;
  resolve(): void;
  reject(error: Error): void;
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
  #queuedBytes = 0;
  #flushing = false;
  #failure: Error | undefined;
  readonly #failed = Promise.withResolvers<Error>();
  #closed: Promise<void> | undefined;
  #compacting: Promise<void> = Promise.resolve();
  readonly #recent = new RecentRecords();
  readonly #watches: WatchHub;
  readonly #leases = new Map<number, LeaseState>();
  #lastLease = 0;
  #leaseTimer: Timer | undefined;
  #leaseCheckAtMs = Infinity;

  constructor(backend: Backend, clock: Clock) {
    this.#backend = backend;
    this.#clock = clock;
    this.#watches = new WatchHub({
      backend,
      recent: this.#recent,
      revision: () => this.#revision,
      compactedRevision: () => this.#compacted,
      checkOpen: () => this.#checkOpen(),
    });
  }

  async load(): Promise<void> {
    const held: { key: string; lease: number }[] = [];
    const { compacted, leases } = await this.#backend.load((record) => {
      this.#index.add(record.key, entryOf(record));
      if (record.lease !== 0) held.push(record);
      this.#accepted = Math.max(this.#accepted, record.revision);
    });
    this.#accepted = Math.max(this.#accepted, compacted.revision);
    this.#revision = this.#accepted;
    this.#compacted = compacted.revision;
    const keys = await this.#countKeys(compacted.revision);
    if (keys !== compacted.keys) {
      await this.#backend.close();
      throw new DamagedStoreError(
        `${this.#backend.name} has a hole: of ${compacted.keys} keys at revision ${compacted.revision} it has ${keys}: ` +
          "restore a backup",
      );
    }
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

  get failed(): Promise<Error> {
    return this.#failed.promise;
  }

  get compactedRevision(): number {
    return this.#compacted;
  }

  async progress(): Promise<number> {
    this.#checkOpen();
    await this.#settled();
    return this.#revision;
  }

  async get(key: string, revision?: number): Promise<KeyValue | undefined> {
    return this.#reading(revision, async (at) => {
      const entry = this.#index.at(key, at);
      return entry === undefined ? undefined : (await this.#read([{ key, entry }]))[0];
    });
  }

  range({ start, end, revision, limit = Infinity, keysOnly = false }: RangeOptions): Promise<RangeResult> {
    return this.#reading(revision, async (at) => {
      const head = this.#revision;
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
    });
  }

  /** Reads at a revision. What is compacted away meanwhile is gone when it was asked for, and else read anew. */
  async #reading<T>(revision: number | undefined, read: (at: number) => Promise<T>): Promise<T> {
    for (;;) {
      this.#checkReadable(revision);
      const at = revision ?? this.#revision;
      try {
        return await read(at);
      } catch (error) {
        if (!(error instanceof MissingRecordError) || at >= this.#compacted) throw error;
      }
    }
  }

  async txn(compares: readonly Compare[], operations: readonly Operation[]): Promise<TxnResult> {
    this.#checkOpen();
    this.#checkOperations(operations);
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

  /** Everything that can be refused is refused here, before anything is decided: a revision once given is written. */
  #checkOperations(operations: readonly Operation[]): void {
    const keys = new Set<string>();
    for (const operation of operations) {
      const key = "put" in operation ? operation.put : operation.delete;
      if (keys.has(key)) throw new InvalidTransactionError(`the transaction writes ${key} twice`);
      keys.add(key);
      if (key.length > this.#backend.keyBytesMax / maxBytesPerCharacter && this.#isTooLong(key))
        throw new InvalidTransactionError(
          `a key may have ${this.#backend.keyBytesMax} bytes, not ${Buffer.byteLength(key)}`,
        );
      if ("put" in operation && operation.lease && !this.#leases.has(operation.lease))
        throw new InvalidTransactionError(`lease ${operation.lease} does not exist`);
    }
    if (operations.length > 0 && this.#queuedBytes > queuedBytesMax)
      throw new StoreBusyError("too many writes wait for the disk");
  }

  #isTooLong(key: string): boolean {
    return Buffer.byteLength(key) > this.#backend.keyBytesMax;
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

  #commit(what: Omit<Pending, "resolve" | "reject" | "bytes">): Promise<void> {
    return new Promise((resolve, reject) => {
      let bytes = 0;
      for (const { key, value } of what.records) bytes += key.length + value.length;
      this.#queuedBytes += bytes;
      this.#queue.push({ ...what, bytes, resolve, reject });
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
        const failure = this.#fail(thrown);
        for (const one of group) one.reject(failure);
        continue;
      }
      this.#publish(group);
    }
    this.#flushing = false;
  }

  /**
   * What is not durable was never promised; nothing after it may be promised either. What the disk holds now is only
   * known once it is read again: the store stays closed until it is opened anew.
   */
  #fail(thrown: unknown): Error {
    if (this.#failure !== undefined) return this.#failure;
    const failure = new StoreClosedError(
      `${this.#backend.name} failed to write, and is closed until it is opened again: ${toError(thrown).message}`,
      { cause: thrown },
    );
    this.#failure = failure;
    this.#failed.resolve(failure);
    this.#watches.endAll(failure);
    return failure;
  }

  #takeGroup(): Pending[] {
    let records = 0;
    let bytes = 0;
    let take = 0;
    while (
      take < this.#queue.length &&
      (take === 0 || (records < groupRecordsMax && bytes < groupBytesMax))
    ) {
      const one = this.#queue[take] as Pending;
      records += one.records.length;
      bytes += one.bytes;
      take++;
    }
    this.#queuedBytes -= bytes;
    return take === this.#queue.length ? this.#queue.splice(0) : this.#queue.splice(0, take);
  }

  #publish(group: readonly Pending[]): void {
    for (const { records, revision, resolve } of group) {
      if (records.length > 0) {
        this.#revision = revision;
        this.#recent.add(revision, records);
        this.#watches.publish(revision, records);
      }
      resolve();
    }
    this.#watches.progress(this.#revision);
  }

  watch(options: StoreWatchOptions): Watch {
    return this.#watches.watch(options);
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
    this.#scheduleLeaseCheck();
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

  /** At the soonest end, while there are leases. One that is kept alive is looked at early, and again. */
  #scheduleLeaseCheck(): void {
    let soonestMs = Infinity;
    for (const { expiresMs } of this.#leases.values()) soonestMs = Math.min(soonestMs, expiresMs);
    if (soonestMs >= this.#leaseCheckAtMs) return;
    this.#leaseTimer?.cancel();
    this.#leaseCheckAtMs = soonestMs;
    this.#leaseTimer = this.#clock.after(Math.max(leaseCheckMs, soonestMs - this.#clock.now()), () => {
      this.#leaseCheckAtMs = Infinity;
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
    // One at a time, so that the mark on disk never goes back.
    const done = this.#compacting.then(() => this.#compactTo(revision));
    this.#compacting = done.catch(() => undefined); // its caller hears of it
    await done;
  }

  async #compactTo(revision: number): Promise<void> {
    this.#recent.forget(revision);
    try {
      const keys = await this.#countKeys(revision);
      this.#checkOpen();
      await this.#backend.write({ records: [], compacted: { revision, keys } });
      let after: string | undefined;
      do {
        const { dropped, next } = this.#index.compact(revision, after, compactSliceKeys);
        after = next;
        if (dropped.length > 0) await this.#backend.remove(dropped);
        await new Promise((resolve) => setImmediate(resolve));
      } while (after !== undefined && this.#closed === undefined);
    } catch (thrown) {
      // A closed store is left as it is: the next compaction removes what this one has not.
      if (this.#closed !== undefined) return;
      throw this.#fail(thrown);
    }
  }

  /** How many keys there are at a revision that no compaction has passed. */
  async #countKeys(revision: number): Promise<number> {
    let keys = 0;
    let after: string | undefined;
    do {
      const { present, next } = this.#index.count(revision, after, compactSliceKeys);
      keys += present;
      after = next;
      if (after !== undefined) await new Promise((resolve) => setImmediate(resolve));
    } while (after !== undefined);
    return keys;
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
    this.#recent.check();
    for (const [id, { keys }] of this.#leases) {
      for (const key of keys) assert(this.#index.newest(key)?.lease === id, `${key} hangs on lease ${id}`);
    }
  }

  close(): Promise<void> {
    this.#closed ??= (async () => {
      this.#leaseTimer?.cancel();
      await this.#settled().catch(() => undefined); // a store that failed to write has told its writers already
      this.#watches.endAll(undefined);
      await this.#compacting;
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
