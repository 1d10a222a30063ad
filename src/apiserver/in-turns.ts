// Work on many objects that gives way every few milliseconds, so that one large answer holds up nobody else.

import { setImmediate as nextTurn } from "node:timers/promises";

const turnMs = 8;
/** Looking at the clock costs something, too. */
const between = 16;

export async function inTurns<T>(
  items: readonly T[],
  clock: { monotonic(): number },
  each: (item: T, at: number) => void,
): Promise<void> {
  let begun = clock.monotonic();
  for (let at = 0; at < items.length; at++) {
    each(items[at] as T, at);
    if (at % between !== between - 1 || clock.monotonic() - begun < turnMs) continue;
    await nextTurn();
    begun = clock.monotonic();
  }
}
