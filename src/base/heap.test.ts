import assert from "node:assert/strict";
import { test } from "node:test";
import { Heap } from "./heap.ts";
import { seededRandom } from "./random.ts";

test("gives everything back in order, pushes and pops mixed", () => {
  for (let seed = 1; seed < 40; seed++) {
    const random = seededRandom(seed);
    const heap = new Heap<number>((a, b) => a - b);
    let held: number[] = [];
    for (let step = 0; step < 200; step++) {
      if (random.integer(3) > 0) {
        const value = random.integer(50);
        heap.push(value);
        held.push(value);
      } else {
        held.sort((a, b) => a - b);
        assert.equal(heap.pop(), held[0]);
        held = held.slice(1);
      }
      assert.equal(heap.size, held.length);
    }
  }
});
