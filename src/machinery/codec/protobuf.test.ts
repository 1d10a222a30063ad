import assert from "node:assert/strict";
import { test } from "node:test";
import {
  decodeProtobuf,
  decodeWatchEvent,
  encodeMessage,
  encodeProtobuf,
  encodeProtobufList,
  encodeWatchFrame,
  hasProtobuf,
  openEnvelope,
  ProtobufError,
} from "./protobuf.ts";

const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "a" } };

test("what is not a pointer is written even when empty", () => {
  const { object } = decodeProtobuf(encodeProtobuf(pod));
  assert.deepEqual(object, {
    kind: "Pod",
    apiVersion: "v1",
    metadata: { name: "a" },
    spec: { containers: [] },
    status: {},
  });
});

test("a list is the same from objects and from encoded items", () => {
  const list = { apiVersion: "v1", kind: "PodList", metadata: { resourceVersion: "7" }, items: [pod, pod] };
  const items = list.items.map((item) => encodeMessage("core/v1.Pod", item));
  assert.ok(encodeProtobufList("v1", "PodList", list.metadata, items).equals(encodeProtobuf(list)));
});

test("watch frames", () => {
  const frame = encodeWatchFrame("ADDED", encodeProtobuf(pod));
  assert.equal(frame.readUInt32BE(0), frame.length - 4);
  const event = decodeWatchEvent(frame.subarray(4));
  assert.equal(event.type, "ADDED");
  assert.equal(openEnvelope(event.object).kind, "Pod");
});

test("delete options and status have a form, tables and unknown kinds have none", () => {
  assert.ok(hasProtobuf("v1", "DeleteOptions"));
  assert.ok(hasProtobuf("v1", "Status"));
  assert.ok(hasProtobuf("apps/v1", "DeleteOptions"));
  assert.ok(!hasProtobuf("meta.k8s.io/v1", "Table"));
  assert.ok(!hasProtobuf("example.com/v1", "Pod"));
});

test("schemas within schemas: what may be a schema, a list or a truth value", () => {
  const schema = {
    type: "object",
    default: { a: [1, null, "x"] },
    enum: ["a", 1, null],
    items: { type: "string" },
    properties: {
      all: { type: "object", additionalProperties: true },
      none: { type: "object", additionalProperties: false },
      some: { type: "object", additionalProperties: { type: "string", nullable: true } },
      several: { items: [{ type: "string" }, { type: "integer" }] },
      needs: { dependencies: { a: ["b"], c: { type: "object" } } },
      number: { type: "number", maximum: 3, minimum: 0.5, multipleOf: 2 },
    },
    "x-kubernetes-int-or-string": true,
    "x-kubernetes-validations": [{ rule: "self > 1", message: "m" }],
  };
  const definition = {
    kind: "CustomResourceDefinition",
    apiVersion: "apiextensions.k8s.io/v1",
    metadata: { name: "foos.example.com" },
    spec: {
      group: "example.com",
      names: { plural: "foos", kind: "Foo" },
      scope: "Namespaced",
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    },
    status: { conditions: [], acceptedNames: { plural: "foos", kind: "Foo" }, storedVersions: ["v1"] },
  };
  assert.deepEqual(decodeProtobuf(encodeProtobuf(definition)).object, definition);
});

test("damaged bytes are refused", () => {
  const bytes = encodeProtobuf(pod);
  for (let cut = 0; cut < bytes.length - 5; cut++) {
    try {
      decodeProtobuf(bytes.subarray(0, cut));
    } catch (thrown) {
      assert.ok(thrown instanceof ProtobufError, `cut at ${cut}: ${String(thrown)}`);
    }
  }
  assert.throws(() => decodeProtobuf(Buffer.from("{}")), ProtobufError);
});

test("keys that name prototypes are data", () => {
  const data = JSON.parse('{"__proto__":"x","constructor":"y"}') as Record<string, string>;
  const bytes = encodeProtobuf({ apiVersion: "v1", kind: "ConfigMap", data } as never);
  assert.deepEqual(Object.keys(decodeProtobuf(bytes).object["data"] as object), ["__proto__", "constructor"]);
});
