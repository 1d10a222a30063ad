import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../status.ts";
import { applyJsonPatch, jsonPatchOperationsMax } from "./json-patch.ts";

const applied: [string, unknown, unknown[], unknown][] = [
  ["add a member", { a: 1 }, [{ op: "add", path: "/b", value: 2 }], { a: 1, b: 2 }],
  ["add replaces a member", { a: 1 }, [{ op: "add", path: "/a", value: null }], { a: null }],
  ["add into a list", ["a", "c"], [{ op: "add", path: "/1", value: "b" }], ["a", "b", "c"]],
  ["add to the end", ["a"], [{ op: "add", path: "/-", value: "b" }], ["a", "b"]],
  ["add just behind the end", ["a"], [{ op: "add", path: "/1", value: "b" }], ["a", "b"]],
  ["remove a member", { a: 1, b: 2 }, [{ op: "remove", path: "/a" }], { b: 2 }],
  ["remove an item", ["a", "b"], [{ op: "remove", path: "/0" }], ["b"]],
  ["replace", { a: [1] }, [{ op: "replace", path: "/a/0", value: 2 }], { a: [2] }],
  ["replace everything", { a: 1 }, [{ op: "replace", path: "", value: [] }], []],
  ["move", { a: { b: 1 } }, [{ op: "move", from: "/a/b", path: "/c" }], { a: {}, c: 1 }],
  ["copy", { a: { b: 1 } }, [{ op: "copy", from: "/a", path: "/c" }], { a: { b: 1 }, c: { b: 1 } }],
  [
    "a copy is its own",
    { a: [1] },
    [
      { op: "copy", from: "/a", path: "/b" },
      { op: "add", path: "/b/-", value: 2 },
    ],
    { a: [1], b: [1, 2] },
  ],
  [
    "test",
    { a: { b: [1], c: 2 } },
    [{ op: "test", path: "/a", value: { c: 2, b: [1] } }],
    { a: { b: [1], c: 2 } },
  ],
  [
    "escapes",
    { "a/b": 1, "~1": 2 },
    [
      { op: "remove", path: "/a~1b" },
      { op: "remove", path: "/~01" },
    ],
    {},
  ],
  ["an empty key", { "": 1 }, [{ op: "replace", path: "/", value: 2 }], { "": 2 }],
  [
    "constructor is a key",
    { a: {} },
    [{ op: "add", path: "/a/constructor", value: "x" }],
    { a: { constructor: "x" } },
  ],
  [
    "__proto__ is a key",
    {},
    [{ op: "add", path: "/__proto__", value: { x: 1 } }],
    JSON.parse('{"__proto__":{"x":1}}'),
  ],
];
for (const [name, document, patch, want] of applied) {
  test(name, () => {
    assert.deepEqual(applyJsonPatch(structuredClone(document), patch), want);
    assert.equal(({} as Record<string, unknown>)["x"], undefined);
  });
}

const doubling = Array.from({ length: 60 }, (_, at) => ({ op: "copy", from: "/a", path: `/a/x${at}` }));
const refused: [string, unknown, unknown, number, RegExp][] = [
  ["no list", {}, {}, 400, /cannot unmarshal object/],
  [
    "too many",
    {},
    Array(jsonPatchOperationsMax + 1).fill({ op: "add", path: "/a", value: 1 }),
    413,
    /got 10001/,
  ],
  ["a failed test", { a: 1 }, [{ op: "test", path: "/a", value: 2 }], 422, /testing value \/a failed/],
  ["a test of nothing", {}, [{ op: "test", path: "/a", value: null }], 422, /nothing at "\/a"/],
  ["removing nothing", {}, [{ op: "remove", path: "/a" }], 422, /nothing at "\/a"/],
  ["replacing nothing", {}, [{ op: "replace", path: "/a", value: 1 }], 422, /nothing at "\/a"/],
  ["through nothing", {}, [{ op: "add", path: "/a/b", value: 1 }], 422, /leads through/],
  ["through an inherited member", {}, [{ op: "add", path: "/__proto__/x", value: 1 }], 422, /leads through/],
  ["through a word", { a: "x" }, [{ op: "add", path: "/a/b", value: 1 }], 422, /leads through/],
  ["behind the end", ["a"], [{ op: "add", path: "/2", value: 1 }], 422, /no place in the list/],
  ["a leading zero", ["a"], [{ op: "remove", path: "/00" }], 422, /nothing at/],
  ["no value", {}, [{ op: "add", path: "/a" }], 422, /lacks its value/],
  ["no source", {}, [{ op: "move", path: "/a" }], 422, /lacks its source/],
  ["into itself", { a: {} }, [{ op: "move", from: "/a", path: "/a/b" }], 422, /into itself/],
  ["a path without a slash", {}, [{ op: "add", path: "a", value: 1 }], 422, /does not start with/],
  ["an operation that is none", {}, ["add"], 422, /an operation is an object/],
  ["copies that double", { a: { b: "x" } }, doubling, 422, /the accumulated size increase of copy is/],
];
for (const [name, document, patch, code, why] of refused) {
  test(`refuses ${name}`, () => {
    assert.throws(
      () => applyJsonPatch(structuredClone(document), patch),
      (error) =>
        error instanceof ApiError &&
        error.code === code &&
        why.test(`${error.message} ${error.status.details?.causes?.[0]?.message ?? ""}`),
    );
  });
}
