import assert from "node:assert/strict";
import { test } from "node:test";
import { isTolerated, toleratedFor } from "./tolerations.ts";

const taint = { key: "k", value: "v", effect: "NoExecute" };

test("what tolerates a taint", () => {
  const rows: [object, boolean][] = [
    [{ operator: "Exists" }, true],
    [{ key: "k", operator: "Exists" }, true],
    [{ key: "k", operator: "Equal", value: "v" }, true],
    [{ key: "k", value: "v", effect: "NoExecute" }, true],
    [{ key: "k", operator: "Equal", value: "other" }, false],
    [{ key: "k", operator: "Exists", effect: "NoSchedule" }, false],
    [{ key: "other", operator: "Exists" }, false],
    [{}, false],
  ];
  for (const [toleration, expected] of rows)
    assert.equal(isTolerated(taint, [toleration]), expected, JSON.stringify(toleration));
});

test("how long a pod may stay", () => {
  const exists = (key: string, tolerationSeconds?: number): object => ({
    key,
    operator: "Exists",
    ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }),
  });
  const other = { key: "o", effect: "NoExecute" };
  assert.equal(toleratedFor([taint], []), "evict");
  assert.equal(toleratedFor([taint], [exists("k")]), "stay");
  assert.equal(toleratedFor([taint], [exists("k", 300)]), 300);
  assert.equal(toleratedFor([taint], [exists("k", -5)]), 0);
  assert.equal(toleratedFor([taint, other], [exists("k", 300), exists("o", 20)]), 20);
  assert.equal(toleratedFor([taint, other], [exists("k", 300)]), "evict");
  assert.equal(toleratedFor([], []), "stay");
});
