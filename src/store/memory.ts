// The memory engine: the same store without a disk. For tests, simulation and throw-away clusters.

import { MissingRecordError, type Backend, type StoredRecord } from "./backend.ts";

/** In memory of its own: a slice would keep the values that were encoded beside it, long after they are compacted. */
function alone(value: Buffer): Buffer {
  const own = Buffer.allocUnsafeSlow(value.length);
  value.copy(own);
  return own;
}

export function memoryBackend(): Backend {
  const records = new Map<number, Map<number, StoredRecord>>();
  return {
    name: "the store in memory",
    keyBytesMax: Infinity,
    load: () => Promise.resolve({ compacted: { revision: 0, keys: 0 }, leases: [] }),
    write({ records: added }) {
      for (const record of added) {
        const slots = records.get(record.revision) ?? new Map<number, StoredRecord>();
        records.set(record.revision, slots.set(record.slot, { ...record, value: alone(record.value) }));
      }
      return Promise.resolve();
    },
    read(at) {
      const values: Buffer[] = [];
      for (const { revision, slot } of at) {
        const record = records.get(revision)?.get(slot);
        if (record === undefined)
          return Promise.reject(new MissingRecordError(`revision ${revision} is missing`));
        values.push(record.value);
      }
      return Promise.resolve(values);
    },
    async *replay(from, to) {
      for (let revision = from; revision <= to; revision++) yield* records.get(revision)?.values() ?? [];
    },
    remove(at) {
      for (const { revision, slot } of at) {
        const slots = records.get(revision);
        slots?.delete(slot);
        if (slots?.size === 0) records.delete(revision);
      }
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
}
