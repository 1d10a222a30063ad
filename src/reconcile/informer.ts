// The read side of every component: a local, indexed, frozen copy of one resource, kept by list and watch.
// This file is the contract; reflector.ts keeps it fresh.

import type { ResourceRef } from "#client/client.ts";
import type { DeepReadonly, KubeObject } from "#machinery/meta.ts";

export interface InformerOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Objects come as PartialObjectMetadata. */
  readonly metadataOnly?: boolean;
}

export interface Handler<T extends KubeObject> {
  /** After the cache holds it. `old` is undefined for an addition; `object` is undefined for a deletion. */
  (object: DeepReadonly<T> | undefined, old: DeepReadonly<T> | undefined): void;
}

export interface Informer<T extends KubeObject> {
  readonly ref: ResourceRef;
  /** True once the first list is in the cache. */
  readonly synced: boolean;
  /** Resolves when `synced` becomes true. */
  waitForSync(): Promise<void>;
  /** By key: `namespace/name`, or `name` for cluster-scoped kinds. */
  get(key: string): DeepReadonly<T> | undefined;
  list(): Iterable<DeepReadonly<T>>;
  /** Objects by an index that addIndex declared. */
  byIndex(index: string, value: string): readonly DeepReadonly<T>[];
  /** Declares an index: object → the values that it is found under. Before or after start. */
  addIndex(name: string, values: (object: DeepReadonly<T>) => readonly string[]): void;
  /** Calls `handler` for each change, and at once for each object that is there already. Returns the way to stop. */
  onChange(handler: Handler<T>): () => void;
  /** Calls `handler` after each batch, list or bookmark, with the version that the cache has now reached. */
  onProgress(handler: (resourceVersion: string) => void): () => void;
  /** Takes over what a live read found under `key`: an object (unless the cache has a newer one), or nothing. */
  observe(key: string, object: T | undefined): void;
  /** The newest resource version that the cache has seen (event or bookmark). */
  readonly resourceVersion: string;
  readonly size: number;
}

/** One informer per (resource, options), shared by everyone in a process. */
export interface InformerFactory {
  informer<T extends KubeObject>(ref: ResourceRef, options?: InformerOptions): Informer<T>;
  /** Starts every informer asked for so far and later; resolves when those asked for so far are synced. */
  start(): Promise<void>;
  /** A kind that is served no longer: its informers end, and are made anew when asked for again. */
  forget(ref: ResourceRef): void;
  stop(): Promise<void>;
}
