import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalQuantity } from "./quantity-text.ts";

const rows: [string, string][] = [
  ["0", "0"],
  ["1", "1"],
  ["1000m", "1"],
  ["1024Mi", "1Gi"],
  ["1000", "1k"],
  ["1.5", "1500m"],
  ["1e3", "1e3"],
  ["1000e3", "1e6"],
  ["0.0001", "100u"],
  ["1.5Gi", "1536Mi"],
  ["0.5Ki", "512"],
  ["+5", "+5"],
  ["1.23456789012345678901Gi", "1325607178192992078n"],
  ["-1000m", "-1"],
  ["100m", "100m"],
  ["64Mi", "64Mi"],
  ["1M", "1M"],
  ["3000M", "3G"],
  ["0.1n", "1n"],
  ["1Ei", "1Ei"],
  ["", "!quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"],
  ["abc", "!quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"],
  ["1KM", "!unable to parse quantity's suffix"],
  ["1MB", "!quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"],
];
for (const [text, want] of rows) {
  test(`${JSON.stringify(text)} is written ${want}`, () => {
    const got = canonicalQuantity(text);
    assert.equal("text" in got ? got.text : `!${got.error}`, want);
  });
}
