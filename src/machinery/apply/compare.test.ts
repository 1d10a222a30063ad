import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { schemaFor } from "../schema/schema.ts";
import { compare } from "./compare.ts";
import { emptySet, setOf, type FieldSet } from "./field-set.ts";
import { deduced, shapeOf, type Shape } from "./shape.ts";

function kind(name: string): Shape {
  const schema = schemaFor("", "v1", name);
  assert.ok(schema);
  return shapeOf(schema);
}

// Kind, before, after, added, modified, removed.
const changes: [string, string, string, string, string, string][] = [
  ["ConfigMap", "{}", "{}", "{}", "{}", "{}"],
  ["ConfigMap", '{"data":{"a":"1"}}', '{"data":{"a":"1"}}', "{}", "{}", "{}"],
  ["ConfigMap", '{"data":{"a":"1"}}', '{"data":{"a":"2"}}', "{}", '{"f:data":{"f:a":{}}}', "{}"],
  [
    "ConfigMap",
    '{"data":{"a":"1"}}',
    '{"data":{"b":"1"}}',
    '{"f:data":{"f:b":{}}}',
    "{}",
    '{"f:data":{"f:a":{}}}',
  ],
  ["ConfigMap", "{}", '{"data":{"a":"1"}}', '{"f:data":{".":{},"f:a":{}}}', "{}", "{}"],
  ["ConfigMap", '{"data":{"a":"1"}}', "{}", "{}", "{}", '{"f:data":{".":{},"f:a":{}}}'],
  ["ConfigMap", '{"data":{"a":"1"}}', '{"data":null}', "{}", "{}", '{"f:data":{"f:a":{}}}'],
  ["ConfigMap", '{"data":{}}', '{"data":null}', "{}", '{"f:data":{}}', "{}"],
  [
    "ConfigMap",
    '{"data":{"__proto__":"1"}}',
    '{"data":{"__proto__":"2","constructor":"x"}}',
    '{"f:data":{"f:constructor":{}}}',
    '{"f:data":{"f:__proto__":{}}}',
    "{}",
  ],
  // An atomic map is one field.
  [
    "Service",
    '{"spec":{"selector":{"a":"1"}}}',
    '{"spec":{"selector":{"a":"1","b":"2"}}}',
    "{}",
    '{"f:spec":{"f:selector":{}}}',
    "{}",
  ],
  // An atomic list too.
  [
    "Pod",
    '{"spec":{"tolerations":[{"key":"a"}]}}',
    '{"spec":{"tolerations":[{"key":"a"},{"key":"b"}]}}',
    "{}",
    '{"f:spec":{"f:tolerations":{}}}',
    "{}",
  ],
  // And an atomic struct: an owner reference is an item that is owned as a whole.
  [
    "Pod",
    '{"metadata":{"ownerReferences":[{"uid":"u","name":"a"}]}}',
    '{"metadata":{"ownerReferences":[{"uid":"u","name":"b"},{"uid":"v","name":"c"}]}}',
    '{"f:metadata":{"f:ownerReferences":{"k:{\\"uid\\":\\"v\\"}":{}}}}',
    '{"f:metadata":{"f:ownerReferences":{"k:{\\"uid\\":\\"u\\"}":{}}}}',
    "{}",
  ],
  // Sets, by value; their order does not matter.
  ["Pod", '{"metadata":{"finalizers":["a","b"]}}', '{"metadata":{"finalizers":["b","a"]}}', "{}", "{}", "{}"],
  [
    "Pod",
    '{"metadata":{"finalizers":["a","b"]}}',
    '{"metadata":{"finalizers":["b","c"]}}',
    '{"f:metadata":{"f:finalizers":{"v:\\"c\\"":{}}}}',
    "{}",
    '{"f:metadata":{"f:finalizers":{"v:\\"a\\"":{}}}}',
  ],
  // Keyed lists, by key.
  [
    "Pod",
    '{"spec":{"containers":[{"name":"a","image":"1"},{"name":"b"}]}}',
    '{"spec":{"containers":[{"name":"a","image":"2"},{"name":"c","image":"1"}]}}',
    '{"f:spec":{"f:containers":{"k:{\\"name\\":\\"c\\"}":{".":{},"f:image":{},"f:name":{}}}}}',
    '{"f:spec":{"f:containers":{"k:{\\"name\\":\\"a\\"}":{"f:image":{}}}}}',
    '{"f:spec":{"f:containers":{"k:{\\"name\\":\\"b\\"}":{".":{},"f:name":{}}}}}',
  ],
  [
    "Pod",
    '{"spec":{"containers":[{"name":"a","image":"1"},{"name":"b"}]}}',
    '{"spec":{"containers":[{"name":"b"},{"name":"a","image":"2"}]}}',
    "{}",
    '{"f:spec":{"f:containers":{"k:{\\"name\\":\\"a\\"}":{"f:image":{}}}}}',
    "{}",
  ],
  // A key that is left out is its default.
  [
    "Service",
    '{"spec":{"ports":[{"port":80}]}}',
    '{"spec":{"ports":[{"port":80,"protocol":"TCP"},{"port":80,"protocol":"UDP"}]}}',
    '{"f:spec":{"f:ports":{"k:{\\"port\\":80,\\"protocol\\":\\"TCP\\"}":{"f:protocol":{}},"k:{\\"port\\":80,\\"protocol\\":\\"UDP\\"}":{".":{},"f:port":{},"f:protocol":{}}}}}',
    "{}",
    "{}",
  ],
  // Items that share a key are looked at together.
  [
    "Pod",
    '{"spec":{"containers":[{"name":"a","env":[{"name":"X","value":"1"},{"name":"X","value":"2"}]}]}}',
    '{"spec":{"containers":[{"name":"a","env":[{"name":"X","value":"1"}]}]}}',
    "{}",
    '{"f:spec":{"f:containers":{"k:{\\"name\\":\\"a\\"}":{"f:env":{"k:{\\"name\\":\\"X\\"}":{}}}}}}',
    "{}",
  ],
];
describe("what a change did", () => {
  for (const [name, before, after, added, modified, removed] of changes) {
    it(`${name}: ${before} → ${after}`, () => {
      const found = compare(kind(name), JSON.parse(before), JSON.parse(after), emptySet);
      const text = (set: FieldSet): string => JSON.stringify(set);
      assert.deepEqual(
        [text(found.added), text(found.modified), text(found.removed)],
        [added, modified, removed],
      );
    });
  }

  it("does not look at what is ignored", () => {
    const ignored = setOf(["f:status"], ["f:metadata", "f:uid"]);
    const before = { metadata: { uid: "1", labels: { a: "1" } }, status: { phase: "x" } };
    const after = { metadata: { uid: "2", labels: { a: "2" } }, status: { phase: "y", reason: "z" } };
    const { added, modified } = compare(kind("Pod"), before, after, ignored);
    assert.equal(JSON.stringify([added, modified]), '[{},{"f:metadata":{"f:labels":{"f:a":{}}}}]');
  });

  it("takes the shape from the value where there is no schema", () => {
    const before = { a: { b: 1, c: [1, 2] }, d: "x" };
    const after = { a: { b: 2, c: [1, 3] }, d: { e: 1 } };
    const { added, modified, removed } = compare(deduced, before, after, emptySet);
    assert.equal(JSON.stringify(added), "{}");
    assert.equal(JSON.stringify(modified), '{"f:a":{"f:b":{},"f:c":{}},"f:d":{}}');
    assert.equal(JSON.stringify(removed), "{}");
    const back = compare(deduced, after, before, emptySet);
    assert.equal(JSON.stringify(back.removed), '{"f:d":{"f:e":{}}}');
  });
});
