// The newest records, in memory up to a bound: reads of them, and watches that resume soon, need no disk.

import { assert } from "#base/assert.ts";
import type { StoredRecord } from "./backend.ts";

const recentBytesMax = 16 * 1024 * 1024;

export class RecentRecords {
  /** By revision, oldest first. */
  readonly #records = new Map<number, readonly StoredRecord[]>();
  #bytes = 0;

  /** The oldest revision that is here. */
  get oldest(): number | undefined {
    return this.#records.keys().next().value;
  }

  /** All records of a revision, or nothing. */
  get(revision: number): readonly StoredRecord[] | undefined {
    return this.#records.get(revision);
  }

  /** Adds the newest revision; the oldest ones make room for it. */
  add(revision: number, records: readonly StoredRecord[]): void {
    this.#records.set(revision, records);
    this.#bytes += bytesOf(records);
    for (const [oldest, old] of this.#records) {
      if (this.#bytes <= recentBytesMax || oldest === revision) break;
      this.#drop(oldest, old);
    }
  }

  forget(upTo: number): void {
    for (const [revision, records] of this.#records) {
      if (revision > upTo) break;
      this.#drop(revision, records);
    }
  }

  #drop(revision: number, records: readonly StoredRecord[]): void {
    this.#records.delete(revision);
    this.#bytes -= bytesOf(records);
  }

  check(): void {
    let bytes = 0;
    for (const records of this.#records.values()) bytes += bytesOf(records);
    assert(bytes === this.#bytes, "recent bytes are counted");
  }
}

function bytesOf(records: readonly StoredRecord[]): number {
  let bytes = 0;
  for (const { value } of records) bytes += value.length;
  return bytes;
}
