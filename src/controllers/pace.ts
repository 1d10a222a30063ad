// How often something that takes the longer, the more objects there are, is done: for many objects more rarely, so that a
// burst of changes costs no more than a small share of the time.

import type { Clock } from "#base/clock.ts";

const msPerObject = 0.02;

export class Pace {
  readonly #clock: Clock;
  readonly #leastMs: number;
  /** When each key may be done again; as many as there are keys. */
  readonly #nextMs = new Map<string, number>();

  constructor(clock: Clock, leastMs: number) {
    this.#clock = clock;
    this.#leastMs = leastMs;
  }

  /** How long to wait before the key is done; 0: now. */
  wait(key: string): number {
    return Math.max(0, (this.#nextMs.get(key) ?? -Infinity) - this.#clock.monotonic());
  }

  done(key: string, objects: number): void {
    this.#nextMs.set(key, this.#clock.monotonic() + Math.max(this.#leastMs, objects * msPerObject));
  }

  forget(key: string): void {
    this.#nextMs.delete(key);
  }
}
