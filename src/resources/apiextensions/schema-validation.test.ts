import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldErrorMessage } from "#machinery/field-error.ts";
import type { Props } from "#machinery/structural/schema-props.ts";
import { validateVersionSchema } from "./schema-validation.ts";

const told = (schema: Props): string[] =>
  validateVersionSchema(
    { name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema } },
    "s",
  ).map(fieldErrorMessage);
const withSpec = (spec: Props): Props => ({ type: "object", properties: { spec } });
const at = "s.properties[spec]";

const rows: readonly [name: string, schema: Props, ...errors: string[]][] = [
  ["the smallest", { type: "object" }],
  ["one that keeps all", { type: "object", "x-kubernetes-preserve-unknown-fields": true }],
  ["no type at the root", {}, "s.type: Required value: must not be empty at the root"],
  [
    "another type at the root",
    { type: "array" },
    "s.items: Required value: must be specified",
    's.type: Invalid value: "array": must be object at the root',
  ],
  [
    "an unknown type",
    withSpec({ type: "text" }),
    `${at}.type: Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", "string"`,
  ],
  [
    "a field without a type",
    withSpec({}),
    `${at}.type: Required value: must not be empty for specified object fields`,
  ],
  [
    "items without a type",
    withSpec({ type: "array", items: {} }),
    `${at}.items.type: Required value: must not be empty for specified array items`,
  ],
  [
    "an int-or-string needs none",
    withSpec({ "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] }),
  ],
  ["a reference", withSpec({ type: "object", $ref: "#/x" }), `${at}.$ref: Forbidden: $ref is not supported`],
  [
    "unique items",
    withSpec({ type: "array", items: { type: "string" }, uniqueItems: true }),
    `${at}.uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic`,
  ],
  [
    "no other properties",
    withSpec({ type: "object", additionalProperties: false }),
    `${at}.additionalProperties: Forbidden: additionalProperties cannot be set to false`,
  ],
  [
    "properties and others",
    withSpec({
      type: "object",
      properties: { a: { type: "string" } },
      additionalProperties: { type: "string" },
    }),
    `${at}.additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive`,
  ],
  [
    "a type inside a choice",
    withSpec({ type: "string", anyOf: [{ type: "string" }] }),
    `${at}.anyOf[0].type: Forbidden: must be empty to be structural`,
  ],
  [
    "a field that only a choice has",
    withSpec({ type: "object", oneOf: [{ properties: { a: { minimum: 1 } } }] }),
    `${at}.properties[a]: Required value: because it is defined in ${at}.oneOf[0].properties[a]`,
  ],
  [
    "metadata described",
    {
      type: "object",
      properties: { metadata: { type: "object", properties: { labels: { type: "object" } } } },
    },
    "s.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified",
  ],
  [
    "names narrowed",
    {
      type: "object",
      properties: { metadata: { type: "object", properties: { name: { type: "string", maxLength: 5 } } } },
    },
  ],
  [
    "a keyed list without keys",
    withSpec({ type: "array", "x-kubernetes-list-type": "map", items: { type: "object" } }),
    `${at}.x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map`,
  ],
  [
    "a key that may be absent",
    withSpec({
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["k"],
      items: { type: "object", properties: { k: { type: "string" } } },
    }),
    `${at}.items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property`,
  ],
  [
    "a wrong default",
    withSpec({ type: "integer", default: "x" }),
    `${at}.default: Invalid value: "string": ${at}.default in body must be of type integer: "string"`,
  ],
  [
    "a default with an unknown field",
    withSpec({ type: "object", properties: {}, default: { a: 1 } }),
    `${at}.default: Invalid value: {"a":1}: must not have unknown fields`,
  ],
  [
    "an embedded object of which nothing is said",
    withSpec({ type: "object", "x-kubernetes-embedded-resource": true }),
    `${at}.properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields`,
  ],
  [
    "unknown fields not kept",
    withSpec({ type: "object", "x-kubernetes-preserve-unknown-fields": false }),
    `${at}.x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined`,
  ],
];

for (const [name, schema, ...errors] of rows)
  test(`a schema: ${name}`, () => assert.deepEqual(told(schema), errors));

test("a pattern that is none", () => {
  const [error = ""] = told(withSpec({ type: "string", pattern: "(" }));
  assert.match(
    error,
    /^s\.properties\[spec\]\.pattern: Invalid value: "\(": must be a valid regular expression, but isn't: /,
  );
});
