// Read your writes: after a write of (kind, key) the work key that caused it waits until the caches show it.
// Pure: writes and what caches show come in, the keys that may go on come out.
//
//   write pod a @17 for key rc/x  →  rc/x is held
//   cache of pods shows a @17 or newer, or a is gone, or the stream has passed 17  →  rc/x is free

import type { ResourceRef } from "#client/client.ts";
import type { KubeObject } from "#machinery/meta.ts";
import type { Written } from "./execute.ts";
import { hasReached } from "./resource-version.ts";

interface Hold {
  readonly workKey: string;
  readonly written: Written;
  readonly sinceMs: number;
}

/** What the holds may look at: the cache of one resource. */
export interface CacheView {
  readonly resourceVersion: string;
  get(key: string): unknown;
}

const resourceOf = (ref: ResourceRef): string => `${ref.group}/${ref.resource}`;

/** True when the cache can no longer be behind the write. */
export function shows(cache: CacheView, written: Written): boolean {
  if (written.resourceVersion !== "" && hasReached(cache.resourceVersion, written.resourceVersion))
    return true;
  const held = cache.get(written.key) as KubeObject | undefined;
  if (written.deleted)
    return (
      held === undefined ||
      (written.uid !== "" && held.metadata?.uid !== written.uid) ||
      held.metadata?.deletionTimestamp !== undefined
    );
  if (held === undefined) return false;
  return hasReached(held.metadata?.resourceVersion ?? "", written.resourceVersion);
}

export class Holds {
  /** By resource: an event of pods need not look at the holds on services. */
  readonly #byResource = new Map<string, Set<Hold>>();
  /** How many holds keep each work key; never zero. */
  readonly #counts = new Map<string, number>();

  get size(): number {
    let size = 0;
    for (const holds of this.#byResource.values()) size += holds.size;
    return size;
  }

  isHeld(workKey: string): boolean {
    return this.#counts.has(workKey);
  }

  add(workKey: string, written: Written, nowMs: number): void {
    const resource = resourceOf(written.ref);
    const holds = this.#byResource.get(resource) ?? new Set();
    holds.add({ workKey, written, sinceMs: nowMs });
    this.#byResource.set(resource, holds);
    this.#counts.set(workKey, (this.#counts.get(workKey) ?? 0) + 1);
  }

  /** The work keys that are free now that the cache of `ref` has moved on. */
  progress(ref: ResourceRef, cache: CacheView): string[] {
    const holds = this.#byResource.get(resourceOf(ref));
    if (holds === undefined) return [];
    const free: string[] = [];
    for (const hold of holds) {
      if (!shows(cache, hold.written)) continue;
      holds.delete(hold);
      if (this.#release(hold.workKey)) free.push(hold.workKey);
    }
    if (holds.size === 0) this.#byResource.delete(resourceOf(ref));
    return free;
  }

  /** What one work key still waits for. */
  of(workKey: string): { written: Written; sinceMs: number }[] {
    const found: Hold[] = [];
    for (const holds of this.#byResource.values())
      for (const hold of holds) if (hold.workKey === workKey) found.push(hold);
    return found;
  }

  /** Work keys with a hold from before `ms`. */
  olderThan(ms: number): string[] {
    const keys = new Set<string>();
    for (const holds of this.#byResource.values())
      for (const hold of holds) if (hold.sinceMs <= ms) keys.add(hold.workKey);
    return [...keys];
  }

  /** Ends every hold of a work key. */
  drop(workKey: string): void {
    for (const [resource, holds] of this.#byResource) {
      for (const hold of holds) if (hold.workKey === workKey) holds.delete(hold);
      if (holds.size === 0) this.#byResource.delete(resource);
    }
    this.#counts.delete(workKey);
  }

  #release(workKey: string): boolean {
    const left = (this.#counts.get(workKey) ?? 0) - 1;
    if (left > 0) {
      this.#counts.set(workKey, left);
      return false;
    }
    this.#counts.delete(workKey);
    return true;
  }
}
