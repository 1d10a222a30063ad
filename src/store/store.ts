// The contract of the revisioned key-value store. It is etcd's: one revision counter for everything, transactions
// with compares on mod revisions, and a watch that is ordered, unique, resumable and never torn.
// conformance.ts is this file as a test suite; every engine passes it.

export interface KeyValue {
  readonly key: string;
  readonly value: Buffer;
  /** The revision that created this key (since its last deletion). */
  readonly createRevision: number;
  /** The revision that wrote this value. */
  readonly modRevision: number;
  /** 1 after creation, one more with each write. */
  readonly version: number;
  /** The lease that the key hangs on; 0: none. */
  readonly lease: number;
}

/** Holds when the key's newest mod revision is this one; 0 means that the key must be absent. */
export interface Compare {
  readonly key: string;
  readonly modRevision: number;
}

export type Operation =
  { readonly put: string; readonly value: Buffer; readonly lease?: number } | { readonly delete: string };

export type TxnResult =
  | { readonly ok: true; readonly revision: number }
  /** `current` has the present state of each compared key, in order. */
  | { readonly ok: false; readonly revision: number; readonly current: readonly (KeyValue | undefined)[] };

export interface RangeOptions {
  /** First key. */
  readonly start: string;
  /** First key beyond the range (see prefixEnd). */
  readonly end: string;
  /** Read as of this revision; absent: the newest. */
  readonly revision?: number;
  readonly limit?: number;
  /** Values come back empty. */
  readonly keysOnly?: boolean;
}

export interface RangeResult {
  /** The store's revision when it was read (not the one asked for). */
  readonly revision: number;
  /** In key order. */
  readonly kvs: readonly KeyValue[];
  /** How many keys the whole range has, whatever the limit. */
  readonly count: number;
  readonly more: boolean;
}

export interface WatchEvent {
  readonly type: "put" | "delete";
  /** For a deletion: the key, the deletion's revision as modRevision, and an empty value. */
  readonly kv: KeyValue;
}

export interface StoreWatchOptions {
  readonly start: string;
  readonly end: string;
  /** The first revision wanted, which may still have to come; absent: what comes after the newest. */
  readonly fromRevision?: number;
  /**
   * All events of one revision in this range, in one call, in revision order, each exactly once. A watch whose owner
   * throws is closed with that error.
   */
  onEvents(events: readonly WatchEvent[], revision: number): void;
  /** Everything up to this revision has been seen, though nothing in this range may have changed. */
  onProgress?(revision: number): void;
  /** No more calls come. CompactedError: the revision asked for is gone; list again. Must not throw. */
  onClose(error: Error | undefined): void;
}

export interface Watch {
  stop(): void;
}

export interface Store {
  /** The newest revision: durable, and visible to reads. */
  readonly revision: number;
  /** History up to and including this revision may be gone, other than each key's value at it. */
  readonly compactedRevision: number;
  /** Settles, with why, only when the store closed itself because it could not write. Open it again to go on. */
  readonly failed: Promise<Error>;
  get(key: string, revision?: number): Promise<KeyValue | undefined>;
  range(options: RangeOptions): Promise<RangeResult>;
  /**
   * If all compares hold, all operations happen at one new revision. Resolves when they are durable; rejects when they
   * are not, and then nothing later is acknowledged either. Without operations it only compares. Deleting an absent key
   * changes nothing; a transaction that changes nothing has no revision of its own. InvalidTransactionError when it
   * writes a key twice, or a key that is too long; StoreBusyError when too much waits for the disk.
   */
  txn(compares: readonly Compare[], operations: readonly Operation[]): Promise<TxnResult>;
  watch(options: StoreWatchOptions): Watch;
  /** A lease that ends `ttlSeconds` after its last keep-alive; then its keys are deleted. Survives a restart. */
  grantLease(ttlSeconds: number): Promise<number>;
  keepAlive(lease: number): Promise<void>;
  revokeLease(lease: number): Promise<void>;
  /** Forgets history up to this revision. */
  compact(revision: number): Promise<void>;
  /** The newest revision as a linearizable read sees it. Rejects when the store is closed, or failed to write. */
  progress(): Promise<number>;
  /** Throws when an internal invariant does not hold. */
  check(): void;
  close(): Promise<void>;
}

export class CompactedError extends Error {
  override name = "CompactedError";
  readonly compactedRevision: number;

  constructor(compactedRevision: number) {
    super(`the revision asked for has been compacted; the oldest readable one is ${compactedRevision}`);
    this.compactedRevision = compactedRevision;
  }
}

export class FutureRevisionError extends Error {
  override name = "FutureRevisionError";
}

/** The transaction cannot be done whatever the store holds; nothing has happened. */
export class InvalidTransactionError extends Error {
  override name = "InvalidTransactionError";
}

/** Nothing has happened; try again later. */
export class StoreBusyError extends Error {
  override name = "StoreBusyError";
}

export class StoreClosedError extends Error {
  override name = "StoreClosedError";
}

/** The end of the range of all keys that start with `prefix`. Keys are ASCII. */
export function prefixEnd(prefix: string): string {
  for (let at = prefix.length - 1; at >= 0; at--) {
    const code = prefix.charCodeAt(at);
    if (code < 0x7f) return prefix.slice(0, at) + String.fromCharCode(code + 1);
  }
  return "\x7f";
}
