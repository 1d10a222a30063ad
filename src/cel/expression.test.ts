import assert from "node:assert/strict";
import { test } from "node:test";
import {
  dynType,
  field,
  intType,
  listOf,
  mapOf,
  objectType,
  stringType,
  typeName,
  type CelType,
} from "./cel-type.ts";
import { fromData, toData } from "./data.ts";
import { compileExpression, perCallLimit } from "./expression.ts";

interface Given {
  readonly type: CelType;
  readonly value: unknown;
}
const person = objectType("Person", [field("name", stringType), field("age", intType)]);
const given: Readonly<Record<string, Given>> = {
  a: { type: intType, value: 3 },
  names: { type: listOf(stringType), value: ["x", "y", "z"] },
  ages: { type: mapOf(stringType, intType), value: { ann: 7, ben: 9 } },
  person: { type: person, value: { name: "Ann", age: 7 } },
  people: { type: listOf(person), value: [{ name: "Ann", age: 7 }, { name: "Ben" }] },
  any: { type: dynType, value: { list: [1, 2.5, "s"], n: 1, text: "t" } },
  "given.dotted": { type: stringType, value: "dotted" },
};
const variables = new Map(Object.entries(given).map(([name, { type }]) => [name, type]));

function run(text: string): unknown {
  const { expression, error } = compileExpression(text, variables);
  if (expression === undefined) return { compile: error };
  try {
    const value = expression.evaluate((name) => {
      const one = given[name];
      return one === undefined ? undefined : fromData(one.value, one.type);
    });
    return toData(value);
  } catch (thrown) {
    return { error: (thrown as Error).message };
  }
}

/** expression → the value that it has. */
const values: readonly (readonly [string, unknown])[] = [
  // Literals
  ["1 + 2 * 3", 7],
  ["-9223372036854775808", Number(-(2n ** 63n))],
  ["0x1F", 31],
  ["7u", 7],
  ["1.5e3", 1500],
  [".5 + 1.0", 1.5],
  [String.raw`"a\tb\u00e9\x41\101"`, "a\tb\u00e9AA"],
  [String.raw`r"a\tb"`, "a\\tb"],
  ["'''a\n'b'''", "a\n'b"],
  [String.raw`b"\xffé" == b"\377\303\251"`, true],
  ["[1, 2,]", [1, 2]],
  ["{'a': 1, 'b': 2}", { a: 1, b: 2 }],
  ["{'a': 1}.a", 1],
  ["true // why", true],
  // Operators
  ["7 / 2", 3],
  ["-7 / 2", -3],
  ["-7 % 3", -1],
  ["7.0 / 2.0", 3.5],
  ["'a' + 'b'", "ab"],
  ["[1] + [2]", [1, 2]],
  ["1 < 2 && 2 <= 2 && 3 > 2 && 3 >= 3", true],
  ["1 < 1.5 && 2u > 1 && 1 <= 1u", true],
  ["'a' < 'b' && b'a' < b'b' && false < true", true],
  ["1 in [1, 2] && 'a' in {'a': 1} && !(3 in [1])", true],
  ["!!true && --1 == 1", true],
  ["a > 2 ? 'big' : 'small'", "big"],
  ["[1, 2][1]", 2],
  ["{'a': {'b': 5}}['a']['b']", 5],
  ["any.n == 1.0", true],
  ["any.n < 1.5 || any.n == 'x'", true],
  // One side that decides is enough
  ["true || any.none == 1", true],
  ["any.none == 1 || true", true],
  ["any.none == 1 && false", false],
  // Fields
  ["person.name", "Ann"],
  ["has(person.name) && !has(people[1].age)", true],
  ["has(any.none)", false],
  ["given.dotted", "dotted"],
  ["ages['ann'] + ages.ben", 16],
  // Macros
  ["names.all(n, n != '')", true],
  ["names.exists(n, n == 'y')", true],
  ["names.exists_one(n, n > 'x')", false],
  ["names.existsOne(n, n == 'x')", true],
  ["names.map(n, n + n)", ["xx", "yy", "zz"]],
  ["[1, 2, 3].map(n, n > 1, n * n)", [4, 9]],
  ["[1, 2, 3].filter(n, n > 1)", [2, 3]],
  ["ages.all(name, ages[name] > 5)", true],
  ["ages.filter(name, ages[name] > 8)", ["ben"]],
  ["[[1, 2], [3]].all(l, l.exists(n, n > 1 && l.size() > 0))", true],
  ["[0, 1].exists(n, 1 / n == 1)", true],
  ["names.all(i, n, i < 3 && n != '')", true],
  ["ages.exists(name, age, name == 'ben' && age == 9)", true],
  ["[1, 2].existsOne(i, n, i == 0)", true],
  ["ages.existsOne(k, v, v > 8)", true],
  ["[1, 2].transformList(i, n, i + n)", [1, 3]],
  ["[1, 2].transformList(i, n, n > 1, i)", [1]],
  ["ages.transformMap(k, v, v + 1)", { ann: 8, ben: 10 }],
  ["ages.transformMap(k, v, v > 8, v)", { ben: 9 }],
  ["[5, 6].transformMap(i, v, v)", { 0: 5, 1: 6 }],
  ["ages.transformMapEntry(k, v, {v: k})", { 7: "ann", 9: "ben" }],
  ["ages.transformMapEntry(k, v, v > 8, {k: v})", { ben: 9 }],
  // Conversions and types
  ["int('42') + int(2.9) + int(3u)", 47],
  ["uint(3) == 3u", true],
  ["double('1.5') + double(1)", 2.5],
  ["string(1) + string(true) + string(1.5) + string(2u) + string(b'x')", "1true1.52x"],
  ["string(1e21) + ' ' + string(0.00001) + ' ' + string(100.0)", "1e+21 1e-05 100"],
  ["string(1234567.0) + ' ' + string(123456.0) + ' ' + string(0.0001)", "1.234567e+06 123456 0.0001"],
  ["bytes('é').size()", 2],
  ["bool('true') && bool(true)", true],
  ["type(1) == int && type('') == string && type(null) == null_type && type(1.0) == double", true],
  ["type([]) == list && type({}) == map && type(type(1)) == type", true],
  ["dyn(1) == 1", true],
  ["size('é\u{1F600}') + size([1]) + size({'a': 1}) + size(b'ab')", 6],
  ["'abc'.size()", 3],
  // Time
  ["string(timestamp('2024-02-29T12:30:45.5Z'))", "2024-02-29T12:30:45.5Z"],
  ["string(timestamp('2024-01-01T00:00:00+02:00'))", "2023-12-31T22:00:00Z"],
  ["timestamp(0) == timestamp('1970-01-01T00:00:00Z')", true],
  ["int(timestamp('1970-01-01T00:01:00Z'))", 60],
  ["string(duration('1h30m')) + string(duration('1.5s'))", "5400s1.5s"],
  ["timestamp('2024-01-02T00:00:00Z') - timestamp('2024-01-01T00:00:00Z') == duration('24h')", true],
  ["timestamp('2024-01-01T00:00:00Z') + duration('1m') > timestamp('2024-01-01T00:00:00Z')", true],
  ["duration('90m').getHours() + duration('90m').getMinutes() + duration('1s').getMilliseconds()", 1091],
  ["timestamp('2024-02-29T12:30:45.5Z').getFullYear()", 2024],
  ["timestamp('2024-02-29T12:30:45.5Z').getMonth()", 1],
  ["timestamp('2024-02-29T12:30:45.5Z').getDate()", 29],
  ["timestamp('2024-02-29T12:30:45.5Z').getDayOfMonth()", 28],
  ["timestamp('2024-02-29T12:30:45.5Z').getDayOfYear()", 59],
  ["timestamp('2024-02-29T12:30:45.5Z').getDayOfWeek()", 4],
  ["timestamp('2024-02-29T12:30:45.5Z').getHours('+02:00')", 14],
  ["timestamp('2024-07-01T12:30:45.5Z').getHours('Europe/Lisbon')", 13],
  ["timestamp('2024-02-29T12:30:45.5Z').getMinutes() + timestamp('2024-02-29T12:30:45.5Z').getSeconds()", 75],
  ["timestamp('2024-02-29T12:30:45.5Z').getMilliseconds()", 500],
  // Optionals
  ["optional.of(1).value()", 1],
  ["optional.none().hasValue()", false],
  ["optional.ofNonZeroValue('').hasValue() || optional.ofNonZeroValue(0).hasValue()", false],
  ["any.?none.orValue('d')", "d"],
  ["any.?n.orValue(5)", 1],
  ["any.?none.?deeper.hasValue()", false],
  ["ages[?'ann'].orValue(0) + ages[?'eve'].orValue(1)", 8],
  ["names[?5].hasValue()", false],
  ["person.?name.optMap(n, n + '!').orValue('')", "Ann!"],
  ["people[1].?age.optFlatMap(n, optional.of(n)).hasValue()", false],
  ["optional.none().or(optional.of(2)).value()", 2],
  ["[?optional.of(1), ?optional.none(), 3]", [1, 3]],
  ["{?'a': optional.of(1), ?'b': optional.none()}", { a: 1 }],
  ["optional.unwrap([optional.of(1), optional.none()])", [1]],
  ["[1, 2].first().value() + [1, 2].last().value()", 3],
];

for (const [text, expected] of values) {
  test(text, () => {
    assert.deepEqual(run(text), expected);
  });
}

/** expression → its error when it is evaluated. */
const errors: readonly (readonly [string, string])[] = [
  ["1 / 0", "division by zero"],
  ["1 % 0", "modulus by zero"],
  ["9223372036854775807 + 1", "integer overflow"],
  ["0u - 1u", "unsigned integer overflow"],
  ["names[3]", "index out of bounds: 3"],
  ["names[-1]", "index out of bounds: -1"],
  ["ages['eve']", "no such key: eve"],
  ["any.none", "no such key: none"],
  ["people[1].age", "no such key: age"],
  ["any.n + 'x' == ''", "no such overload"],
  ["int('x')", 'strconv.ParseInt: parsing "x": invalid syntax'],
  ["any.none == 1 || false", "no such key: none"],
  ["[0, 1].all(n, 1 / n == 1)", "division by zero"],
  ["optional.none().value()", "optional.none() dereference"],
  ["[1, 1].transformMapEntry(i, v, {v: i})", "insert failed: key 1 already exists"],
  ["timestamp('2024-01-01T00:00:00Z').getHours('Nowhere/At')", "unknown time zone Nowhere/At"],
];

for (const [text, message] of errors) {
  test(`${text} fails`, () => {
    assert.deepEqual(run(text), { error: message });
  });
}

/** expression → what is wrong with it, with its line and column. */
const compileErrors: readonly (readonly [string, string])[] = [
  ["nobody == 1", "1:1: undeclared reference to 'nobody' (in container '')"],
  ["person.nam", "1:7: undefined field 'nam'"],
  ["has(person.nam)", "1:4: undefined field 'nam'"],
  ["a.b", "1:2: type 'int' does not support field selection"],
  ["1 + 'a'", "1:3: found no matching overload for '_+_' applied to '(int, string)'"],
  ["'a'.startsWith(1)", "1:15: found no matching overload for 'startsWith' applied to 'string.(int)'"],
  ["a == 'x'", "1:3: found no matching overload for '_==_' applied to '(int, string)'"],
  ["a && true", "1:3: found no matching overload for '_&&_' applied to '(int, bool)'"],
  ["nothing(1)", "1:8: undeclared reference to 'nothing' (in container '')"],
  ["[1, 'a']", "1:5: expected type 'int' but found 'string'"],
  ["{'a': 1, 'b': 'c'}", "1:15: expected type 'int' but found 'string'"],
  [
    "a.all(x, true)",
    "1:1: expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)",
  ],
  ["names.all(1, true)", "1:11: argument must be a simple name"],
  ["has(a)", "1:5: invalid argument to has() macro"],
  [
    "a ==",
    `1:5: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}`,
  ],
  ["a\n  = 1", "2:3: Syntax error: token recognition error at: '='"],
  ["import == 1", "1:1: reserved identifier: import"],
  ["9223372036854775808", "1:1: invalid int literal"],
  ["duration('x')", "1:10: invalid duration argument"],
  ["timestamp('x')", "1:11: invalid timestamp argument"],
  ["'a'.matches('(')", "1:13: invalid matches argument"],
  ["'a'.matches('(?=a)')", "1:13: invalid matches argument"],
];

for (const [text, message] of compileErrors) {
  test(`${text} is refused`, () => {
    const { compile } = run(text) as { compile: string };
    assert.equal(compile.split("\n")[0], `ERROR: <input>:${message}`);
  });
}

test("cel.bind names a part of an expression, where that is allowed", () => {
  const text = "cel.bind(x, [1, 2], x.size() + x[0]) + a";
  const allowed = compileExpression(text, variables, { bind: true });
  assert.equal(
    allowed.expression?.evaluate((name) => (name === "a" ? 3n : undefined)),
    6n,
  );
  assert.match(compileExpression(text, variables).error ?? "", /undeclared reference to 'cel'/);
});

test("an error shows its line, with a mark below the place", () => {
  assert.deepEqual(run("person.name == 'x' &&\n  person.nam == 1"), {
    compile: "ERROR: <input>:2:9: undefined field 'nam'\n |   person.nam == 1\n | ........^",
  });
});

test("all that is wrong is told", () => {
  const { compile } = run("x + y") as { compile: string };
  assert.equal(compile.match(/ERROR/g)?.length, 2);
});

/** expression → its type. */
const types: readonly (readonly [string, string])[] = [
  ["1", "int"],
  ["[]", "list(dyn)"],
  ["[] + [1]", "list(int)"],
  ["names.map(n, n.size())", "list(int)"],
  ["people.filter(p, p.age > 3)", "list(Person)"],
  ["{'a': [1.0]}", "map(string, list(double))"],
  ["any.x", "dyn"],
  ["true ? any : 1", "dyn"],
  ["ages[?'x']", "optional_type(int)"],
  ["person.?name", "optional_type(string)"],
  ["quantity('1')", "kubernetes.Quantity"],
  ["type(1)", "type(int)"],
];

for (const [text, expected] of types) {
  test(`${text} is a ${expected}`, () => {
    const { expression, error } = compileExpression(text, variables);
    assert.equal(error, undefined);
    assert.equal(typeName(expression.type), expected);
  });
}

test("deep and long expressions: rows of && are flat, others end at a limit", () => {
  assert.equal(run(Array(3000).fill("true").join(" && ")), true);
  assert.match(JSON.stringify(run(Array(3000).fill("1").join(" + "))), /recursion limit exceeded/);
  assert.match(JSON.stringify(run(`${"(".repeat(1000)}1${")".repeat(1000)}`)), /recursion limit exceeded/);
  assert.match(JSON.stringify(run(`'${"a".repeat(100_001)}'`)), /expression code point size exceeds limit/);
});

test("an evaluation ends when its budget is spent", () => {
  const { expression } = compileExpression(
    "names.all(x, names.all(y, names.all(z, x + y + z != '')))",
    variables,
  );
  assert.ok(expression);
  const list = fromData(Array(100).fill("x"), listOf(stringType));
  let cost = 0;
  assert.throws(
    () =>
      expression.evaluate(
        () => list,
        perCallLimit,
        (spent) => (cost = spent),
      ),
    /operation cancelled: actual cost limit exceeded/,
  );
  assert.ok(cost > perCallLimit && cost < perCallLimit + 100, `${cost}`);
  const before = cost;
  assert.equal(
    expression.evaluate(
      () => fromData(["a"], listOf(stringType)),
      perCallLimit,
      (spent) => (cost = spent),
    ),
    true,
  );
  assert.ok(cost < 30 && before > cost);
});
