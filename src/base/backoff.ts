// Exponential backoff per key, pure: time comes in as a parameter.

export interface BackoffOptions {
  readonly initialMs: number;
  readonly maxMs: number;
  readonly factor?: number;
}

/** The delay before try number `failures` + 1: initial × factor^(failures-1), capped. Zero failures: no delay. */
export function backoffDelay(failures: number, { initialMs, maxMs, factor = 2 }: BackoffOptions): number {
  if (failures <= 0) return 0;
  return Math.min(maxMs, initialMs * factor ** Math.min(failures - 1, 60));
}

/** Counts failures by key. A key not heard of for twice the longest delay starts again from nothing. */
export class Backoff {
  readonly #options: BackoffOptions;
  readonly #entries = new Map<string, { failures: number; lastMs: number }>();

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** Records a failure at `nowMs` and returns the delay until the next try. */
  next(key: string, nowMs: number): number {
    const entry = this.#entries.get(key);
    const expired = entry === undefined || nowMs - entry.lastMs > 2 * this.#options.maxMs;
    const failures = expired ? 1 : entry.failures + 1;
    this.#entries.set(key, { failures, lastMs: nowMs });
    return backoffDelay(failures, this.#options);
  }

  failures(key: string): number {
    return this.#entries.get(key)?.failures ?? 0;
  }

  forget(key: string): void {
    this.#entries.delete(key);
  }
}
