// The embedded engine: records in LevelDB (classic-level), one synchronous batch for each group of commits.

import { mkdir } from "node:fs/promises";
import { ClassicLevel } from "classic-level";
import { toError } from "#base/assert.ts";
import type { Clock } from "#base/clock.ts";
import {
  DamagedStoreError,
  MissingRecordError,
  type Backend,
  type Batch,
  type Compacted,
  type LeaseRecord,
  type Loaded,
  type StoredRecord,
} from "../backend.ts";
import { openAcknowledged, type Acknowledged } from "./acknowledged.ts";
import { decodeRecord, encodeRecord, keyBytesMax, recordKey } from "./record.ts";

type Database = ClassicLevel<Buffer, Buffer>;

const compactedKey = Buffer.from("m:compacted");
const formatKey = Buffer.from("m:format");
const storeFormat = "2";
const leasePrefix = "l:";
const recordsStart = recordKey(0, 0);
const recordsEnd = Buffer.from("s");
/** Memory that LevelDB may use for blocks and for its write buffer. */
const blockCacheBytes = 8 * 1024 * 1024;
const writeBufferBytes = 8 * 1024 * 1024;
const removeSliceRecords = 4_000;
const loadSliceRecords = 1_000;
const replayHighWaterBytes = 256 * 1024;

async function openDatabase(dir: string): Promise<Database> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const db: Database = new ClassicLevel<Buffer, Buffer>(dir, {
    keyEncoding: "buffer",
    valueEncoding: "buffer",
    cacheSize: blockCacheBytes,
    writeBufferSize: writeBufferBytes,
  });
  try {
    await db.open();
  } catch (thrown) {
    const cause = toError((toError(thrown).cause ?? thrown) as Error);
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "LEVEL_LOCKED")
      throw new Error(`the store in ${dir} is in use by another process: stop it first`, { cause });
    throw new Error(
      `the store in ${dir} cannot be opened (${cause.message}): restore a backup, or remove the directory to start empty`,
      { cause },
    );
  }
  return db;
}

/** How far history is compacted; without a mark nothing is. */
async function loadCompacted(db: Database): Promise<Compacted> {
  const mark = await db.get(compactedKey);
  return mark === undefined ? { revision: 0, keys: 0 } : (JSON.parse(mark.toString()) as Compacted);
}

async function loadLeases(db: Database): Promise<LeaseRecord[]> {
  const leases: LeaseRecord[] = [];
  for await (const value of db.values({ gte: Buffer.from(leasePrefix), lt: Buffer.from("l;") })) {
    leases.push(JSON.parse(value.toString()) as LeaseRecord);
  }
  return leases;
}

/** Reads everything, with every checksum, and refuses what is not whole. Returns the newest revision. */
async function loadRecords(
  db: Database,
  name: string,
  compactedRevision: number,
  onRecord: (record: StoredRecord) => void,
): Promise<number> {
  const density = densityCheck(name, compactedRevision);
  let newest = compactedRevision;
  const iterator = db.iterator({
    gte: recordsStart,
    lt: recordsEnd,
    highWaterMarkBytes: replayHighWaterBytes,
  });
  try {
    for (;;) {
      const entries = await iterator.nextv(loadSliceRecords);
      if (entries.length === 0) break;
      for (const [key, bytes] of entries) {
        const record = decode(name, key, bytes);
        density.next(record);
        onRecord(record);
        newest = Math.max(newest, record.revision);
      }
    }
  } finally {
    await iterator.close();
  }
  density.end();
  return newest;
}

function decode(name: string, key: Buffer, bytes: Buffer): StoredRecord {
  try {
    return decodeRecord(key, bytes);
  } catch (thrown) {
    throw new DamagedStoreError(`${name}: ${toError(thrown).message}: restore a backup`, { cause: thrown });
  }
}

async function checkFormat(db: Database, name: string): Promise<void> {
  const known = await db.get(formatKey);
  if (known === undefined) await db.put(formatKey, Buffer.from(storeFormat));
  else if (known.toString() !== storeFormat)
    throw new Error(
      `${name} has format ${known.toString()}; this version of leme reads format ${storeFormat}`,
    );
}

async function openAcknowledgedBeside(db: Database, dir: string, clock: Clock): Promise<Acknowledged> {
  try {
    return openAcknowledged(dir, clock);
  } catch (error) {
    await db.close();
    throw error;
  }
}

export async function embeddedBackend(dir: string, clock: Clock): Promise<Backend> {
  const name = `the store in ${dir}`;
  const db = await openDatabase(dir);
  const acknowledged = await openAcknowledgedBeside(db, dir, clock);
  const close = async (): Promise<void> => {
    await db.close();
    acknowledged.close();
  };

  async function load(onRecord: (record: StoredRecord) => void): Promise<Loaded> {
    await checkFormat(db, name);
    const compacted = await loadCompacted(db);
    const newest = await loadRecords(db, name, compacted.revision, onRecord);
    if (newest < acknowledged.revision)
      throw new DamagedStoreError(
        `${name} ends at revision ${newest}, and revision ${acknowledged.revision} was acknowledged: the end of ` +
          `its log is lost: restore a backup, or remove ${acknowledged.path} to go on without what was lost`,
      );
    // What was written and not answered is visible from now on.
    acknowledged.note(newest);
    return { compacted, leases: await loadLeases(db) };
  }

  async function write(batch: Batch): Promise<void> {
    const chained = db.batch();
    for (const record of batch.records)
      chained.put(recordKey(record.revision, record.slot), encodeRecord(record));
    for (const lease of batch.leases ?? [])
      chained.put(Buffer.from(leasePrefix + lease.id), Buffer.from(JSON.stringify(lease)));
    for (const id of batch.endedLeases ?? []) chained.del(Buffer.from(leasePrefix + id));
    if (batch.compacted !== undefined)
      chained.put(compactedKey, Buffer.from(JSON.stringify(batch.compacted)));
    await chained.write({ sync: true });
    const newest = batch.records.at(-1);
    if (newest !== undefined) acknowledged.note(newest.revision);
  }

  return {
    name,
    keyBytesMax,
    load: async (onRecord) => {
      try {
        return await load(onRecord);
      } catch (error) {
        await close();
        throw error;
      }
    },
    write,
    async read(at) {
      const keys = at.map(({ revision, slot }) => recordKey(revision, slot));
      const found = await db.getMany(keys);
      return found.map((bytes, i) => {
        if (bytes === undefined)
          throw new MissingRecordError(`${name}: revision ${at[i]?.revision} is missing`);
        return decode(name, keys[i] as Buffer, bytes).value;
      });
    },
    async *replay(from, to) {
      const range = {
        gte: recordKey(from, 0),
        lt: recordKey(to + 1, 0),
        highWaterMarkBytes: replayHighWaterBytes,
      };
      for await (const [key, bytes] of db.iterator(range)) yield decode(name, key, bytes);
    },
    async remove(at) {
      for (let from = 0; from < at.length; from += removeSliceRecords) {
        const slice = at.slice(from, from + removeSliceRecords);
        // Synced, because LevelDB changes logs now and then: with an earlier removal in a log that a power cut lost,
        // and a later one in a log that it did not, a deleted key would be back without its deletion.
        await db.batch(
          slice.map(({ revision, slot }) => ({ type: "del" as const, key: recordKey(revision, slot) })),
          { sync: true },
        );
      }
    },
    close,
  };
}

/** Above the compacted revision every revision must be there with all its slots. An empty store has revision 1. */
function densityCheck(
  name: string,
  compactedRevision: number,
): { next(record: StoredRecord): void; end(): void } {
  let revision = Math.max(compactedRevision, 1) + 1;
  let slot = 0;
  const hole = (): DamagedStoreError =>
    new DamagedStoreError(
      `${name} has a hole: revision ${revision} (part ${slot}) is missing: restore a backup`,
    );
  return {
    next(record) {
      if (record.revision <= compactedRevision) return;
      if (record.revision !== revision || record.slot !== slot) throw hole();
      slot++;
      if (slot < record.slots) return;
      revision++;
      slot = 0;
    },
    end() {
      if (slot > 0) throw hole();
    },
  };
}
