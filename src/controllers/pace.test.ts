// More objects, more rarely.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "#base/manual-clock.ts";
import { Pace } from "./pace.ts";

test("a key is done again after a while that grows with what it takes", () => {
  const clock = new ManualClock();
  const pace = new Pace(clock, 10);
  assert.equal(pace.wait("a"), 0);
  pace.done("a", 3);
  assert.equal(pace.wait("a"), 10);
  assert.equal(pace.wait("b"), 0);
  pace.done("a", 150_000);
  assert.equal(pace.wait("a"), 3000);
  clock.advance(2999);
  assert.equal(pace.wait("a"), 1);
  clock.advance(1);
  assert.equal(pace.wait("a"), 0);
  pace.done("a", 150_000);
  pace.forget("a");
  assert.equal(pace.wait("a"), 0);
});
