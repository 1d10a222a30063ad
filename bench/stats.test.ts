import assert from "node:assert/strict";
import { test } from "node:test";
import { percentile, short, table } from "./stats.ts";

test("percentiles are samples", () => {
  const samples = [5, 1, 4, 2, 3];
  assert.deepEqual(
    [0, 0.5, 0.99, 1].map((share) => percentile(samples, share)),
    [1, 3, 5, 5],
  );
  assert.ok(Number.isNaN(percentile([], 0.5)));
});

test("numbers are short, and tables line up", () => {
  assert.deepEqual([0.4142, 12.34, 1234.5, NaN].map(short), ["0.41", "12.3", "1235", "–"]);
  const text = table([
    { name: "get", ours: "41 µs", peer: "20 µs", ratio: 2.05, aim: "≤ 60 µs", met: true },
    { name: "a longer name", ours: "1 s" },
  ]);
  assert.equal(
    text,
    [
      "measured       ours   peer or floor  ratio  aim",
      "get            41 µs  20 µs          2.05   ≤ 60 µs  met",
      "a longer name  1 s",
    ].join("\n"),
  );
});
