import assert from "node:assert/strict";
import { test } from "node:test";
import { badTime } from "./go-time.ts";

test("times, and what is wrong with others", () => {
  const as = ' as "2006-01-02T15:04:05Z07:00": cannot parse';
  const rows: [string, string | undefined][] = [
    ["2026-01-01T00:00:00Z", undefined],
    ["2024-02-29T23:59:59.123456789+02:00", undefined],
    ["x", `${as} "x" as "2006"`],
    ["", `${as} "" as "2006"`],
    ["2020-01-01", `${as} "" as "T"`],
    ["2020-01-01 00:00:00Z", `${as} " 00:00:00Z" as "T"`],
    ["2020-01-01T00:00:00", `${as} "" as "Z07:00"`],
    ["2020-13-01T00:00:00Z", ": month out of range"],
    ["2023-02-29T00:00:00Z", ": day out of range"],
    ["2020-01-01T25:00:00Z", ": hour out of range"],
    ["2020-01-01T00:00:00Zx", ': extra text: "x"'],
  ];
  for (const [text, why] of rows)
    assert.equal(badTime(text), why === undefined ? undefined : `parsing time ${JSON.stringify(text)}${why}`);
});
