import assert from "node:assert/strict";
import { test } from "node:test";
import { fromData } from "./data.ts";
import { compileExpression } from "./expression.ts";
import type { RuleSchema } from "./rule-schema.ts";
import { typeSchema } from "./schema-type.ts";

function estimated(schema: RuleSchema, rule: string): number | undefined {
  const type = typeSchema(schema, "selfType").get(schema)?.type;
  assert.ok(type);
  const { expression, error } = compileExpression(rule, new Map([["self", type]]));
  assert.equal(error, undefined);
  return expression?.maxCost;
}

const list = (items: RuleSchema, maxItems?: number): RuleSchema => ({
  type: "array",
  items,
  ...(maxItems === undefined ? {} : { maxItems }),
});
const map = (additionalProperties: RuleSchema): RuleSchema => ({ type: "object", additionalProperties });
const text: RuleSchema = { type: "string" };
const short: RuleSchema = { type: "string", maxLength: 10 };

/** schema, rule → the most that it can cost: what fits into 3 MiB where no limit is given */
const rows: readonly (readonly [RuleSchema, string, number])[] = [
  // Each round costs 3, the names of the list and of the result 1 each; a number takes 1 byte and a comma.
  [list({ type: "number" }), "self.all(x, true)", 4_718_591],
  [list({ type: "number" }, 10), "self.all(x, true)", 32],
  [list(text), "self.all(x, true)", 3_145_727],
  [list({ type: "boolean" }), "self.all(x, true)", 1_887_437],
  [list({ type: "string", format: "date" }), "self.all(x, true)", 725_936],
  [list({ type: "string", format: "date-time" }), "self.all(x, true)", 428_963],
  [list({ type: "string", format: "duration" }), "self.all(x, true)", 2_359_295],
  [map({ type: "number" }), "self.all(x, true)", 1_348_169],
  [map(text), "self.all(x, true)", 1_179_647],
  [list(list({ type: "number" }, 10), 10), "self.all(x, x.all(y, true))", 352],
  // A tenth for each byte that is read; four bytes a character.
  [text, "self.contains('test')", 314_574],
  [short, "self.contains('test')", 5],
  [text, "self.matches('x')", 314_574],
  [short, "self.matches('x')", 6],
  [text, "self == 'test'", 2],
  [text, "self + 'abc' == 'x'", 314_575],
  [{ type: "string", enum: ["a", "bcd"] }, "self == self", 3],
  // Scalars cost one; a list literal ten.
  [{ type: "integer" }, "self > 1 && self < 5", 4],
  [{ type: "integer" }, "self in [1, 2]", 13],
  [{ type: "object", properties: { a: text } }, "has(self.a)", 2],
  [{ type: "integer" }, "self > 1 ? self == 2 : [self, self].size() == 2", 16],
  // What a macro makes is as long as what it was made from.
  [list({ type: "integer" }, 5), "self.map(x, x + 1).all(y, y > 0)", 108],
  [list(short, 5), "self.filter(x, x != '').size() == 5", 89],
];
for (const [schema, rule, cost] of rows) {
  test(`${rule} over ${JSON.stringify(schema)} costs ${cost} at most`, () => {
    assert.equal(estimated(schema, rule), cost);
  });
}

test("what runs costs no more than what was estimated", () => {
  const schema = list(short, 20);
  const type = typeSchema(schema, "selfType").get(schema)?.type;
  assert.ok(type);
  for (const rule of [
    "self.all(x, x.matches('^a+$'))",
    "self.map(x, x + x).filter(y, y.size() > 3).size() > 0",
    "self.exists_one(x, x == self[0]) || self.isSorted()",
    "self.map(x, x.split('a').join('b')).indexOf('bbbb') < 20",
  ]) {
    const { expression, error } = compileExpression(rule, new Map([["self", type]]));
    assert.equal(error, undefined);
    assert.ok(expression);
    let spent = 0;
    expression.evaluate(
      () => fromData(Array(20).fill("a".repeat(10)), type),
      1_000_000,
      (cost) => (spent = cost),
    );
    assert.ok(spent > 0 && spent <= expression.maxCost, `${rule}: ${spent} of ${expression.maxCost}`);
  }
});
