// Time that a test moves: a clock for a whole cluster in one process, and the way to go on in it.

import { ManualClock } from "#base/manual-clock.ts";

/** Turns of the event loop in which nobody asked for anything, after which all is at rest. */
const quietTurns = 5;
const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `1h30m`, `24h`, `7d`, or milliseconds. */
export function durationMs(duration: string | number): number {
  if (typeof duration === "number") return duration;
  const parts = [...duration.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join("") !== duration)
    throw new Error(`${JSON.stringify(duration)} is not a duration such as 90s, 1h30m or 24h`);
  return parts.reduce((sum, [, amount, unit = ""]) => sum + Number(amount) * (units[unit] ?? 0), 0);
}

export class VirtualTime {
  /** Begins now, so that certificates are valid by everybody's clock. */
  readonly clock = new ManualClock(Date.now());
  readonly #activity: () => number;

  /** `activity` changes with all that happens. */
  constructor(activity: () => number) {
    this.#activity = activity;
  }

  /** Until nothing more happens without time going on. */
  async settle(): Promise<void> {
    let seen = -1;
    for (let quiet = 0; quiet < quietTurns;) {
      const activity = this.#activity();
      quiet = activity === seen ? quiet + 1 : 0;
      seen = activity;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Goes from one instant in which something is due to the next; at each, everything comes to rest. */
  async advance(duration: string | number): Promise<void> {
    const endMs = this.clock.now() + durationMs(duration);
    await this.settle();
    for (let dueMs = this.clock.nextMs; dueMs !== undefined && dueMs <= endMs; dueMs = this.clock.nextMs) {
      this.clock.advance(Math.max(0, dueMs - this.clock.now()));
      await this.settle();
    }
    this.clock.advance(Math.max(0, endMs - this.clock.now()));
    await this.settle();
  }
}
