// Keys to work on. Fair, deduplicated, and never the same key in two workers at once.
//
//   add(k) → queued, dirty        take() → processing, no longer queued or dirty
//   add(k) while processing → dirty only; done(k) then queues it again
//
// Invariants: queued ⊆ dirty; queued ∩ processing = ∅. Delayed keys wait on the clock, at most one timer each.

import { assert } from "#base/assert.ts";
import { Backoff, type BackoffOptions } from "#base/backoff.ts";
import type { Clock, Timer } from "#base/clock.ts";
import { keyBackoff, queueKeysMax } from "./limits.ts";

export interface WorkQueueOptions {
  readonly clock: Clock;
  readonly backoff?: BackoffOptions;
  /** Called when a key has become available to take(). */
  readonly onReady: () => void;
}

export class WorkQueue {
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #onReady: () => void;
  /** In order of arrival. */
  readonly #queued = new Set<string>();
  readonly #dirty = new Set<string>();
  readonly #processing = new Set<string>();
  readonly #delayed = new Map<string, { dueMs: number; timer: Timer }>();
  #closed = false;

  constructor({ clock, backoff = keyBackoff, onReady }: WorkQueueOptions) {
    this.#clock = clock;
    this.#backoff = new Backoff(backoff);
    this.#onReady = onReady;
  }

  /** Keys that wait now, delayed ones aside. */
  get length(): number {
    return this.#queued.size;
  }

  get processing(): number {
    return this.#processing.size;
  }

  add(key: string): void {
    if (this.#closed || this.#dirty.has(key)) return;
    assert(this.#dirty.size < queueKeysMax, `the work queue holds ${queueKeysMax} keys`);
    this.#dirty.add(key);
    if (this.#processing.has(key)) return;
    this.#queued.add(key);
    this.#onReady();
  }

  /** Adds `key` after `ms`; of several delays of one key the earliest counts. */
  addAfter(key: string, ms: number): void {
    if (this.#closed) return;
    if (ms <= 0) {
      this.add(key);
      return;
    }
    const dueMs = this.#clock.monotonic() + ms;
    const waiting = this.#delayed.get(key);
    if (waiting !== undefined) {
      if (waiting.dueMs <= dueMs) return;
      waiting.timer.cancel();
    }
    const timer = this.#clock.after(ms, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { dueMs, timer });
  }

  /** Adds `key` after the delay that its failures in a row ask for. */
  retry(key: string): void {
    this.addAfter(key, this.#backoff.next(key, this.#clock.monotonic()));
  }

  /** After a success: the next failure starts from the shortest delay. */
  forget(key: string): void {
    this.#backoff.forget(key);
  }

  failures(key: string): number {
    return this.#backoff.failures(key);
  }

  take(): string | undefined {
    const first = this.#queued.values().next();
    if (first.done === true) return undefined;
    const key = first.value;
    this.#queued.delete(key);
    this.#dirty.delete(key);
    this.#processing.add(key);
    return key;
  }

  done(key: string): void {
    assert(this.#processing.delete(key), `done(${key}) without take()`);
    if (this.#dirty.has(key) && !this.#closed) {
      this.#queued.add(key);
      this.#onReady();
    }
  }

  /** Drops what waits; what is being processed ends on its own. */
  close(): void {
    this.#closed = true;
    for (const { timer } of this.#delayed.values()) timer.cancel();
    this.#delayed.clear();
    this.#queued.clear();
    this.#dirty.clear();
  }

  check(): void {
    for (const key of this.#queued) {
      assert(this.#dirty.has(key), `${key} is queued but not dirty`);
      assert(!this.#processing.has(key), `${key} is queued while it is processed`);
    }
    for (const key of this.#dirty)
      assert(this.#queued.has(key) || this.#processing.has(key), `${key} is dirty but nobody will take it`);
  }
}
