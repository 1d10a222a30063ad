// Where records live: the part that differs between the memory engine and the embedded one.

/** One write of one key at one revision, as it is kept. */
export interface StoredRecord {
  readonly revision: number;
  readonly slot: number;
  /** How many records this revision has. */
  readonly slots: number;
  readonly key: string;
  /** Empty for a deletion. */
  readonly value: Buffer;
  readonly createRevision: number;
  /** 0: a deletion. */
  readonly version: number;
  readonly lease: number;
}

export interface LeaseRecord {
  readonly id: number;
  readonly ttlSeconds: number;
}

export interface Batch {
  readonly records: readonly StoredRecord[];
  readonly leases?: readonly LeaseRecord[];
  readonly endedLeases?: readonly number[];
  readonly compacted?: Compacted;
}

/** How far history was compacted, and how many keys there were at that revision: none of them may get lost. */
export interface Compacted {
  readonly revision: number;
  readonly keys: number;
}

export interface Loaded {
  readonly compacted: Compacted;
  readonly leases: readonly LeaseRecord[];
}

/** What is kept is not what was written, and what to do about it. */
export class DamagedStoreError extends Error {
  override name = "DamagedStoreError";
}

/** The record is not there, or no more. */
export class MissingRecordError extends Error {
  override name = "MissingRecordError";
}

export interface Backend {
  /** For messages: "the store in /var/lib/leme". */
  readonly name: string;
  /** The longest key that it can keep. */
  readonly keyBytesMax: number;
  /** Everything that is kept, records in revision and slot order. Called once, first. */
  load(onRecord: (record: StoredRecord) => void): Promise<Loaded>;
  /** Resolves when the whole batch is durable. Batches are written in call order. */
  write(batch: Batch): Promise<void>;
  /** The values of records, in the order asked for; MissingRecordError when one of them was removed. */
  read(at: readonly { readonly revision: number; readonly slot: number }[]): Promise<Buffer[]>;
  /** Records from `fromRevision` to `toRevision` inclusive, in order. */
  replay(fromRevision: number, toRevision: number): AsyncIterable<StoredRecord>;
  /** Removes records, in order: after a crash none is gone unless all before it are. */
  remove(at: readonly { readonly revision: number; readonly slot: number }[]): Promise<void>;
  close(): Promise<void>;
}
