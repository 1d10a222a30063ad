import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { schemaFor } from "../schema/schema.ts";
import { appliedSet, errorsText, withStructs } from "./applied-set.ts";
import { decodeFields, emptySet } from "./field-set.ts";
import { shapeOf, type Shape } from "./shape.ts";

function kind(name: string): Shape {
  const schema = schemaFor("", "v1", name);
  assert.ok(schema);
  return shapeOf(schema);
}

// Kind, configuration, what it owns.
const owned: [string, string, string][] = [
  ["ConfigMap", "{}", "{}"],
  ["ConfigMap", '{"data":{"b":"1","a":"2"}}', '{"f:data":{"f:a":{},"f:b":{}}}'],
  ["ConfigMap", '{"data":{}}', '{"f:data":{}}'],
  ["ConfigMap", '{"data":null}', '{"f:data":{}}'],
  [
    "Pod",
    '{"metadata":{"labels":{"a":"b"},"finalizers":["x/y"]}}',
    '{"f:metadata":{"f:finalizers":{"v:\\"x/y\\"":{}},"f:labels":{"f:a":{}}}}',
  ],
  ["Pod", '{"metadata":{"finalizers":[]}}', "{}"],
  [
    "Pod",
    '{"spec":{"containers":[{"name":"c","ports":[{"containerPort":80}],"resources":{},"command":["a"]}],"volumes":[{"name":"v","emptyDir":{}}]}}',
    '{"f:spec":{"f:containers":{"k:{\\"name\\":\\"c\\"}":{".":{},"f:command":{},"f:name":{},"f:ports":{"k:{\\"containerPort\\":80,\\"protocol\\":\\"TCP\\"}":{".":{},"f:containerPort":{}}},"f:resources":{}}},"f:volumes":{"k:{\\"name\\":\\"v\\"}":{".":{},"f:emptyDir":{},"f:name":{}}}}}',
  ],
  [
    "Service",
    '{"spec":{"selector":{"a":"b"},"clusterIPs":["x"]}}',
    '{"f:spec":{"f:clusterIPs":{},"f:selector":{}}}',
  ],
];
it("a JSON schema may stand where a boolean or a list could, also below what is owned as a whole", () => {
  const schema = schemaFor("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
  assert.ok(schema);
  const openAPIV3Schema = {
    type: "array",
    items: { type: "object", additionalProperties: { type: "string" } },
  };
  const config = { spec: { versions: [{ name: "v1", schema: { openAPIV3Schema } }] } };
  assert.deepEqual(appliedSet(shapeOf(schema), config, emptySet).errors, []);
});

describe("what a configuration speaks for", () => {
  for (const [name, config, want] of owned) {
    it(`${name}: ${config}`, () => {
      const { set, errors } = appliedSet(kind(name), JSON.parse(config), emptySet);
      assert.deepEqual(errors, []);
      assert.equal(JSON.stringify(set), want);
    });
  }
});

// Kind, configuration, what is wrong with it.
const wrong: [string, string, string][] = [
  ["Pod", '{"foo":1}', ".foo: field not declared in schema"],
  [
    "Pod",
    '{"spec":{"containers":[{"name":"c","foo":1}]}}',
    '.spec.containers[name="c"].foo: field not declared in schema',
  ],
  [
    "Pod",
    '{"spec":{"containers":[{"image":"c"}]}}',
    '.spec.containers: element 0: associative list with keys has an element that omits key field "name" (and doesn\'t have default value)',
  ],
  [
    "Pod",
    '{"spec":{"containers":[{"name":"c","env":[{"name":"A"},{"name":"A"}],"ports":[{"containerPort":93},{"containerPort":93,"protocol":"TCP"}]}]}}',
    'errors:\n  .spec.containers[name="c"].env: duplicate entries for key [name="A"]\n  .spec.containers[name="c"].ports: duplicate entries for key [containerPort=93,protocol="TCP"]',
  ],
  [
    "ReplicationController",
    '{"spec":{"replicas":"lots"}}',
    ".spec.replicas: expected numeric (int or float), got string",
  ],
  [
    "ConfigMap",
    '{"data":{"a":["10.1"]}}',
    '.data.a: expected string, got &value.valueUnstructured{Value:[]interface {}{"10.1"}}',
  ],
  ["ConfigMap", '{"data":{"a":5}}', ".data.a: expected string, got &value.valueUnstructured{Value:5}"],
  ["ConfigMap", '{"data":["x"]}', ".data: expected map, got &{[x]}"],
  ["ConfigMap", '{"immutable":"yes"}', ".immutable: expected boolean, got &{yes}"],
  ["Pod", '{"spec":{"containers":{"name":"x"}}}', ".spec.containers: expected list, got &{map[name:x]}"],
  ["Pod", '{"spec":{"tolerations":[{"foo":1}]}}', ".spec.tolerations[0].foo: field not declared in schema"],
];
describe("a configuration that does not fit", () => {
  for (const [name, config, want] of wrong) {
    it(`${name}: ${config}`, () => {
      const { errors } = appliedSet(kind(name), JSON.parse(config), emptySet);
      assert.equal(errorsText(errors), want);
    });
  }
});

describe("a set with the structs above its paths", () => {
  it("takes in structs, not lists, maps and their items", () => {
    const set = decodeFields({
      "f:metadata": { "f:labels": { "f:a": {} } },
      "f:spec": { "f:containers": { 'k:{"name":"c"}': { "f:livenessProbe": { "f:periodSeconds": {} } } } },
    });
    assert.equal(
      JSON.stringify(withStructs(kind("Pod"), set)),
      '{"f:metadata":{".":{},"f:labels":{".":{},"f:a":{}}},"f:spec":{".":{},"f:containers":{".":{},"k:{\\"name\\":\\"c\\"}":{"f:livenessProbe":{".":{},"f:periodSeconds":{}}}}}}',
    );
  });
});
