// Every object of one resource, current, in memory; and what happened lately, for watches to resume from.
// Fed by one watch of the store; reads and watches are served from here, the store is asked for history only.

import BTreeModule from "sorted-btree";
import { assert } from "#base/assert.ts";
import { prefixEnd, type WatchEvent } from "#store/store.ts";
import { CachedObject, takeSource } from "./stored-object.ts";

const BTree = ((BTreeModule as { default?: unknown }).default ?? BTreeModule) as typeof BTreeModule.default;

/** Events that a resource remembers; a watch that asks for older ones gets 410 and lists again. */
const historyEventsMax = 5_000;
/** Events that wait for one watcher; beyond that it is closed, and resumes where it stopped. */
export const watcherEventsMax = 2_000;

/** One change of one object. The encoded forms are made once and shared by all watchers. */
export class CacheEvent {
  /** The object after the change; for a deletion: as it last was, at the deletion's revision. */
  readonly current: CachedObject;
  readonly previous: CachedObject | undefined;
  readonly deleted: boolean;
  readonly revision: number;
  #encoded: Map<string, Buffer> | undefined;

  constructor(current: CachedObject, previous: CachedObject | undefined, deleted: boolean, revision: number) {
    this.current = current;
    this.previous = previous;
    this.deleted = deleted;
    this.revision = revision;
  }

  /** The bytes of this event in one form, made by the first watcher that needs them. */
  encoded(form: string, make: () => Buffer): Buffer {
    this.#encoded ??= new Map();
    let bytes = this.#encoded.get(form);
    if (bytes === undefined) this.#encoded.set(form, (bytes = make()));
    return bytes;
  }
}

export interface CacheWatcher {
  /** Called with events in order. Must not throw. */
  onEvent(event: CacheEvent): void;
}

type Objects = InstanceType<typeof BTree<string, CachedObject>>;

function* inRange(objects: Objects, start: string, end: string): Generator<CachedObject> {
  for (const [key, object] of objects.entries(start)) {
    if (key >= end) return;
    yield object;
  }
}

export class ResourceCache {
  readonly prefix: string;
  readonly #objects: Objects = new BTree<string, CachedObject>(undefined, (a, b) =>
    a < b ? -1 : a > b ? 1 : 0,
  );
  /** How many objects there are, by what their keys begin with: each namespace has its own. */
  readonly #counts = new Map<string, number>();
  #history: CacheEvent[] = [];
  /** Events at and below this revision are no longer remembered. */
  #forgotten: number;
  readonly #watchers = new Set<CacheWatcher>();
  /** Those that watch one object: nodes have thousands of them. Never holds an empty set. */
  readonly #watchersOfOne = new Map<string, Set<CacheWatcher>>();
  /** How many changes there have been: whoever remembers it knows whether anything is new. */
  changes = 0;

  constructor(prefix: string, revision: number) {
    this.prefix = prefix;
    this.#forgotten = revision;
  }

  load(object: CachedObject): void {
    if (this.#objects.set(object.key, object)) this.#counted(object.key, 1);
  }

  apply({ type, kv }: WatchEvent, revision: number): void {
    this.changes++;
    const previous = this.#objects.get(kv.key);
    let event: CacheEvent;
    if (type === "put") {
      const current = CachedObject.fromValue(kv.key, kv.value, revision);
      if (this.#objects.set(kv.key, current)) this.#counted(kv.key, 1);
      event = new CacheEvent(current, previous, false, revision);
    } else {
      if (previous === undefined) return;
      this.#objects.delete(kv.key);
      this.#counted(kv.key, -1);
      event = new CacheEvent(previous.atRevision(revision), previous, true, revision);
    }
    this.#history.push(event);
    if (this.#history.length > 2 * historyEventsMax) {
      this.#forgotten = (this.#history[historyEventsMax - 1] as CacheEvent).revision;
      this.#history = this.#history.slice(historyEventsMax);
    }
    event.current.withSource(type === "put" ? takeSource(kv.value) : undefined, () => this.#tell(event));
  }

  #tell(event: CacheEvent): void {
    for (const watcher of this.#watchers) watcher.onEvent(event);
    const ofOne = this.#watchersOfOne.get(event.current.key);
    if (ofOne !== undefined) for (const watcher of ofOne) watcher.onEvent(event);
  }

  get(key: string): CachedObject | undefined {
    return this.#objects.get(key);
  }

  get size(): number {
    return this.#objects.size;
  }

  /** Objects whose keys lie in [start, end), in key order. */
  range(start: string, end: string): Iterable<CachedObject> {
    return inRange(this.#objects, start, end);
  }

  /** All of them at once, which costs less than one after the other. */
  all(start: string, end: string): CachedObject[] {
    const found: CachedObject[] = [];
    this.#objects.forRange(start, end, false, (_key, object) => void found.push(object));
    return found;
  }

  /** The same as they are now, whatever changes while they are read. */
  snapshot(start: string, end: string): Iterable<CachedObject> {
    return inRange(this.#objects.clone(), start, end);
  }

  /** How many they are. For a whole resource or namespace that is known; otherwise it takes a walk over the index. */
  count(start: string, end: string): number {
    if (end === prefixEnd(start)) {
      if (start === this.prefix) return this.#objects.size;
      if (start.endsWith("/")) return this.#counts.get(start) ?? 0;
    }
    return this.#objects.forRange(start, end, false);
  }

  #counted(key: string, more: 1 | -1): void {
    const namespace = key.slice(0, key.lastIndexOf("/") + 1);
    const count = (this.#counts.get(namespace) ?? 0) + more;
    if (count === 0) this.#counts.delete(namespace);
    else this.#counts.set(namespace, count);
  }

  /** A watch from before this revision misses events. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** The events after `revision`, or undefined when some of them are forgotten. */
  since(revision: number): readonly CacheEvent[] | undefined {
    if (revision < this.#forgotten) return undefined;
    let from = this.#history.length;
    while (from > 0 && (this.#history[from - 1] as CacheEvent).revision > revision) from--;
    return this.#history.slice(from);
  }

  /** With a key: the watcher hears of that object only. */
  subscribe(watcher: CacheWatcher, key?: string): () => void {
    if (key === undefined) {
      this.#watchers.add(watcher);
      return () => this.#watchers.delete(watcher);
    }
    const ofOne = this.#watchersOfOne.get(key) ?? new Set();
    this.#watchersOfOne.set(key, ofOne.add(watcher));
    return () => {
      ofOne.delete(watcher);
      if (ofOne.size === 0 && this.#watchersOfOne.get(key) === ofOne) this.#watchersOfOne.delete(key);
    };
  }

  get watchers(): number {
    let count = this.#watchers.size;
    for (const ofOne of this.#watchersOfOne.values()) count += ofOne.size;
    return count;
  }

  check(): void {
    for (const [key, object] of this.#objects.entries()) {
      assert(object.key === key && key.startsWith(this.prefix), `${key} is in its cache under its own key`);
      object.check();
    }
    let counted = 0;
    for (const [start, count] of this.#counts) {
      assert(
        this.#objects.forRange(start, prefixEnd(start), false) === count,
        `${start} has ${count} objects`,
      );
      counted += count;
    }
    assert(counted === this.#objects.size, "every object is counted");
    this.#history.forEach((event, at) => {
      const before = this.#history[at - 1];
      assert(before === undefined || before.revision <= event.revision, "history is in order");
    });
  }
}
