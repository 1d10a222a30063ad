import assert from "node:assert/strict";
import { test } from "node:test";
import { alignCells, alignText } from "./tab-writer.ts";

const aligned: [string, string][] = [
  ["A\tB\nlong name\tx\n", "A           B\nlong name   x\n"],
  // The last cell belongs to no column; an empty one leaves the spaces before it.
  ["A\tB\tC\na\tb\t\n", "A     B     C\na     b     \n"],
  // A column ends where a line lacks it; the next one is no narrower.
  ["long name\tx\nalone\nA\ty\n", "long name   x\nalone\nA           y\n"],
  ["€€€€€\tx\n€\ty\n", "€€€€€   x\n€       y\n"],
  ["", ""],
];
for (const [text, want] of aligned) test(JSON.stringify(text), () => assert.equal(alignText(text), want));

test("remembered widths only grow", () => {
  const widths: number[] = [];
  assert.equal(alignCells([["seed", "1"]], widths), "seed   1\n");
  assert.equal(alignCells([["longer-name", "1"]], widths), "longer-name   1\n");
  assert.equal(alignCells([["z", "1"]], widths), "z             1\n");
});
