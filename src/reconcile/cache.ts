// The objects of one resource by key, with indexes. Pure: changes come in, differences come out.
// Readers get shared objects; they are read-only by type, and deeply frozen when asked for (tests).

import { assert } from "#base/assert.ts";
import { objectKey, type KubeObject } from "#machinery/meta.ts";
import { compareResourceVersions } from "./resource-version.ts";

export interface Change {
  readonly object: KubeObject | undefined;
  readonly old: KubeObject | undefined;
}

interface Index {
  readonly valuesOf: (object: KubeObject) => readonly string[];
  /** Never holds an empty inner map. */
  readonly found: Map<string, Map<string, KubeObject>>;
}

export interface CacheOptions {
  readonly freeze?: boolean;
}

const nothing: readonly KubeObject[] = [];

export function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}

export class Cache {
  readonly #objects = new Map<string, KubeObject>();
  readonly #indexes = new Map<string, Index>();
  readonly #freeze: boolean;

  constructor({ freeze = false }: CacheOptions = {}) {
    this.#freeze = freeze;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): KubeObject | undefined {
    return this.#objects.get(key);
  }

  values(): IterableIterator<KubeObject> {
    return this.#objects.values();
  }

  addIndex(name: string, valuesOf: (object: KubeObject) => readonly string[]): void {
    if (this.#indexes.has(name)) return;
    const index: Index = { valuesOf, found: new Map() };
    this.#indexes.set(name, index);
    for (const [key, object] of this.#objects) link(index, key, object);
  }

  byIndex(name: string, value: string): readonly KubeObject[] {
    const index = this.#indexes.get(name);
    assert(index !== undefined, `no index ${name}`);
    const found = index.found.get(value);
    return found === undefined ? nothing : [...found.values()];
  }

  /** Puts a newer object; one surely older than what is held changes nothing and gives undefined. */
  put(object: KubeObject): Change | undefined {
    const key = objectKey(object);
    const old = this.#objects.get(key);
    if (old !== undefined && old.metadata?.uid === object.metadata?.uid) {
      const order = compareResourceVersions(
        object.metadata?.resourceVersion ?? "",
        old.metadata?.resourceVersion ?? "",
      );
      if (order !== undefined && order <= 0) return undefined;
    }
    this.#set(key, object, old);
    return { object, old };
  }

  remove(key: string): Change | undefined {
    const old = this.#objects.get(key);
    if (old === undefined) return undefined;
    this.#objects.delete(key);
    for (const index of this.#indexes.values()) unlink(index, key, old);
    return { object: undefined, old };
  }

  /** Takes over a whole list: what is not in it is gone, what is unchanged gives no change. */
  replace(objects: readonly KubeObject[]): Change[] {
    const changes: Change[] = [];
    const keys = new Set<string>();
    for (const object of objects) {
      const key = objectKey(object);
      keys.add(key);
      const old = this.#objects.get(key);
      if (old !== undefined && sameVersion(old, object)) continue;
      this.#set(key, object, old);
      changes.push({ object, old });
    }
    for (const key of [...this.#objects.keys()]) {
      if (keys.has(key)) continue;
      const change = this.remove(key);
      if (change !== undefined) changes.push(change);
    }
    return changes;
  }

  /** Asserts that indexes and objects tell the same. */
  check(): void {
    for (const [name, index] of this.#indexes) {
      const expected: Index = { valuesOf: index.valuesOf, found: new Map() };
      for (const [key, object] of this.#objects) link(expected, key, object);
      assert(expected.found.size === index.found.size, `index ${name}: other values than the objects have`);
      for (const [value, found] of expected.found) {
        const held = index.found.get(value);
        assert(held?.size === found.size, `index ${name}: other objects under ${value}`);
        for (const [key, object] of found) assert(held.get(key) === object, `index ${name}: stale ${key}`);
      }
    }
  }

  #set(key: string, object: KubeObject, old: KubeObject | undefined): void {
    if (this.#freeze) deepFreeze(object);
    this.#objects.set(key, object);
    for (const index of this.#indexes.values()) {
      if (old !== undefined) unlink(index, key, old);
      link(index, key, object);
    }
  }
}

function sameVersion(a: KubeObject, b: KubeObject): boolean {
  return a.metadata?.uid === b.metadata?.uid && a.metadata?.resourceVersion === b.metadata?.resourceVersion;
}

function link(index: Index, key: string, object: KubeObject): void {
  for (const value of index.valuesOf(object)) {
    const found = index.found.get(value);
    if (found === undefined) index.found.set(value, new Map([[key, object]]));
    else found.set(key, object);
  }
}

function unlink(index: Index, key: string, object: KubeObject): void {
  for (const value of index.valuesOf(object)) {
    const found = index.found.get(value);
    found?.delete(key);
    if (found?.size === 0) index.found.delete(value);
  }
}
