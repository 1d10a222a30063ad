import assert from "node:assert/strict";
import { test } from "node:test";
import { splitDocuments, type Documents } from "./documents.ts";

const rows: [string, string, Documents][] = [
  ["one JSON value", '{"a":1}', { values: [{ a: 1 }] }],
  [
    "JSON values one after the other",
    '{"a":"}"}\n{"b":"\\""} [1]',
    { values: [{ a: "}" }, { b: '"' }, [1]] },
  ],
  ["YAML documents", "a: 1\n---\n# nothing\n---\nb: 2\n", { values: [{ a: 1 }, { b: 2 }] }],
  ["YAML that looks like JSON", "{a: 1,}\n", { values: [{ a: 1 }] }],
  ["JSON that ends early", '{"a": {"b": 1\n', { values: [], error: "unexpected EOF" }],
  [
    "what stands before the error counts",
    "a: 1\n---\nb: c: d\n",
    {
      values: [{ a: 1 }],
      error: "error converting YAML to JSON: yaml: mapping values are not allowed in this context",
    },
  ],
  ["a byte order mark", "\uFEFFa: 1\n", { values: [{ a: 1 }] }],
  ["nothing", "", { values: [] }],
];
for (const [title, text, want] of rows)
  test(title, async () => assert.deepEqual(await splitDocuments(text), want));
