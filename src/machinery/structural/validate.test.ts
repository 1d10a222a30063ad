import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldErrorMessage } from "../field-error.ts";
import { validateEmbedded } from "./embedded.ts";
import { validateLists } from "./lists.ts";
import type { Props } from "./schema-props.ts";
import { validateValue } from "./validate.ts";

const schema: Props = {
  type: "object",
  properties: {
    spec: {
      type: "object",
      required: ["length"],
      maxProperties: 8,
      properties: {
        length: { type: "integer", minimum: 3, maximum: 300 },
        depth: { type: "number", minimum: 0, exclusiveMinimum: true, multipleOf: 0.5 },
        rig: { type: "string", enum: ["sloop", "ketch"] },
        name: { type: "string", minLength: 2, maxLength: 5, pattern: "^[a-z]+$" },
        home: { type: "string", format: "ipv4" },
        port: { "x-kubernetes-int-or-string": true },
        tags: { type: "array", maxItems: 2, "x-kubernetes-list-type": "set", items: { type: "string" } },
        crew: {
          type: "array",
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["name"],
          items: {
            type: "object",
            required: ["name"],
            properties: { name: { type: "string" }, age: { type: "integer", minimum: 14 } },
          },
        },
        note: { type: "string", nullable: true },
        engine: {
          type: "object",
          properties: { power: { type: "integer" }, sails: { type: "integer" } },
          oneOf: [{ required: ["power"] }, { required: ["sails"] }],
        },
        inner: {
          type: "object",
          "x-kubernetes-embedded-resource": true,
          "x-kubernetes-preserve-unknown-fields": true,
        },
      },
    },
  },
};

const told = (spec: unknown, before?: unknown): string[] =>
  [
    ...validateValue({ spec }, schema, "", before === undefined ? undefined : { spec: before }),
    ...validateLists({ spec }, schema, ""),
    ...validateEmbedded({ spec }, schema),
  ].map(fieldErrorMessage);

const rows: readonly [name: string, spec: unknown, ...errors: string[]][] = [
  [
    "valid",
    { length: 9, depth: 1.5, rig: "ketch", name: "alba", home: "10.0.0.1", port: "http", note: null },
  ],
  ["a whole number is a number", { length: 9, depth: 2 }],
  ["absent", {}, "spec.length: Required value"],
  [
    "of a wrong type",
    { length: "long" },
    'spec.length: Invalid value: "string": spec.length in body must be of type integer: "string"',
  ],
  [
    "not whole",
    { length: 3.5 },
    'spec.length: Invalid value: "number": spec.length in body must be of type integer: "number"',
  ],
  [
    "null",
    { length: null },
    'spec.length: Invalid value: "null": spec.length in body must be of type integer: "null"',
  ],
  [
    "too small",
    { length: 2 },
    "spec.length: Invalid value: 2: spec.length in body should be greater than or equal to 3",
  ],
  [
    "too large",
    { length: 301 },
    "spec.length: Invalid value: 301: spec.length in body should be less than or equal to 300",
  ],
  [
    "at an excluded end",
    { length: 3, depth: 0 },
    "spec.depth: Invalid value: 0: spec.depth in body should be greater than 0",
  ],
  [
    "no multiple",
    { length: 3, depth: 0.7 },
    "spec.depth: Invalid value: 0.7: spec.depth in body should be a multiple of 0.5",
  ],
  [
    "none of an enumeration",
    { length: 3, rig: "barge" },
    'spec.rig: Unsupported value: "barge": supported values: "sloop", "ketch"',
  ],
  [
    "text too long, and of other letters",
    { length: 3, name: "ABCDEF" },
    "spec.name: Too long: may not be more than 5 bytes",
    `spec.name: Invalid value: "ABCDEF": spec.name in body should match '^[a-z]+$'`,
  ],
  [
    "text too short",
    { length: 3, name: "a" },
    'spec.name: Invalid value: "a": spec.name in body should be at least 2 chars long',
  ],
  [
    "not of a format",
    { length: 3, home: "x" },
    'spec.home: Invalid value: "x": spec.home in body must be of type ipv4: "x"',
  ],
  [
    "neither integer nor text",
    { length: 3, port: true },
    'spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"',
  ],
  [
    "a set with too many, one of them twice",
    { length: 3, tags: ["a", "b", "a"] },
    "spec.tags: Too many: 3: must have at most 2 items",
    'spec.tags[2]: Duplicate value: "a"',
  ],
  [
    "a keyed list",
    { length: 3, crew: [{ name: "a", age: 3 }, { age: 20 }, { name: "a" }] },
    "spec.crew[0].age: Invalid value: 3: spec.crew[0].age in body should be greater than or equal to 14",
    "spec.crew[1].name: Required value",
    'spec.crew[2]: Duplicate value: {"name":"a"}',
  ],
  [
    "no alternative",
    { length: 3, engine: {} },
    '<nil>: Invalid value: "": "spec.engine" must validate one and only one schema (oneOf). Found none valid',
    "spec.engine.power: Required value",
  ],
  [
    "two alternatives",
    { length: 3, engine: { power: 1, sails: 2 } },
    '<nil>: Invalid value: "": "spec.engine" must validate one and only one schema (oneOf). Found 2 valid alternatives',
  ],
  [
    "an embedded object that does not say what it is",
    { length: 3, inner: { kind: "Pod" } },
    "spec.inner.apiVersion: Required value: must not be empty",
  ],
];

for (const [name, spec, ...errors] of rows)
  test(`a value: ${name}`, () => assert.deepEqual(told(spec), errors));

test("what was wrong before and did not change is not judged again", () => {
  const before = { length: 2, rig: "barge", crew: [{ name: "a", age: 3 }] };
  assert.deepEqual(told({ ...before, name: "alba" }, before), []);
  assert.deepEqual(told({ ...before, length: 1 }, before), [
    "spec.length: Invalid value: 1: spec.length in body should be greater than or equal to 3",
  ]);
  // Items of a keyed list are known by their key, wherever they stand.
  assert.deepEqual(
    told(
      {
        ...before,
        crew: [
          { name: "b", age: 30 },
          { name: "a", age: 3 },
        ],
      },
      before,
    ),
    [],
  );
  assert.equal(told({ ...before, crew: [{ name: "a", age: 4 }] }, before).length, 1);
});
