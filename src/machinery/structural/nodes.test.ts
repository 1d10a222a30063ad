import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeObject } from "../schema/decode.ts";
import { applyDefaults } from "./defaulting.ts";
import { customSchema } from "./nodes.ts";
import type { Props } from "./schema-props.ts";

const schema: Props = {
  type: "object",
  properties: {
    spec: {
      type: "object",
      properties: {
        known: { type: "string", default: "x" },
        maybe: { type: "string", nullable: true, default: "y" },
        free: {
          type: "object",
          "x-kubernetes-preserve-unknown-fields": true,
          properties: { a: { type: "object" } },
        },
        map: {
          type: "object",
          additionalProperties: { type: "object", properties: { n: { type: "integer", default: 1 } } },
        },
        list: {
          type: "array",
          items: { type: "object", properties: { n: { type: "integer", default: 2 } } },
        },
        inner: {
          type: "object",
          "x-kubernetes-embedded-resource": true,
          properties: { spec: { type: "object" } },
        },
      },
    },
  },
};

test("unknown fields are dropped and told, each with its path", () => {
  const raw = {
    apiVersion: "g/v1",
    kind: "K",
    metadata: { name: "a", labels: { l: "1" }, foo: 1 },
    extra: 1,
    spec: {
      known: "k",
      other: 1,
      free: { anything: { goes: 1 }, a: { b: 1 } },
      map: { k: { n: 3, m: 4 } },
      list: [{ n: 1 }, { o: 1 }],
      inner: { kind: "Pod", apiVersion: "v1", metadata: { name: "p", bar: 1 }, spec: {}, status: {} },
      __proto__x: 1,
    },
  };
  const { object, strictErrors } = decodeObject(customSchema(schema, "K"), raw);
  assert.deepEqual(strictErrors, [
    'unknown field "metadata.foo"',
    'unknown field "extra"',
    'unknown field "spec.other"',
    'unknown field "spec.free.a.b"',
    'unknown field "spec.map.k.m"',
    'unknown field "spec.list[1].o"',
    'unknown field "spec.inner.status"',
    'unknown field "spec.__proto__x"',
    'unknown field "spec.inner.metadata.bar"',
  ]);
  assert.deepEqual(object["spec"], {
    known: "k",
    maybe: "y",
    free: { anything: { goes: 1 }, a: {} },
    map: { k: { n: 3 } },
    list: [{ n: 1 }, { n: 2 }],
    inner: { kind: "Pod", apiVersion: "v1", metadata: { name: "p" }, spec: {} },
  });
});

test("keys with a meaning to the language are data", () => {
  const raw = JSON.parse('{"spec":{"map":{"__proto__":{"n":5},"constructor":{}}}}') as Record<
    string,
    unknown
  >;
  const { object } = decodeObject(customSchema(schema, "K"), raw);
  assert.equal(
    JSON.stringify(object["spec"]),
    '{"map":{"__proto__":{"n":5},"constructor":{"n":1}},"known":"x","maybe":"y"}',
  );
});

test("where unknown fields are kept everything stays", () => {
  const raw = { metadata: {}, spec: { a: 1 }, other: [1] };
  assert.deepEqual(decodeObject(customSchema({ "x-kubernetes-preserve-unknown-fields": true }, "K"), raw), {
    object: raw,
    strictErrors: [],
  });
});

test("defaults stand in for what is absent, and for null where none is allowed", () => {
  const object = { spec: { known: null, maybe: null, list: [{}, { n: 7 }], map: { a: {} } } };
  applyDefaults(object, schema);
  assert.deepEqual(object, {
    spec: { known: "x", maybe: null, list: [{ n: 2 }, { n: 7 }], map: { a: { n: 1 } } },
  });
});

test("an absent parent gets no defaults of its own", () => {
  const object = {};
  applyDefaults(object, schema);
  assert.deepEqual(object, {});
});
