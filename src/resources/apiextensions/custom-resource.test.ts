import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldErrorMessage } from "#machinery/field-error.ts";
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
} from "#machinery/gen/types/apiextensions-v1.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { customResource, renamed } from "./custom-resource.ts";

const schema = (more: object = {}) => ({
  openAPIV3Schema: {
    type: "object",
    properties: {
      spec: {
        type: "object",
        properties: {
          size: { type: "integer", default: 3 },
          tags: { type: "array", "x-kubernetes-list-type": "set", items: { type: "string" } },
          ...more,
        },
      },
    },
  },
});

const version = (name: string, storage: boolean, more?: object): CustomResourceDefinitionVersion => ({
  name,
  served: true,
  storage,
  schema: schema(more),
});

const crd = (...versions: CustomResourceDefinitionVersion[]): CustomResourceDefinition => ({
  metadata: { name: "boats.sea.example.com" },
  spec: { group: "sea.example.com", scope: "Namespaced", names: { plural: "boats", kind: "Boat" }, versions },
});

const compile = (
  definition: CustomResourceDefinition,
  at = 0,
  rules?: Parameters<typeof customResource>[2]["rules"],
) =>
  customResource(definition, definition.spec.versions[at] as CustomResourceDefinitionVersion, {
    rules,
    convert: renamed,
  });

const boat = (spec: object): KubeObject => ({ metadata: { name: "a" }, spec }) as KubeObject;

test("stored values pass through as long as version and schema are the same", () => {
  const [old, newer] = [version("v1", false), version("v2", true, { rig: { type: "string" } })];
  const two = crd(old, newer);
  const [v1, v2] = [compile(two, 0), compile(two, 1)];
  assert.equal(v2.storage.epoch, v2.epoch, "what is written in the stored version");
  assert.notEqual(v1.storage.epoch, v1.epoch, "what is written in another version is looked at again");
  assert.notEqual(v1.epoch, v2.epoch);
  assert.equal(compile(crd(version("v1", true))).epoch, v1.epoch, "which version is stored changes nothing");
  assert.notEqual(compile(crd(version("v1", true, { a: { type: "string" } }))).epoch, v1.epoch);
});

test("what was stored by an older schema is pruned and gets the defaults of today", () => {
  const { conversion } = compile(crd(version("v1", true)));
  const stored = {
    apiVersion: "sea.example.com/v1",
    kind: "Boat",
    metadata: { name: "a" },
    spec: { gone: 1 },
  };
  assert.deepEqual(conversion?.fromStorage([stored]), [{ ...stored, spec: { size: 3 } }]);
  assert.deepEqual(stored.spec, { gone: 1 }, "the stored object is shared");
});

test("lists that were wrong before may stay so; others may not become wrong", () => {
  const definition = compile(crd(version("v1", true)));
  const twice = boat({ size: 1, tags: ["a", "a"] });
  const told = (next: KubeObject, old: KubeObject): string[] =>
    definition.validateUpdate(next, old).map(fieldErrorMessage);
  assert.deepEqual(told(boat({ size: 2, tags: ["a", "a"] }), twice), []);
  assert.deepEqual(told(twice, boat({ size: 1, tags: ["a"] })), [`spec.tags[1]: Duplicate value: "a"`]);
});

test("rules are not asked about objects that are wrong already", () => {
  const asked: KubeObject[] = [];
  const definition = compile(crd(version("v1", true)), 0, (object) => {
    asked.push(object);
    return [];
  });
  assert.deepEqual(definition.validate(boat({ size: 2 })), []);
  assert.equal(asked.length, 1);
  assert.deepEqual(definition.validate(boat({ size: "x" })).map(fieldErrorMessage), [
    `spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"`,
    "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
  ]);
  assert.equal(asked.length, 1);
});

test("finalizers without a path are warned of when they are added", () => {
  const { warnings } = compile(crd(version("v1", true)));
  const held = { metadata: { name: "a", finalizers: ["boats.example.com", "example.com/hold"] } };
  assert.equal(warnings(held, undefined).length, 1);
  assert.deepEqual(warnings(held, held), []);
});
