import assert from "node:assert/strict";
import { test } from "node:test";
import { jsonDepthMax, JsonSyntaxError, parseJson } from "./json.ts";

const duplicates: [string, string[]][] = [
  ['{"a":1,"b":{"a":2}}', []],
  ['{"a":1,"a":2}', ['duplicate field "a"']],
  ['{"m":{"l":{"x":1,"\\u0078":2}}}', ['duplicate field "m.l.x"']],
  ['{"s":[{"n":1},{"n":1,"k":":","n":2}]}', ['duplicate field "s[1].n"']],
  ['{"a":{"b":1},"a":{"b":2}}', ['duplicate field "a"']],
  ['{"a":"x\\\\","b":"\\"a\\":1"}', []],
  ['{"__proto__":1,"__proto__":2}', ['duplicate field "__proto__"']],
];
for (const [text, want] of duplicates) {
  test(`duplicates of ${text}`, () =>
    assert.deepEqual(parseJson(text, { duplicates: true }).duplicates, want));
}

const broken: [string, string][] = [
  ["", "unexpected end of JSON input"],
  ["{", "unexpected end of JSON input"],
  ["{]", "invalid character ']' looking for beginning of object key string"],
  ["{'a':1}", "invalid character '\\'' looking for beginning of object key string"],
  ['{"a" 1}', "invalid character '1' after object key"],
  ['{"a":1 "b"}', "invalid character '\"' after object key:value pair"],
  ["[1 2]", "invalid character '2' after array element"],
  ["kind: Pod", "invalid character 'k' looking for beginning of value"],
  ["tru", "unexpected end of JSON input"],
  ["trux", "invalid character 'x' in literal true (expecting 'e')"],
  ["{}x", "invalid character 'x' after top-level value"],
  ['"a\nb"', "invalid character '\\n' in string literal"],
  ['"\\x"', "invalid character 'x' in string escape code"],
  ["1.x", "invalid character 'x' after decimal point in numeric literal"],
];
for (const [text, want] of broken) {
  test(`syntax of ${JSON.stringify(text)}`, () => {
    assert.throws(
      () => parseJson(text),
      (thrown) => thrown instanceof JsonSyntaxError && thrown.message === want,
    );
  });
}

test("nesting is bounded before anything is built", () => {
  assert.throws(() => parseJson("[".repeat(1_000_000)), /exceeded max depth/);
  const deepest = "[".repeat(jsonDepthMax) + "]".repeat(jsonDepthMax);
  assert.ok(Array.isArray(parseJson(deepest).value));
});

test("keys that name prototypes are data", () => {
  const { value } = parseJson('{"__proto__":{"x":1},"constructor":2}');
  assert.deepEqual(Object.keys(value as object), ["__proto__", "constructor"]);
  assert.equal(({} as { x?: number }).x, undefined);
});
