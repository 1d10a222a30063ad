import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRules, runtimeCostBudget } from "./rules.ts";

test("a schema without rules finds nothing", () => {
  const rules = compileRules({ type: "object", properties: { spec: { type: "object" } } }, "spec");
  assert.equal(rules.empty, true);
  assert.deepEqual(rules.errors, []);
  assert.deepEqual(rules.validate({}, undefined), { errors: [], remaining: runtimeCostBudget });
});
