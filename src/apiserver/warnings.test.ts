import assert from "node:assert/strict";
import { test } from "node:test";
import { warningHeader } from "./warnings.ts";

const utf8 = (header: string): string => Buffer.from(header, "latin1").toString();

const rows: [string, string[], string][] = [
  ["quotes and backslashes", ['unknown field "a\\b"'], '299 - "unknown field \\"a\\\\b\\""'],
  ["each once", ["a", "b", "a"], '299 - "a", 299 - "b"'],
  ["line breaks cannot end the header", ["a\r\nx: y"], '299 - "a  x: y"'],
  ["letters of other alphabets", ["поле «имя» 字"], '299 - "поле «имя» 字"'],
];
for (const [name, warnings, want] of rows) {
  test(name, () => {
    const header = warningHeader(warnings);
    assert.equal(utf8(header), want);
    assert.doesNotMatch(header, /[^\t\x20-\x7e\x80-\xff]/, "headers carry bytes");
  });
}

test("many long sentences are cut, and the rest is left out", () => {
  const many = Array.from({ length: 100 }, (_, at) => `${at} ${"字".repeat(1000)}`);
  const parts = utf8(warningHeader(many)).split(", ");
  assert.equal(parts.length, 16);
  for (const part of parts) assert.equal([...part].length, 256 + '299 - ""'.length);
});
