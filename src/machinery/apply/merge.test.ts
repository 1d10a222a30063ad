import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { schemaFor } from "../schema/schema.ts";
import { decodeFields } from "./field-set.ts";
import { merge } from "./merge.ts";
import { removeItems } from "./remove.ts";
import { deduced, shapeOf, type Shape } from "./shape.ts";

function kind(name: string): Shape {
  const schema = schemaFor("", "v1", name);
  assert.ok(schema);
  return shapeOf(schema);
}

const names = (list: string): string =>
  JSON.stringify({ spec: { containers: list.split(" ").map((name) => ({ name })) } });

// Kind, live, applied, together.
const merged: [string, string, string, string][] = [
  [
    "ConfigMap",
    '{"data":{"a":"1","b":"2"}}',
    '{"data":{"b":"3","c":"4"}}',
    '{"data":{"a":"1","b":"3","c":"4"}}',
  ],
  ["ConfigMap", '{"data":{"a":"1"}}', '{"data":null}', '{"data":null}'],
  ["ConfigMap", '{"data":{"a":"1"}}', '{"data":{"__proto__":"x"}}', '{"data":{"a":"1","__proto__":"x"}}'],
  [
    "Service",
    '{"spec":{"selector":{"a":"1"},"type":"NodePort"}}',
    '{"spec":{"selector":{"b":"1"}}}',
    '{"spec":{"selector":{"b":"1"},"type":"NodePort"}}',
  ],
  [
    "Pod",
    '{"metadata":{"finalizers":["a","b"]}}',
    '{"metadata":{"finalizers":["c","a"]}}',
    '{"metadata":{"finalizers":["c","a","b"]}}',
  ],
  [
    "Pod",
    '{"spec":{"containers":[{"name":"a","image":"1","tty":true}]}}',
    '{"spec":{"containers":[{"name":"a","image":"2"}]}}',
    '{"spec":{"containers":[{"name":"a","image":"2","tty":true}]}}',
  ],
  // Applied items keep their order; what only the live list has stays before the item that it stood before.
  ["Pod", names("a b c"), names("c x"), names("a b c x")],
  ["Pod", names("a c"), names("x c"), names("a x c")],
  ["Pod", names("a b c"), names("c a"), names("b c a")],
  ["Pod", names("a b"), names("x y"), names("a b x y")],
  ["Pod", names("a b c d"), names("d b"), names("a c d b")],
  // An applied item takes the place of all that share its key.
  [
    "Pod",
    '{"spec":{"containers":[{"name":"a","env":[{"name":"X","value":"1"},{"name":"X","value":"2"},{"name":"Y"}]}]}}',
    '{"spec":{"containers":[{"name":"a","env":[{"name":"X","value":"3"}]}]}}',
    '{"spec":{"containers":[{"name":"a","env":[{"name":"X","value":"3"},{"name":"Y"}]}]}}',
  ],
];
describe("a configuration over a live object", () => {
  for (const [name, live, config, want] of merged) {
    it(`${name}: ${live} + ${config}`, () => {
      const before: unknown = JSON.parse(live);
      assert.equal(JSON.stringify(merge(kind(name), before, JSON.parse(config))), want);
      assert.equal(JSON.stringify(before), live, "the live object is as it was");
    });
  }
  it("joins maps and replaces lists where there is no schema", () => {
    const found = merge(deduced, { a: { b: 1 }, l: [1] }, { a: { c: 2 }, l: [2] });
    assert.deepEqual(found, { a: { b: 1, c: 2 }, l: [2] });
  });
});

// Kind, object, what to take away, what stays.
const removed: [string, string, object, string][] = [
  ["ConfigMap", '{"data":{"a":"1","b":"2"}}', { "f:data": { "f:a": {} } }, '{"data":{"b":"2"}}'],
  ["ConfigMap", '{"data":{"a":"1"}}', { "f:data": { "f:a": {} } }, '{"data":null}'],
  ["ConfigMap", '{"data":{"a":"1"},"immutable":true}', { "f:data": {} }, '{"immutable":true}'],
  ["ConfigMap", '{"data":{}}', { "f:data": { "f:a": {} } }, '{"data":{}}'],
  ["Pod", names("a b"), { "f:spec": { "f:containers": { 'k:{"name":"a"}': {} } } }, names("b")],
  [
    "Pod",
    names("a"),
    { "f:spec": { "f:containers": { 'k:{"name":"a"}': {} } } },
    '{"spec":{"containers":null}}',
  ],
  [
    "Pod",
    '{"spec":{"containers":[{"name":"a","tty":true}]}}',
    { "f:spec": { "f:containers": { 'k:{"name":"a"}': { "f:tty": {} } } } },
    names("a"),
  ],
  [
    "Service",
    '{"spec":{"selector":{"a":"1"}}}',
    { "f:spec": { "f:selector": { "f:a": {} } } },
    '{"spec":{"selector":{"a":"1"}}}',
  ],
];
describe("an object without some paths", () => {
  for (const [name, object, paths, want] of removed) {
    it(`${name}: ${object} without ${JSON.stringify(paths)}`, () => {
      assert.equal(JSON.stringify(removeItems(kind(name), JSON.parse(object), decodeFields(paths))), want);
    });
  }
});
