import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  decodeFields,
  difference,
  emptySet,
  FieldsError,
  has,
  intersection,
  leaves,
  pathsOf,
  sameSet,
  setOf,
  union,
  without,
  type FieldSet,
} from "./field-set.ts";
import { compareElements, printPath } from "./path-element.ts";

const parse = (json: string): FieldSet => decodeFields(JSON.parse(json));
const print = (set: FieldSet): string => JSON.stringify(set);

const a = '{"f:a":{".":{},"f:b":{},"f:c":{}},"f:d":{}}';
// Left, right, what they have together, what only the left has, what both have, left without all below right's.
const operations: [string, string, string, string, string, string][] = [
  ["{}", "{}", "{}", "{}", "{}", "{}"],
  [a, "{}", a, a, "{}", a],
  [a, a, a, "{}", a, "{}"],
  [a, '{"f:a":{}}', a, '{"f:a":{"f:b":{},"f:c":{}},"f:d":{}}', '{"f:a":{}}', '{"f:d":{}}'],
  [
    a,
    '{"f:a":{"f:c":{}},"f:e":{}}',
    '{"f:a":{".":{},"f:b":{},"f:c":{}},"f:d":{},"f:e":{}}',
    '{"f:a":{".":{},"f:b":{}},"f:d":{}}',
    '{"f:a":{"f:c":{}}}',
    '{"f:a":{".":{},"f:b":{}},"f:d":{}}',
  ],
  [
    '{"f:l":{"k:{\\"n\\":\\"x\\"}":{".":{},"f:v":{}}}}',
    '{"f:l":{".":{},"k:{\\"n\\":\\"a\\"}":{}}}',
    '{"f:l":{".":{},"k:{\\"n\\":\\"a\\"}":{},"k:{\\"n\\":\\"x\\"}":{".":{},"f:v":{}}}}',
    '{"f:l":{"k:{\\"n\\":\\"x\\"}":{".":{},"f:v":{}}}}',
    "{}",
    "{}",
  ],
  ['{"f:a":{"f:b":{}}}', '{"f:a":{}}', '{"f:a":{".":{},"f:b":{}}}', '{"f:a":{"f:b":{}}}', "{}", "{}"],
];
describe("sets of field paths", () => {
  for (const [left, right, together, only, both, cut] of operations) {
    it(`${left} and ${right}`, () => {
      const [l, r] = [parse(left), parse(right)];
      assert.equal(print(union(l, r)), together, "union");
      assert.equal(print(difference(l, r)), only, "difference");
      assert.equal(print(intersection(l, r)), both, "intersection");
      assert.equal(print(without(l, r)), cut, "without");
      assert.equal(print(l), left, "the left one is as it was");
      assert.equal(print(r), right, "the right one is as it was");
    });
  }

  it("gives back the same set when nothing changes", () => {
    const set = parse(a);
    assert.equal(union(set, parse('{"f:a":{"f:b":{}}}')), set);
    assert.equal(difference(set, parse('{"f:x":{}}')), set);
    assert.equal(without(set, parse('{"f:a":{"f:x":{}}}')), set);
  });

  it("lists its paths", () => {
    assert.deepEqual([...pathsOf(parse(a))].map(printPath), [".a", ".a.b", ".a.c", ".d"]);
    assert.equal(print(leaves(parse(a))), '{"f:a":{"f:b":{},"f:c":{}},"f:d":{}}');
    assert.ok(has(parse(a), ["f:a", "f:b"]));
    assert.ok(!has(parse(a), ["f:a", "f:x"]));
    assert.ok(!has(parse('{"f:a":{"f:b":{}}}'), ["f:a"]));
    assert.ok(sameSet(setOf(["f:a"], ["f:d"], ["f:a", "f:c"], ["f:a", "f:b"]), parse(a)));
    assert.equal(setOf(), emptySet);
  });
});

describe("FieldsV1 from clients", () => {
  const canonical: [string, string][] = [
    ['{"f:b":{},"f:a":{}}', '{"f:a":{},"f:b":{}}'],
    ['{"f:a":{"f:b":{},".":{}}}', '{"f:a":{".":{},"f:b":{}}}'],
    ['{"f:a":{".":{}}}', '{"f:a":{}}'],
    ['{"k:{\\"b\\":1, \\"a\\":\\"x\\"}":{}}', '{"k:{\\"a\\":\\"x\\",\\"b\\":1}":{}}'],
    [
      '{"i:1":{},"v:\\"x\\"":{},"k:{\\"a\\":1}":{},"f:z":{}}',
      '{"f:z":{},"k:{\\"a\\":1}":{},"v:\\"x\\"":{},"i:1":{}}',
    ],
    ['{"f:__proto__":{},"f:constructor":{}}', '{"f:__proto__":{},"f:constructor":{}}'],
  ];
  for (const [given, want] of canonical) it(given, () => assert.equal(print(parse(given)), want));
  for (const bad of [
    "[]",
    '"x"',
    '{"a":{}}',
    '{"f:a":null}',
    '{"k:x":{}}',
    '{"k:[]":{}}',
    '{"v:":{}}',
    '{"i:x":{}}',
  ]) {
    it(`refuses ${bad}`, () => assert.throws(() => parse(bad), FieldsError));
  }
});

describe("path elements", () => {
  const ordered = [
    "f:a",
    "f:b",
    'k:{"port":80,"protocol":"TCP"}',
    'k:{"port":80,"protocol":"UDP"}',
    'k:{"port":443,"protocol":"TCP"}',
    "v:2",
    "v:10",
    'v:"a"',
    "v:true",
    "i:2",
    "i:10",
  ];
  it("have one order", () => {
    assert.deepEqual([...ordered].reverse().sort(compareElements), ordered);
  });
  it("are printed as conflicts name them", () => {
    assert.equal(
      printPath(["f:spec", "f:ports", 'k:{"port":80,"protocol":"TCP"}', "f:a.b/c", 'v:"x"', "v:1", "i:3"]),
      '.spec.ports[port=80,protocol="TCP"].a.b/c[="x"][=1][3]',
    );
  });
});
