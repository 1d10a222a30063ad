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
  readonly compactedRevision?: number;
}

export interface Backend {
  /** Everything that is kept, records in revision and slot order. Called once, first. */
  load(
    onRecord: (record: StoredRecord) => void,
  ): Promise<{ compactedRevision: number; leases: readonly LeaseRecord[] }>;
  /** Resolves when the whole batch is durable. Batches are written in call order. */
  write(batch: Batch): Promise<void>;
  /** The values of records, in the order asked for. */
  read(at: readonly { readonly revision: number; readonly slot: number }[]): Promise<Buffer[]>;
  /** Records from `fromRevision` to `toRevision` inclusive, in order. */
  replay(fromRevision: number, toRevision: number): AsyncIterable<StoredRecord>;
  /** Removes records; need not be durable when it resolves. */
  remove(at: readonly { readonly revision: number; readonly slot: number }[]): Promise<void>;
  close(): Promise<void>;
}
