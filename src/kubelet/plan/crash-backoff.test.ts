import assert from "node:assert/strict";
import test from "node:test";
import { decideRestart, formatDelay } from "./crash-backoff.ts";
import type { CrashBackoff } from "./model.ts";

test("pauses double from 10 s to 5 min", () => {
  let backoff: CrashBackoff | undefined;
  let now = 1_000_000;
  const pauses: number[] = [];
  for (let crash = 0; crash < 9; crash++) {
    const finished = now;
    const first = decideRestart(backoff, finished, now);
    if (!first.start) now = first.atMs;
    pauses.push(now - finished);
    const decision = decideRestart(backoff, finished, now);
    assert(decision.start);
    backoff = decision.backoff;
    now += 100;
  }
  assert.deepEqual(
    pauses.map((ms) => ms / 1000),
    [0, 10, 20, 40, 80, 160, 300, 300, 300],
  );
});

test("ten minutes without a restart start over", () => {
  const backoff = { delayMs: 300_000, grantedAtMs: 0 };
  assert.equal(decideRestart(backoff, 600_000, 600_000).start, false);
  assert.deepEqual(decideRestart(backoff, 600_001, 600_001), {
    start: true,
    backoff: { delayMs: 10_000, grantedAtMs: 600_001 },
  });
});

test("durations read as people write them", () => {
  assert.deepEqual([10_000, 80_000, 300_000].map(formatDelay), ["10s", "1m20s", "5m0s"]);
});
