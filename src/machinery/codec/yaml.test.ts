import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseYaml, parseYamlDocuments, printYaml, YamlError } from "./yaml.ts";
import { compareYamlKeys } from "./yaml-print.ts";

const golden = (name: string): string =>
  readFileSync(join(import.meta.dirname, "testdata", "yaml", name), "utf8");

for (const name of ["values", "keys", "shapes", "numbers"]) {
  test(`${name} print as kubectl prints them, and read back`, () => {
    const value: unknown = JSON.parse(golden(`${name}.json`));
    const text = golden(`${name}.yaml`);
    assert.equal(printYaml(value), text);
    assert.equal(printYaml(parseYaml(text).value), text);
  });
}

test("plain scalars are read as kubectl reads them", () => {
  for (const [text, want] of Object.entries(JSON.parse(golden("scalars.json")) as Record<string, unknown>)) {
    const { value } = parseYaml(`spec:\n  v: ${text}\n`);
    assert.deepEqual((value as { spec: { v: unknown } }).spec.v, want, JSON.stringify(text));
  }
});

const rows: [string, unknown][] = [
  ["", null],
  ["a: 1\nb: 2\na: 3\n", { a: 3, b: 2 }],
  ["x: &a {b: 1, c: 2}\nw: {<<: *a, c: 4}", { x: { b: 1, c: 2 }, w: { b: 1, c: 4 } }],
  ["1: a\ntrue: b\n0x10: c\n1.50: d", { 1: "a", true: "b", 16: "c", "1.5": "d" }],
  ['{"a": "\\u00e9", "b": [1, null]}', { a: "é", b: [1, null] }],
];
for (const [text, want] of rows) {
  test(`reads ${JSON.stringify(text)}`, () => assert.deepEqual(parseYaml(text).value, want));
}

test("duplicate keys are told with their line", () => {
  assert.deepEqual(parseYaml("a: 1\nm:\n  b: 2\n  b: 3\n").duplicates, [
    'line 4: key "b" already set in map',
  ]);
});

const names = Array.from("abcdefghi");
const bomb = ["a: &a [x,x,x,x,x,x,x,x,x]"]
  .concat(
    names.slice(1).map((name, i) => `${name}: &${name} [${Array<string>(9).fill(`*${names[i]}`).join()}]`),
  )
  .join("\n");
const refused: [string, string, RegExp][] = [
  ["an alias bomb", bomb, /^yaml: document contains excessive aliasing$/],
  ["a list inside itself", "a: &a [*a]", /^yaml: anchor 'a' value contains itself$/],
  ["deep nesting", "[".repeat(20_000), /^yaml: exceeded max depth$/],
  ["an unknown anchor", "a: *b", /^yaml: unknown anchor 'b' referenced$/],
  ["an open list", "a: 1\nx: [a, b\n", /^yaml: line \d: did not find expected ',' or ']'$/],
  ["two colons", "a: 1\nx: a: b", /^yaml: line 2: mapping values are not allowed in this context$/],
  ["a tab", "\tx: a", /^yaml: found character that cannot start any token$/],
  ["a list as a key", "? [a]\n: d", /invalid map key/],
  ["a null key", "null: d", /unsupported map key/],
  ["not a number", "a: .nan", /unsupported value: NaN/],
];
for (const [name, text, message] of refused) {
  test(`refuses ${name}`, () => {
    assert.throws(
      () => parseYaml(text),
      (thrown) => thrown instanceof YamlError && message.test(thrown.message),
    );
  });
}

test("documents are split at their lines, empty ones left out", () => {
  const text = "a: 1\n---\n# note\n---\nb: 2\n...\n---\n---\nc: |\n  ---\n  x\n--- # d\nd: 1";
  assert.deepEqual(
    parseYamlDocuments(text).map(({ value }) => value),
    [{ a: 1 }, { b: 2 }, { c: "---\nx\n" }, { d: 1 }],
  );
});

test("keys that name prototypes are data", () => {
  const { value } = parseYaml("__proto__: {x: 1}\nconstructor: 2");
  assert.deepEqual(Object.keys(value as object), ["__proto__", "constructor"]);
  assert.equal(printYaml(value), "__proto__:\n  x: 1\nconstructor: 2\n");
});

test("keys stand in natural order", () => {
  const sorted = ["_", "1", "2", "10", "A", "a", "a-b", "a.b", "a2", "a10", "b"];
  assert.deepEqual(sorted.toReversed().sort(compareYamlKeys), sorted);
});
