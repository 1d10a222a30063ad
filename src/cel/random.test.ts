// Whatever the expression: it compiles or says what is wrong; it evaluates, or ends in an error of its own.

import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "#base/random.ts";
import { dynType, intType, listOf, mapOf, stringType, type CelType } from "./cel-type.ts";
import { fromData } from "./data.ts";
import { compileExpression } from "./expression.ts";
import { library } from "./library/index.ts";
import { CostExceeded, EvaluationError } from "./value.ts";

const data = { s: "text-1", n: -3, f: 1.5, b: true, z: null, l: [1, "a", null], m: { a: { b: [] } } };
const declared = new Map<string, CelType>([
  ["any", dynType],
  ["n", intType],
  ["s", stringType],
  ["list", listOf(stringType)],
  ["map", mapOf(stringType, intType)],
]);
const given: Readonly<Record<string, unknown>> = {
  any: data,
  n: 7,
  s: "é😀x",
  list: ["b", "a"],
  map: { a: 1 },
};
const atoms = [
  "any",
  "n",
  "s",
  "list",
  "map",
  "1",
  "-1",
  "0",
  "2u",
  "1.5",
  "'a'",
  "''",
  "b'x'",
  "true",
  "null",
  "[]",
  "{}",
]
  .concat([
    "any.s",
    "any.n",
    "any.f",
    "any.l",
    "any.m",
    "any.z",
    "any.?q",
    "9223372036854775807",
    "'[0-9]+'",
    "'%s %d'",
  ])
  .concat([
    "'1h'",
    "'2024-01-01T00:00:00Z'",
    "'10.0.0.0/8'",
    "'1.2.3'",
    "'1Gi'",
    "'https://a/b?c=d'",
    "int",
    "string",
  ]);
const operators = ["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "in"];
const macros = ["all", "exists", "exists_one", "map", "filter"];
const twoVariableMacros = [
  "all",
  "exists",
  "existsOne",
  "transformList",
  "transformMap",
  "transformMapEntry",
];
const members = [...library].filter(([, all]) => all.some(({ member }) => member)).map(([name]) => name);
const globals = [...library]
  .filter(([name, all]) => all.some(({ member }) => !member) && /^[a-z]/i.test(name))
  .map(([name]) => name);

const rounds = 20_000;
const random = seededRandom(20);
const pick = <T>(items: readonly T[]): T => items[Math.floor(random.next() * items.length)] as T;

function expression(depth: number): string {
  if (depth === 0) return pick(atoms);
  const inner = (): string => expression(depth - 1);
  switch (Math.floor(random.next() * 11)) {
    case 0:
    case 1:
      return `(${inner()} ${pick(operators)} ${inner()})`;
    case 2:
      return `(${inner()} ? ${inner()} : ${inner()})`;
    case 3:
      return `${inner()}.${pick(members)}(${Array.from({ length: Math.floor(random.next() * 3) }, inner).join(", ")})`;
    case 4:
      return `${pick(globals)}(${Array.from({ length: Math.floor(random.next() * 3) }, inner).join(", ")})`;
    case 5:
      return `${inner()}.${pick(macros)}(x, ${inner()} == x || ${inner()})`;
    case 6:
      return `dyn(${inner()}).${pick(twoVariableMacros)}(i, x, ${inner()})`;
    case 7:
      return `${inner()}[${pick(["", "?"])}${inner()}]`;
    case 8:
      return `[${inner()}, dyn(${inner()})]`;
    case 9:
      return `{dyn(${inner()}): ${inner()}}`;
    default:
      return pick([`!${inner()}`, `-${inner()}`, `has(${inner()}.a)`, `${inner()}.?a`, `dyn(${inner()})`]);
  }
}

test("random expressions: no other end than a value, an issue or an error", () => {
  let compiled = 0;
  let values = 0;
  for (let round = 0; round < rounds; round++) {
    const text = expression(1 + Math.floor(random.next() * 3));
    try {
      const outcome = compileExpression(text, declared);
      if (outcome.expression === undefined) {
        assert.match(outcome.error, /^ERROR: <input>:1:\d+: /);
        continue;
      }
      compiled++;
      assert.ok(outcome.expression.maxCost >= 0, "a cost is a number");
      outcome.expression.evaluate((name) => fromData(given[name], declared.get(name) ?? dynType), 10_000);
      values++;
    } catch (thrown) {
      if (thrown instanceof EvaluationError || thrown instanceof CostExceeded) continue;
      assert.fail(`${text}: ${thrown instanceof Error ? (thrown.stack ?? "") : String(thrown)}`);
    }
  }
  assert.ok(compiled > rounds / 20 && values > rounds / 50, `${compiled} compiled, ${values} evaluated`);
});
