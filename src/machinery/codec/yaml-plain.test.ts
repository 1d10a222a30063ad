import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readPlainYaml, splitYamlDocuments } from "./yaml-plain.ts";
import { parseYaml } from "./yaml.ts";

const root = join(import.meta.dirname, "../../..");
const files = globSync("{src,examples,test}/**/*.{yaml,yml}", { cwd: root }).sort();

test("where it answers, it answers as the whole reader does", () => {
  let answered = 0;
  for (const file of files) {
    for (const part of splitYamlDocuments(readFileSync(join(root, file), "utf8"))) {
      const found = readPlainYaml(part);
      if (found === undefined) continue;
      answered++;
      assert.deepEqual(found.value, parseYaml(part).value, file);
    }
  }
  assert.ok(answered > 4, `only ${answered} documents were plain`);
});

const plain: [string, unknown][] = [
  ["", null],
  ["# nothing\n\n", null],
  ["a: 1\nb: yes\nc: 'no'\nd: \"1\"\ne:\nf: ~\n", { a: 1, b: true, c: "no", d: "1", e: null, f: null }],
  ["a:\n  b:\n    c: x y\n  d: {}\n", { a: { b: { c: "x y" }, d: {} } }],
  ["a:\n- b: 1\n  c: 2\n- d\n-\n  e: 3\nf: []\n", { a: [{ b: 1, c: 2 }, "d", { e: 3 }], f: [] }],
  ["- a\n- - b\n", undefined],
  ["a: https://x:1/y\nb: 10.0.0.1\nc: a#b\n", { a: "https://x:1/y", b: "10.0.0.1", c: "a#b" }],
  ["__proto__: 1\nconstructor: 2\n", JSON.parse('{"__proto__":1,"constructor":2}')],
];
for (const [text, want] of plain)
  test(`reads ${JSON.stringify(text)}`, () => assert.deepEqual(readPlainYaml(text)?.value, want));

const left = [
  "a: 1\na: 2\n",
  "a: &x 1\n",
  "a: *x\n",
  "a: |\n  text\n",
  "a: >-\n  text\n",
  "a: {b: 1}\n",
  "a: [1]\n",
  "a: b: c\n",
  "a: b\n  c: d\n",
  "a: b\n   c\n",
  "a: b # comment\n",
  'a: "x\\n"\n',
  "a: 'it''s'\n",
  "a: 'open\n",
  "\ta: 1\n",
  "? a\n: b\n",
  "on: 1\n",
  "a: .inf\n",
  "<<: {}\n",
  "--- a\n",
  "a:\n  - b\n - c\n",
  "a: !!str 1\n",
  "just text\n",
];
for (const text of left)
  test(`leaves ${JSON.stringify(text)} to the whole reader`, () =>
    assert.equal(readPlainYaml(text), undefined));
