// How long nodes may remember: by the size of the cluster, with room at the edges.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Nodes } from "#client/refs.ts";
import { checkPlan } from "#reconcile/check-plan.ts";
import { planTtl, secondsOf, stepFor } from "./ttl.ts";

test("more nodes, longer; it changes back only well below", () => {
  const seen: [number, number][] = [];
  let step = 0;
  for (const nodes of [1, 100, 101, 95, 89, 500, 501, 460, 449, 5000, 1900, 1799, 0]) {
    step = stepFor(nodes, step);
    seen.push([nodes, secondsOf(step)]);
  }
  assert.deepEqual(seen, [
    [1, 0],
    [100, 0],
    [101, 15],
    [95, 15],
    [89, 0],
    [500, 15],
    [501, 30],
    [460, 30],
    [449, 15],
    [5000, 300],
    [1900, 300],
    [1799, 60],
    [0, 0],
  ]);
});

test("a node is written once", () => {
  const node = { metadata: { name: "n" } };
  const { actions } = planTtl(node, 0);
  checkPlan({ name: "ttl", owns: [], writes: [Nodes] }, actions);
  const annotations = { "node.alpha.kubernetes.io/ttl": "0" };
  assert.deepEqual(actions[0]?.do === "patch" && actions[0].patch, { metadata: { annotations } });
  assert.deepEqual(planTtl({ metadata: { name: "n", annotations } }, 0).actions, []);
});
