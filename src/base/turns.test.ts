import assert from "node:assert/strict";
import { test } from "node:test";
import { Turns } from "./turns.ts";

/** Holds the event loop. */
function work(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

test("whoever gives way goes on in order, and the event loop comes to its other work in between", async () => {
  const turns = new Turns();
  const order: number[] = [];
  let others = 0;
  let stopped = false;
  const other = (): void => {
    others++;
    if (!stopped) setImmediate(other);
  };
  setImmediate(other);
  await Promise.all(
    Array.from({ length: 40 }, async (_, n) => {
      const wait = turns.enter();
      if (wait !== undefined) await wait;
      order.push(n);
      work(2);
    }),
  );
  stopped = true;
  assert.deepEqual(
    order,
    Array.from({ length: 40 }, (_, n) => n),
  );
  assert.ok(others > 3, `the event loop came to others ${others} times`);
});

test("a turn that has just begun takes nobody's time", () => {
  assert.equal(new Turns().enter(), undefined);
});
