import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "#base/random.ts";
import {
  countInBoth,
  countOf,
  formatIndexes,
  hasIndex,
  noIndexes,
  parseIndexes,
  withIndexes,
} from "./index-set.ts";

test("indexes as text", () => {
  const rows: [number[], string][] = [
    [[], ""],
    [[7], "7"],
    [[3, 4], "3,4"],
    [[1, 3, 4, 5, 7], "1,3-5,7"],
    [[0, 1, 2, 3], "0-3"],
    [[5, 0, 5, 1], "0,1,5"],
  ];
  for (const [indexes, text] of rows) {
    assert.equal(formatIndexes(withIndexes(noIndexes, indexes)), text);
    assert.deepEqual(parseIndexes(text, 100), withIndexes(noIndexes, indexes), text);
  }
});

test("indexes that a Job no longer has, and text that is none, are left out", () => {
  assert.equal(formatIndexes(parseIndexes("0-9,12", 5)), "0-4");
  assert.equal(formatIndexes(parseIndexes("a,2,,3-1,-4", 5)), "2");
  assert.equal(formatIndexes(parseIndexes(undefined, 5)), "");
});

test("as sets of numbers would do", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = seededRandom(seed);
    const some = (): Set<number> =>
      new Set(Array.from({ length: random.integer(15) }, () => random.integer(20)));
    const [a, b] = [some(), some()];
    const [one, other] = [withIndexes(noIndexes, a), withIndexes(noIndexes, b)];
    assert.equal(countOf(one), a.size, `seed ${seed}`);
    assert.equal(countInBoth(one, other), [...a].filter((index) => b.has(index)).length, `seed ${seed}`);
    assert.equal(countOf(withIndexes(one, b)), new Set([...a, ...b]).size, `seed ${seed}`);
    for (let index = 0; index < 20; index++) assert.equal(hasIndex(one, index), a.has(index), `seed ${seed}`);
    assert.deepEqual(parseIndexes(formatIndexes(one), 20), one, `seed ${seed}`);
  }
});
