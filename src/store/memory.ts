// The memory engine: the same store without a disk. For tests, simulation and throw-away clusters.

import type { Backend, StoredRecord } from "./backend.ts";

export function memoryBackend(): Backend {
  const records = new Map<number, Map<number, StoredRecord>>();
  return {
    load: () => Promise.resolve({ compactedRevision: 0, leases: [] }),
    write({ records: added }) {
      for (const record of added) {
        const slots = records.get(record.revision) ?? new Map<number, StoredRecord>();
        records.set(record.revision, slots.set(record.slot, record));
      }
      return Promise.resolve();
    },
    read: (at) =>
      Promise.resolve(
        at.map(({ revision, slot }) => (records.get(revision)?.get(slot) as StoredRecord).value),
      ),
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
