// The embedded engine: records in LevelDB (classic-level), one synchronous batch for each group of commits.

import { mkdir } from "node:fs/promises";
import { ClassicLevel } from "classic-level";
import { toError } from "#base/assert.ts";
import type { Backend, Batch, LeaseRecord, StoredRecord } from "../backend.ts";
import { decodeRecord, encodeRecord, recordKey } from "./record.ts";

type Database = ClassicLevel<Buffer, Buffer>;

const compactedKey = Buffer.from("m:compacted");
const formatKey = Buffer.from("m:format");
const storeFormat = "1";
const leasePrefix = "l:";
const recordsStart = recordKey(0, 0);
const recordsEnd = Buffer.from("s");
/** Memory that LevelDB may use for blocks and for its write buffer. */
const blockCacheBytes = 8 * 1024 * 1024;
const writeBufferBytes = 8 * 1024 * 1024;
const removeSliceRecords = 1_000;
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

export async function embeddedBackend(dir: string): Promise<Backend> {
  const db = await openDatabase(dir);
  const known = await db.get(formatKey);
  if (known === undefined) await db.put(formatKey, Buffer.from(storeFormat));
  else if (known.toString() !== storeFormat) {
    await db.close();
    throw new Error(
      `the store in ${dir} has format ${known.toString()}; this version of leme reads format ${storeFormat}`,
    );
  }

  async function loadLeases(): Promise<LeaseRecord[]> {
    const leases: LeaseRecord[] = [];
    for await (const value of db.values({ gte: Buffer.from(leasePrefix), lt: Buffer.from("l;") })) {
      leases.push(JSON.parse(value.toString()) as LeaseRecord);
    }
    return leases;
  }

  async function load(onRecord: (record: StoredRecord) => void) {
    const compactedRevision = Number((await db.get(compactedKey))?.toString() ?? 0);
    const expectNext = densityCheck(dir, compactedRevision);
    const iterator = db.iterator({
      gte: recordsStart,
      lt: recordsEnd,
      highWaterMarkBytes: replayHighWaterBytes,
    });
    try {
      for (;;) {
        const entries = await iterator.nextv(1_000);
        if (entries.length === 0) break;
        for (const [key, bytes] of entries) {
          let record: StoredRecord;
          try {
            record = decodeRecord(key, bytes);
          } catch (thrown) {
            throw new Error(`the store in ${dir}: ${toError(thrown).message}: restore a backup`, {
              cause: thrown,
            });
          }
          expectNext(record);
          onRecord(record);
        }
      }
    } finally {
      await iterator.close();
    }
    return { compactedRevision, leases: await loadLeases() };
  }

  function write(batch: Batch): Promise<void> {
    const chained = db.batch();
    for (const record of batch.records)
      chained.put(recordKey(record.revision, record.slot), encodeRecord(record));
    for (const lease of batch.leases ?? [])
      chained.put(Buffer.from(leasePrefix + lease.id), Buffer.from(JSON.stringify(lease)));
    for (const id of batch.endedLeases ?? []) chained.del(Buffer.from(leasePrefix + id));
    if (batch.compactedRevision !== undefined)
      chained.put(compactedKey, Buffer.from(String(batch.compactedRevision)));
    return chained.write({ sync: true });
  }

  return {
    load: async (onRecord) => {
      try {
        return await load(onRecord);
      } catch (error) {
        await db.close();
        throw error;
      }
    },
    write,
    async read(at) {
      const keys = at.map(({ revision, slot }) => recordKey(revision, slot));
      const found = await db.getMany(keys);
      return found.map((bytes, i) => {
        if (bytes === undefined)
          throw new Error(`the store in ${dir}: revision ${at[i]?.revision} is missing`);
        return decodeRecord(keys[i] as Buffer, bytes).value;
      });
    },
    async *replay(from, to) {
      const range = {
        gte: recordKey(from, 0),
        lt: recordKey(to + 1, 0),
        highWaterMarkBytes: replayHighWaterBytes,
      };
      for await (const [key, bytes] of db.iterator(range)) yield decodeRecord(key, bytes);
    },
    async remove(at) {
      for (let from = 0; from < at.length; from += removeSliceRecords) {
        const slice = at.slice(from, from + removeSliceRecords);
        await db.batch(
          slice.map(({ revision, slot }) => ({ type: "del" as const, key: recordKey(revision, slot) })),
        );
      }
    },
    close: () => db.close(),
  };
}

/** Above the compacted revision every revision must be there with all its slots. An empty store has revision 1. */
function densityCheck(dir: string, compactedRevision: number): (record: StoredRecord) => void {
  let revision = Math.max(compactedRevision, 1) + 1;
  let slot = 0;
  return (record) => {
    if (record.revision <= compactedRevision) return;
    if (record.revision !== revision || record.slot !== slot) {
      throw new Error(
        `the store in ${dir} has a hole: revision ${revision} (part ${slot}) is missing: restore a backup`,
      );
    }
    slot++;
    if (slot < record.slots) return;
    revision++;
    slot = 0;
  };
}
