// Objects that vanish by themselves (events) hang on store leases; one lease serves all of a minute.

import type { Clock } from "#base/clock.ts";
import type { Store } from "#store/store.ts";

const sharedForMs = 60_000;

export interface Leases {
  /** A lease that lives at least `seconds` from now. */
  forSeconds(seconds: number): Promise<number>;
}

export function createLeases(store: Store, clock: Clock): Leases {
  const current = new Map<number, { lease: Promise<number>; untilMs: number }>();
  return {
    forSeconds(seconds) {
      const now = clock.now();
      const known = current.get(seconds);
      if (known !== undefined && now < known.untilMs) return known.lease;
      const lease = store.grantLease(seconds + sharedForMs / 1000);
      current.set(seconds, { lease, untilMs: now + sharedForMs });
      // A grant that failed is not kept: the next event asks again.
      lease.catch(() => current.delete(seconds));
      return lease;
    },
  };
}
