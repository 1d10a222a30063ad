import assert from "node:assert/strict";
import { test } from "node:test";
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  quantityMilli,
  quantityValue,
} from "./quantity.ts";

test("canonical forms", () => {
  const rows: [string | number, string][] = [
    ["0", "0"],
    ["100m", "100m"],
    ["0.1", "100m"],
    ["1000m", "1"],
    ["1.5", "1500m"],
    ["1024Mi", "1Gi"],
    ["1.5Gi", "1536Mi"],
    ["1024", "1024"],
    ["1000", "1k"],
    ["1500k", "1500k"],
    ["12e6", "12e6"],
    ["1e3", "1e3"],
    ["0.5Mi", "512Ki"],
    ["+5", "5"],
    ["-1Ki", "-1Ki"],
    [".5", "500m"],
    ["100u", "100u"],
    ["1n", "1n"],
    ["0.1n", "1n"],
    [2, "2"],
    ["1Ei", "1Ei"],
    ["1100Ki", "1100Ki"],
    ["10G", "10G"],
  ];
  for (const [text, canonical] of rows) assert.equal(canonicalQuantity(text), canonical, String(text));
  for (const bad of ["", "1.2.3", "abc", "1 Gi", "1gi", "0x10", "--1", "1KiB", "."])
    assert.throws(() => canonicalQuantity(bad), /quantities must match/, bad);
});

test("values, sums, order", () => {
  assert.equal(quantityValue("1500m"), 2);
  assert.equal(quantityValue("2Gi"), 2147483648);
  assert.equal(quantityMilli("0.0001"), 1);
  assert.equal(quantityMilli("2"), 2000);
  assert.equal(addQuantities("500m", "0.5"), "1");
  assert.equal(addQuantities("1Gi", "1Mi"), "1025Mi");
  assert.equal(compareQuantities("1Gi", "1G"), 1);
  assert.equal(compareQuantities("1000m", "1"), 0);
});
