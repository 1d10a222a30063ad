// A clock that moves only when told to: for tests and the simulation.

import type { Clock, Timer } from "./clock.ts";
import { Heap } from "./heap.ts";

interface Waiting {
  readonly dueMs: number;
  readonly order: number;
  readonly fn: () => void;
  cancelled: boolean;
}

export class ManualClock implements Clock {
  #nowMs: number;
  #order = 0;
  readonly #waiting = new Heap<Waiting>((a, b) => a.dueMs - b.dueMs || a.order - b.order);

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  after(ms: number, fn: () => void): Timer {
    const waiting: Waiting = {
      dueMs: this.#nowMs + Math.max(0, ms),
      order: this.#order++,
      fn,
      cancelled: false,
    };
    this.#waiting.push(waiting);
    return {
      cancel: () => {
        waiting.cancelled = true;
      },
    };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        timer.cancel();
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = this.after(ms, done);
      signal?.addEventListener("abort", done, { once: true });
    });
  }

  /** When something is due next. */
  get nextMs(): number | undefined {
    let next = this.#waiting.peek();
    while (next?.cancelled === true) {
      this.#waiting.pop();
      next = this.#waiting.peek();
    }
    return next?.dueMs;
  }

  /** Moves on by `ms`, calling in order what falls due. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (let dueMs = this.nextMs; dueMs !== undefined && dueMs <= endMs; dueMs = this.nextMs) {
      this.#nowMs = Math.max(this.#nowMs, dueMs);
      this.#waiting.pop()?.fn();
    }
    this.#nowMs = endMs;
  }

  /** Moves on at once: what falls due in between is called late, with the next advance. */
  jump(ms: number): void {
    this.#nowMs += ms;
  }
}
