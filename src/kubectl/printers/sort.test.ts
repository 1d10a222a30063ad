import assert from "node:assert/strict";
import { test } from "node:test";
import { sortBy } from "./sort.ts";

const rows: [string, unknown[], string, unknown[]][] = [
  ["texts, numbers inside them as numbers", ["pod-10", "pod-9", "a"], "{.v}", ["a", "pod-9", "pod-10"]],
  ["numbers", [10, 9, 1], ".v", [1, 9, 10]],
  ["quantities", ["1Gi", "500Mi", "2"], "v", ["2", "500Mi", "1Gi"]],
  ["what has none comes first", ["b", undefined, "a"], ".v", [undefined, "a", "b"]],
];
for (const [title, values, field, want] of rows)
  test(title, () => {
    const items = values.map((v) => (v === undefined ? {} : { v }));
    assert.deepEqual(
      sortBy(items, (item) => item, field).sorted.map(({ v }) => v),
      want,
    );
  });

test("a field that none has is told", () => {
  assert.deepEqual(
    sortBy([{ a: 1 }], (item) => item, ".b"),
    { sorted: [], nowhere: "{.b}" },
  );
});
