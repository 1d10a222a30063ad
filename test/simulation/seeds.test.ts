// Simulated clusters: users act, everything fails that can, and no invariant breaks; each seed is another run.

import assert from "node:assert/strict";
import { test } from "node:test";
import { faultNames, simulate } from "#compose/simulation/simulate.ts";

const seeds = 200;
const perTest = 20;

for (let from = 1; from <= seeds; from += perTest)
  test(`seeds ${from} to ${from + perTest - 1}: whatever fails, nothing breaks, and in the end everything settles`, async () => {
    for (let seed = from; seed < from + perTest; seed++) {
      const { violations } = await simulate({ seed, minutes: 2, faults: faultNames });
      assert.deepEqual(violations, [], `npm run sim -- --seed ${seed} --minutes 2 --verbose`);
    }
  });

test("a seed gives the same run each time", async () => {
  const run = async (): Promise<string[]> => {
    const lines: string[] = [];
    await simulate({ seed: 7, minutes: 2, faults: faultNames, report: (line) => lines.push(line) });
    return lines;
  };
  const first = await run();
  assert.ok(first.length > 5);
  assert.deepEqual(await run(), first);
});
