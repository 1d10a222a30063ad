// Which revisions each key was written at: the only part of the store that must be in memory. Pure.
//
//   put a=1 @2, put a=2 @5, delete a @6, put a=3 @9      history of a: 2 5 6† 9
//   at(4) → 2    at(5) → 5    at(7) → nothing (deleted)    at(9) → 9
//   compact(5): 2 is superseded at 5 → dropped             5 6† 9
//   compact(7): at 7 the key is absent → 5 and 6† dropped  9

import BTreeModule from "sorted-btree";
import { assert } from "#base/assert.ts";

// The library is CommonJS: its default export is the class, or an object that holds it, depending on the loader.
const BTree = ((BTreeModule as { default?: unknown }).default ?? BTreeModule) as typeof BTreeModule.default;

/** One write of one key. `slot` is its place among the operations of its revision. */
export interface Entry {
  readonly revision: number;
  readonly slot: number;
  readonly createRevision: number;
  /** 0: this write deleted the key. */
  readonly version: number;
  readonly lease: number;
}

const compareKeys = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export class KeyIndex {
  /** Key → its entries, oldest first, strictly rising revisions. Never empty. */
  readonly #keys = new BTree<string, Entry[]>(undefined, compareKeys);

  /** The newest entry, also when it is a deletion. */
  newest(key: string): Entry | undefined {
    return this.#keys.get(key)?.at(-1);
  }

  /** The entry that holds at `revision`; undefined when the key is absent then. */
  at(key: string, revision: number): Entry | undefined {
    const entries = this.#keys.get(key);
    return entries === undefined ? undefined : live(entries, revision);
  }

  add(key: string, entry: Entry): void {
    const entries = this.#keys.get(key);
    if (entries === undefined) {
      this.#keys.set(key, [entry]);
      return;
    }
    assert((entries.at(-1) as Entry).revision < entry.revision, `revisions of ${key} must rise`);
    entries.push(entry);
  }

  /** Visits the keys of [start, end) that are present at `revision`, in order; stops when `visit` returns false. */
  scan(
    start: string,
    end: string,
    revision: number,
    visit: (key: string, entry: Entry) => boolean | void,
  ): void {
    this.#keys.forRange(start, end, false, (key, entries) => {
      const entry = live(entries, revision);
      return entry !== undefined && visit(key, entry) === false ? { break: true } : undefined;
    });
  }

  /** How many keys are present at `revision` among up to `limit` keys after `after`, and where to go on. */
  count(
    revision: number,
    after: string | undefined,
    limit: number,
  ): { present: number; next: string | undefined } {
    let present = 0;
    let visited = 0;
    let next: string | undefined;
    this.#keys.forRange(after === undefined ? "" : after, "\uffff", false, (key, entries) => {
      if (key === after) return undefined;
      if (visited++ >= limit) return { break: true };
      next = key;
      if (live(entries, revision) !== undefined) present++;
      return undefined;
    });
    return { present, next: visited > limit ? next : undefined };
  }

  /** Drops what `revision` supersedes among up to `limit` keys after `after`; says what was dropped and where to go on. */
  compact(
    revision: number,
    after: string | undefined,
    limit: number,
  ): { dropped: Entry[]; next: string | undefined } {
    const dropped: Entry[] = [];
    const emptied: string[] = [];
    let visited = 0;
    let next: string | undefined;
    this.#keys.forRange(after === undefined ? "" : after, "\uffff", false, (key, entries) => {
      if (key === after) return undefined;
      if (visited++ >= limit) return { break: true };
      next = key;
      let keep = 0;
      while (keep + 1 < entries.length && (entries[keep + 1] as Entry).revision <= revision) keep++;
      const first = entries[keep] as Entry;
      if (first.version === 0 && first.revision <= revision) keep++;
      if (keep === 0) return undefined;
      dropped.push(...entries.splice(0, keep));
      if (entries.length === 0) emptied.push(key);
      return undefined;
    });
    for (const key of emptied) this.#keys.delete(key);
    return { dropped, next: visited > limit ? next : undefined };
  }

  get size(): number {
    return this.#keys.size;
  }

  check(): void {
    this.#keys.forEachPair((key, entries) => {
      assert(entries.length > 0, `${key} has no entries`);
      entries.forEach((entry, at) => {
        const before = entries[at - 1];
        assert(before === undefined || before.revision < entry.revision, `${key}: revisions rise`);
        assert(
          entry.version === 0 || entry.createRevision <= entry.revision,
          `${key}: created before written`,
        );
      });
    });
  }
}

function live(entries: readonly Entry[], revision: number): Entry | undefined {
  // Reads are nearly always of the newest: look from the end.
  for (let at = entries.length - 1; at >= 0; at--) {
    const entry = entries[at] as Entry;
    if (entry.revision <= revision) return entry.version === 0 ? undefined : entry;
  }
  return undefined;
}
