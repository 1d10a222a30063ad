import assert from "node:assert/strict";
import { test } from "node:test";
import type { Point, Sample } from "./exposition.ts";
import { nodeMetrics, nodeUsage, podMetrics } from "./usage.ts";

const sample = (node: Point | undefined, containers: Readonly<Record<string, Point>>): Sample => ({
  node,
  pods: new Map([["n/p", new Map(Object.entries(containers))]]),
});
const point = (atMs: number, cpuSeconds: number, startedAtMs?: number): Point => ({
  atMs,
  cpuSeconds,
  memoryBytes: 4096,
  ...(startedAtMs === undefined ? {} : { startedAtMs }),
});

interface Row {
  readonly title: string;
  readonly before?: Point;
  readonly now: Point;
  /** Thousandths of a core, and the seconds that they were measured over. */
  readonly expected: readonly [number, number] | undefined;
}

const rows: readonly Row[] = [
  { title: "the mean between two looks", before: point(0, 1), now: point(10_000, 3), expected: [200, 10] },
  { title: "at rest", before: point(0, 1), now: point(10_000, 1), expected: [0, 10] },
  { title: "one look says nothing", now: point(10_000, 3), expected: undefined },
  { title: "the same look twice", before: point(10_000, 3), now: point(10_000, 3), expected: undefined },
  { title: "a new one, from its start", now: point(60_000, 5, 40_000), expected: [250, 20] },
  { title: "one that has only just started", now: point(60_000, 5, 59_000), expected: undefined },
  {
    title: "started again in between",
    before: point(0, 100, -9e6),
    now: point(60_000, 6, 30_000),
    expected: [200, 30],
  },
  { title: "a counter that went back", before: point(0, 100), now: point(60_000, 6), expected: undefined },
];

for (const { title, before, now, expected } of rows)
  test(`usage: ${title}`, () => {
    const first = before === undefined ? undefined : sample(before, { c: before });
    const { node, pods } = nodeUsage(first, sample(now, { c: now }));
    const shown = node === undefined ? undefined : [node.cpuNanoCores / 1e6, node.windowMs / 1000];
    assert.deepEqual(shown, expected);
    assert.equal(pods.has("n/p"), expected !== undefined);
  });

test("a pod is measured when each of its containers is; its time is the oldest, its window the longest", () => {
  const before = sample(undefined, { a: point(0, 0), b: point(1000, 0) });
  const { pods } = nodeUsage(before, sample(undefined, { a: point(9000, 1), b: point(10_000, 2) }));
  const pod = pods.get("n/p");
  assert.deepEqual([pod?.atMs, pod?.windowMs], [9000, 9000]);
  const fresh = nodeUsage(before, sample(undefined, { a: point(9000, 1), new: point(10_000, 2) }));
  assert.equal(fresh.pods.size, 0);
});

test("amounts are written as the API has them", () => {
  const usage = { atMs: 15_000, windowMs: 15_034, cpuNanoCores: 281_463_938, memoryBytes: 2048 };
  assert.deepEqual(nodeMetrics({ name: "a", labels: { zone: "1" } }, usage, 16_000), {
    metadata: { name: "a", labels: { zone: "1" }, creationTimestamp: "1970-01-01T00:00:16Z" },
    timestamp: "1970-01-01T00:00:15Z",
    window: "15.034s",
    usage: { cpu: "281463938n", memory: "2Ki" },
  });
  const idle = { ...usage, cpuNanoCores: 0, memoryBytes: 1000, name: "c" };
  const pod = { atMs: 15_000, windowMs: 15_034, containers: [idle] };
  assert.deepEqual(podMetrics({ name: "p", namespace: "n" }, pod, 16_000).containers, [
    { name: "c", usage: { cpu: "0", memory: "1000" } },
  ]);
});
