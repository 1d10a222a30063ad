// How many replicas a metric asks for: in tables, as documented.

import assert from "node:assert/strict";
import { test } from "node:test";
import { replicasByPods, replicasByRatio, replicasByShare, sum } from "./replica-count.ts";

const tolerance = { up: 0.1, down: 0.1 };

/** Pods are measured in percent of a target of 100. */
const pods: readonly (readonly [
  name: string,
  ready: readonly number[],
  unready: number,
  missing: number,
  current: number,
  wanted: number,
])[] = [
  ["twice the target doubles", [200, 200], 0, 0, 2, 4],
  ["half the target halves", [50, 50, 50, 50], 0, 0, 4, 2],
  ["it is rounded up", [110.5, 111, 112], 0, 0, 3, 4],
  ["within the tolerance nothing changes", [105, 109], 0, 0, 2, 2],
  ["at the edge of the tolerance nothing changes", [110, 110], 0, 0, 2, 2],
  ["pods that start dampen a growth", [300], 2, 0, 3, 3],
  ["pods that start do not hinder a growth that is needed even so", [400, 400], 1, 0, 3, 8],
  ["pods that start do not hinder a reduction", [50, 50], 2, 0, 4, 1],
  ["missing pods count as idle against a growth", [300, 300], 0, 1, 3, 6],
  ["missing pods count as at the target against a reduction", [10, 10], 0, 2, 4, 3],
  ["a growth that what is missing would turn around is left", [150], 0, 2, 3, 3],
];

for (const [name, ready, unready, missing, currentReplicas, wanted] of pods)
  test(`by pods: ${name}`, () => {
    const names = (letter: string, count: number): Set<string> =>
      new Set(Array.from({ length: count }, (_, at) => `${letter}${at}`));
    const groups = {
      ready: new Map(ready.map((milli, at) => [`r${at}`, milli])),
      unready: names("u", unready),
      missing: names("m", missing),
    };
    const ratioOf = (usage: ReadonlyMap<string, number>): number => sum(usage) / usage.size / 100;
    const found = replicasByPods({ groups, ratioOf, assumed: () => 100, currentReplicas, tolerance });
    assert.equal(found, wanted);
  });

test("by one value for all: the ready pods in proportion, from zero as many as the ratio, near it as many as now", () => {
  assert.equal(replicasByRatio(2, 3, 3, tolerance), 6);
  assert.equal(replicasByRatio(2, 4, 3, tolerance), 6);
  assert.equal(replicasByRatio(1.05, 3, 2, tolerance), 3);
  assert.equal(replicasByRatio(2.2, 0, 0, tolerance), 3);
  assert.equal(replicasByRatio(0, 0, 0, tolerance), 0);
});

test("by a share for each: enough to take all, and as many as now while it is near", () => {
  assert.equal(replicasByShare(10_000, 1000, { current: 3, observed: 3 }, tolerance), 10);
  assert.equal(replicasByShare(3200, 1000, { current: 3, observed: 3 }, tolerance), 3);
  assert.equal(replicasByShare(500, 1000, { current: 3, observed: 3 }, tolerance), 1);
  assert.equal(replicasByShare(2500, 1000, { current: 0, observed: 0 }, tolerance), 3);
});
