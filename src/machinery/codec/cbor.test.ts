import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { brotliDecompressSync } from "node:zlib";
import { CborError, decodeCbor, decodeCborSequence, encodeCbor } from "./cbor.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

/** Without the three bytes that say what it is. */
const encoded: [unknown, string][] = [
  [null, "f6"],
  [true, "f5"],
  [false, "f4"],
  [0, "00"],
  [23, "17"],
  [24, "18 18"],
  [255, "18 ff"],
  [256, "19 0100"],
  [65_536, "1a 00010000"],
  [4_294_967_296, "1b 0000000100000000"],
  [-1, "20"],
  [-256, "38 ff"],
  [1.5, "fa 3fc00000"],
  [0.1, "fb 3fb999999999999a"],
  ["", "40"],
  ["abc", "43 616263"],
  ["ü", "42 c3bc"],
  [[1, [2]], "82 01 81 02"],
  [{ a: 1, b: undefined }, "a1 41 61 01"],
];
for (const [value, bytes] of encoded) {
  test(`writes ${JSON.stringify(value)}`, () => {
    assert.equal(encodeCbor(value).toString("hex"), `d9d9f7${bytes.replaceAll(" ", "")}`);
    assert.deepEqual(decodeCbor(encodeCbor(value)).value, JSON.parse(JSON.stringify(value)));
  });
}

const decoded: [string, unknown][] = [
  ["63 616263", "abc"],
  ["d9d9f7 43 616263", "abc"],
  ["d6 43 010203", "AQID"],
  ["d5 43 fbffbf", "-_-_"],
  ["d7 42 0aff", "0aff"],
  ["c0 74 323031332d30332d32315432303a30343a30305a", "2013-03-21T20:04:00Z"],
  ["f9 3e00", 1.5],
  ["f9 0001", 2 ** -24],
  ["a1 61 61 f6", { a: null }],
  ["3b 7fffffffffffffff", -(2 ** 63)],
];
for (const [bytes, value] of decoded) {
  test(`reads ${bytes}`, () => assert.deepEqual(decodeCbor(hex(bytes)).value, value));
}

const refused: [string, RegExp][] = [
  ["", /unexpected EOF/],
  ["43 6162", /unexpected EOF/],
  ["9f 01 ff", /indefinite length/],
  ["f7", /simple value 23/],
  ["f9 7e00", /NaN/],
  ["fa 7f800000", /infinities/],
  ["a1 01 02", /map keys must be strings/],
  ["42 c328", /invalid UTF-8/],
  ["c1 00", /tag 1 is not allowed/],
  ["1b ffffffffffffffff", /overflows int64/],
  ["01 02", /1 bytes of extraneous data/],
  ["81".repeat(70) + "00", /nested level 64/],
  ["9a ffffffff", /unexpected EOF/],
];
for (const [bytes, why] of refused) {
  test(`refuses ${bytes.slice(0, 30)}`, () =>
    assert.throws(
      () => decodeCbor(hex(bytes)),
      (error) => error instanceof CborError && why.test(error.message),
    ));
}

test("repeated keys are told with their path; the last one counts", () => {
  const { value, duplicates } = decodeCbor(hex("a1 41 61 81 a2 41 62 01 41 62 02"));
  assert.deepEqual(value, { a: [{ b: 2 }] });
  assert.deepEqual(duplicates, ['duplicate field "a[0].b"']);
});

test("keys that name prototypes are data", () => {
  const value = JSON.parse('{"__proto__":"x","constructor":"y"}') as object;
  const back = decodeCbor(encodeCbor(value)).value as object;
  assert.deepEqual(Object.keys(back), ["__proto__", "constructor"]);
});

test("a sequence may break anywhere", () => {
  const whole = Buffer.concat([encodeCbor({ a: 1 }), encodeCbor({ b: "two" })]);
  for (let cut = 0; cut <= whole.length; cut++) {
    const first = decodeCborSequence(whole.subarray(0, cut));
    const second = decodeCborSequence(Buffer.concat([first.rest, whole.subarray(cut)]));
    assert.deepEqual([...first.values, ...second.values], [{ a: 1 }, { b: "two" }], `cut at ${cut}`);
  }
});

test("all published API fixtures survive", () => {
  const packed = readFileSync(join(import.meta.dirname, "testdata", "api", "published.json.br"));
  const files = JSON.parse(brotliDecompressSync(packed).toString()) as Record<string, string>;
  const names = Object.keys(files).filter((name) => /^HEAD\/.*\.json$/.test(name));
  assert.ok(names.length > 175);
  for (const name of names) {
    const value = JSON.parse(files[name] ?? "") as unknown;
    assert.equal(JSON.stringify(decodeCbor(encodeCbor(value)).value), JSON.stringify(value), name);
  }
});
