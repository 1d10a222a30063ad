import assert from "node:assert/strict";
import { test } from "node:test";
import { structSchema } from "../schema/schema.ts";
import { isApiError } from "../status.ts";
import { decodeBody, type BodyEncoding, type BodyExpectation, type FieldValidation } from "./body.ts";
import { encodeProtobuf } from "./protobuf.ts";
import * as yamlParser from "./yaml.ts";

const yamlEncoding: BodyEncoding = { yaml: yamlParser };

const expectation = (fieldValidation: FieldValidation): BodyExpectation => ({
  kind: { group: "", version: "v1", kind: "Pod" },
  schema: structSchema("core/v1.Pod"),
  fieldValidation,
});
const decode = (
  text: string | Buffer,
  encoding: BodyEncoding = "json",
  validation: FieldValidation = "Strict",
) => decodeBody(Buffer.from(text), encoding, expectation(validation));

const head = '"apiVersion":"v1","kind":"Pod"';
const asPod = 'Pod in version "v1" cannot be handled as a Pod: ';
const unknown =
  "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: ";

const refused: [BodyEncoding, string, string][] = [
  ["json", "", `${unknown}unexpected end of JSON input (<empty>)`],
  ["json", "{", `${unknown}unexpected end of JSON input ({)`],
  [
    "json",
    "kind: Pod",
    `${unknown}invalid character 'k' looking for beginning of value (6b696e643a20506f64)`,
  ],
  [
    "json",
    `{${head},"spec":{"containers":{}}}`,
    `${asPod}json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container`,
  ],
  [
    "json",
    `{${head},"spec":{"x":1},"metadata":{"name":"a","name":"b"}}`,
    `${asPod}strict decoding error: unknown field "spec.x", duplicate field "metadata.name"`,
  ],
  [
    "json",
    '{"apiVersion":"apps/v1","kind":"Deployment"}',
    'Deployment in version "v1" cannot be handled as a Pod: converting (v1.Deployment) to (core.Pod): unknown conversion',
  ],
  [
    "json",
    '{"apiVersion":"v1","kind":"Service"}',
    'Service in version "v1" cannot be handled as a Pod: converting (v1.Service) to (core.Pod): unknown conversion',
  ],
  [
    "json",
    '{"apiVersion":"v1","kind":"Foo"}',
    'Foo in version "v1" cannot be handled as a Pod: no kind "Foo" is registered for version "v1"',
  ],
  [
    yamlEncoding,
    "a: 1\na: 2\n",
    `${asPod}strict decoding error: unknown field "a", yaml: unmarshal errors:\n  line 2: key "a" already set in map`,
  ],
  [
    yamlEncoding,
    "a: b: c",
    "the object provided is unrecognized (must be of type Pod): yaml: mapping values are not allowed in this context (613a20623a2063)",
  ],
  [
    "protobuf",
    "k8s",
    "the object provided is unrecognized (must be of type Pod): provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] (6b3873)",
  ],
];
for (const [encoding, text, want] of refused) {
  const name = typeof encoding === "string" ? encoding : "yaml";
  test(`${name} ${JSON.stringify(text)} is refused`, () => {
    assert.throws(
      () => decode(text, encoding),
      (thrown) => isApiError(thrown, "BadRequest") && thrown.code === 400 && thrown.message === want,
    );
  });
}

test("the same object from all three encodings", () => {
  const json = decode(`{${head},"metadata":{"name":"a"}}`).object;
  const yaml = decode("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n", yamlEncoding);
  assert.deepEqual(yaml.object, json);
  const bytes = encodeProtobuf({ apiVersion: "v1", kind: "Pod", metadata: { name: "a" } } as never);
  assert.equal(decode(bytes, "protobuf").object.metadata?.name, "a");
});

test("a body without a kind is what its path says", () => {
  const { object } = decode('{"metadata":{"name":"a"}}');
  assert.deepEqual([object.apiVersion, object.kind, object.metadata?.name], ["v1", "Pod", "a"]);
  assert.deepEqual(Object.keys(object).slice(0, 3), ["kind", "apiVersion", "metadata"]);
});

test("warnings instead of errors, or neither", () => {
  const text = `{${head},"id":"x","spec":{"containers":[],"containers":[]}}`;
  assert.deepEqual(decode(text, "json", "Warn").warnings, [
    'unknown field "id"',
    'duplicate field "spec.containers"',
  ]);
  assert.deepEqual(decode(text, "json", "Ignore").warnings, []);
});

test("old spellings are rewritten before unknown fields are looked for", () => {
  const rewriteLegacy = (raw: Record<string, unknown>): string[] => {
    delete raw["id"];
    return ['unknown field "id": use metadata.name'];
  };
  const body = Buffer.from(`{${head},"id":"x"}`);
  const { warnings } = decodeBody(body, "json", { ...expectation("Strict"), rewriteLegacy });
  assert.deepEqual(warnings, ['unknown field "id": use metadata.name']);
});
