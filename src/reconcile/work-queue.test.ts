import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "#base/random.ts";
import { ManualClock } from "#base/manual-clock.ts";
import { WorkQueue } from "./work-queue.ts";

function make(): { queue: WorkQueue; clock: ManualClock; ready: () => number } {
  const clock = new ManualClock();
  let count = 0;
  const queue = new WorkQueue({ clock, backoff: { initialMs: 10, maxMs: 1000 }, onReady: () => count++ });
  return { queue, clock, ready: () => count };
}

test("a key that is added while it is processed comes again after done", () => {
  const { queue, ready } = make();
  queue.add("a");
  queue.add("a");
  assert.equal(ready(), 1);
  assert.equal(queue.take(), "a");
  assert.equal(queue.take(), undefined);
  queue.add("a");
  assert.equal(queue.take(), undefined, "not twice at once");
  queue.done("a");
  assert.equal(queue.take(), "a");
  queue.done("a");
  assert.equal(queue.take(), undefined);
});

test("of several delays the earliest counts", () => {
  const { queue, clock } = make();
  queue.addAfter("a", 100);
  queue.addAfter("a", 50);
  queue.addAfter("a", 70);
  clock.advance(49);
  assert.equal(queue.take(), undefined);
  clock.advance(1);
  assert.equal(queue.take(), "a");
  queue.done("a");
  clock.advance(100);
  assert.equal(queue.take(), undefined, "the later ones are gone");
});

test("retries double, forget starts anew", () => {
  const { queue, clock } = make();
  const waits: number[] = [];
  for (let i = 0; i < 4; i++) {
    queue.retry("a");
    let waited = 0;
    while (queue.take() === undefined) {
      clock.advance(1);
      waited++;
    }
    waits.push(waited);
    queue.done("a");
    if (i === 2) queue.forget("a");
  }
  assert.deepEqual(waits, [10, 20, 40, 10]);
});

test("close drops what waits", () => {
  const { queue, clock } = make();
  queue.add("a");
  queue.addAfter("b", 10);
  queue.close();
  clock.advance(20);
  queue.add("c");
  assert.equal(queue.take(), undefined);
});

test("any interleaving keeps the sets right and loses no key", () => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = seededRandom(seed);
    const { queue, clock } = make();
    const open = new Set<string>();
    const owed = new Set<string>();
    for (let step = 0; step < 200; step++) {
      const key = `k${random.integer(4)}`;
      const what = random.integer(4);
      if (what === 0) {
        queue.add(key);
        owed.add(key);
      } else if (what === 1) {
        queue.addAfter(key, random.integer(20));
        owed.add(key);
      } else if (what === 2) {
        const taken = queue.take();
        if (taken !== undefined) {
          assert.ok(!open.has(taken));
          open.add(taken);
        }
      } else {
        const [one] = open;
        if (one !== undefined) {
          open.delete(one);
          queue.done(one);
        }
        clock.advance(random.integer(10));
      }
      queue.check();
    }
    for (const key of open) queue.done(key);
    clock.advance(1000);
    const rest = new Set<string>();
    for (let key = queue.take(); key !== undefined; key = queue.take()) {
      rest.add(key);
      queue.done(key);
    }
    assert.ok([...rest].every((key) => owed.has(key)));
  }
});
