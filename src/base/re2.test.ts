import assert from "node:assert/strict";
import { test } from "node:test";
import { Pattern } from "./re2.ts";

test("finds anywhere, unless anchored", () => {
  assert.equal(Pattern.of("b+").test("abbc"), true);
  assert.equal(Pattern.of("^b+$").test("abbc"), false);
  assert.equal(Pattern.of("b+").find("abbcb"), "bb");
  assert.equal(Pattern.of("x").find("abbcb"), undefined);
  assert.deepEqual(Pattern.of("b+").findAll("abbcb"), ["bb", "b"]);
  assert.deepEqual(Pattern.of("b+").findAll("abbcb", 1), ["bb"]);
  assert.deepEqual(Pattern.of("[0-9]*").findAll("1, 2"), ["1", "", "2"]);
});

test("RE2's grammar: no backreferences, named classes", () => {
  assert.throws(() => Pattern.of("(a)\\1"));
  assert.throws(() => Pattern.of("(?=a)"));
  assert.equal(Pattern.of("^[[:alpha:]]+$").test("abc"), true);
});

test("time is linear where backtracking would not end", () => {
  assert.equal(Pattern.of("^(a+)+$").test(`${"a".repeat(10_000)}b`), false);
});
