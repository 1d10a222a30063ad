// How fast nodes of a zone may be emptied: by the zone's rate, slower or not at all when most of it is in trouble.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node } from "#machinery/gen/types/core-v1.ts";
import { EvictionGate } from "./eviction-gate.ts";

const rates = { normal: 0.1, secondary: 0.01, largeClusterNodes: 50 };
const node = (name: string, isReady: boolean, zone = "a"): Node => ({
  metadata: { name, labels: { "topology.kubernetes.io/zone": zone } },
  status: { conditions: [{ type: "Ready", status: isReady ? "True" : "Unknown" }] },
});
/** So many ready and not ready nodes in each zone. */
function gate(zones: Record<string, readonly [ready: number, notReady: number]>): EvictionGate {
  const made = new EvictionGate({ rates, unhealthyZoneThreshold: 0.55 });
  for (const [zone, [ready, notReady]] of Object.entries(zones)) {
    for (let at = 0; at < ready; at++) made.note(`${zone}-r${at}`, node(`${zone}-r${at}`, true, zone));
    for (let at = 0; at < notReady; at++) made.note(`${zone}-n${at}`, node(`${zone}-n${at}`, false, zone));
  }
  return made;
}

const cases: readonly (readonly [
  name: string,
  zones: Record<string, readonly [number, number]>,
  /** When the first and the second silent node of zone a may be emptied, in seconds. */
  first: number | undefined,
  second: number | undefined,
])[] = [
  ["a few are silent: one every ten seconds", { a: [9, 2] }, 0, 10],
  ["most of a small zone: nobody is emptied", { a: [4, 6] }, undefined, undefined],
  ["most of a large zone: one every hundred seconds", { a: [30, 40] }, 0, 100],
  ["two silent nodes of three are not yet most of a zone", { a: [1, 2] }, 0, 10],
  ["all of a zone, while others answer", { a: [0, 5], b: [5, 0] }, 0, 10],
  ["everybody: it is our own fault", { a: [0, 5], b: [0, 5] }, undefined, undefined],
];
for (const [name, zones, first, second] of cases)
  test(name, () => {
    const made = gate(zones);
    const when = (which: string): number | undefined => {
      for (let seconds = 0; seconds <= 200; seconds += 5)
        if (made.mayEvict(node(which, false), seconds * 1000)) return seconds;
      return undefined;
    };
    assert.equal(when("a-n0"), first);
    assert.equal(when("a-n1"), second);
  });

test("zones have rates of their own; one that was let through stays so, and what is gone does not count", () => {
  const made = gate({ a: [5, 1], b: [5, 1] });
  assert.ok(made.mayEvict(node("a-n0", false), 0));
  assert.ok(made.mayEvict(node("b-n0", false, "b"), 0));
  assert.ok(made.mayEvict(node("a-n0", false), 1000));
  assert.ok(!made.mayEvict(node("a-r0", false), 1000));
  for (let at = 0; at < 5; at++) made.note(`a-r${at}`, undefined);
  for (let at = 0; at < 5; at++) made.note(`b-r${at}`, undefined);
  assert.ok(!made.mayEvict(node("a-n0", false), 60_000));
});
