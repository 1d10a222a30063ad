import { metadataOnly } from "./table.ts";
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { KubeObject } from "#machinery/meta.ts";
import { CachedObject, encodeObject, packValue } from "./stored-object.ts";

const type = { group: "", version: "v1", kind: "ConfigMap" };
const managed = '[{"manager":"m","operation":"Update","fieldsV1":{"f:data":{}}}]';

const objects: [string, Record<string, unknown>, string][] = [
  ["with managed fields", { metadata: { name: "a", labels: { l: "é" } }, data: { x: "ü" } }, managed],
  ["without managed fields", { metadata: { name: "a" }, data: { x: "1" } }, ""],
  ["with metadata alone", { metadata: { name: "a" } }, managed],
];
describe("a stored object", () => {
  for (const [name, object, text] of objects) {
    const stored = CachedObject.fromValue("/k", packValue(encodeObject(object, type, text)), 7);
    const bare = {
      kind: "ConfigMap",
      apiVersion: "v1",
      ...object,
      metadata: { resourceVersion: "7", ...(object["metadata"] as object) },
    };
    const whole =
      text === ""
        ? bare
        : { ...bare, metadata: { ...bare.metadata, managedFields: JSON.parse(text) as unknown } };

    it(`${name}: its metadata alone, parsed with the object or without it`, () => {
      const fresh = CachedObject.fromValue("/k", packValue(encodeObject(object, type, text)), 7);
      assert.deepEqual(fresh.metadataAlone, bare.metadata);
      assert.ok(Object.isFrozen(fresh.metadataAlone));
      assert.deepEqual(fresh.object.metadata, bare.metadata);
      assert.equal(fresh.metadataAlone, fresh.object.metadata);
    });

    it(`${name}: drafts are nobody else's, before and after it is parsed`, () => {
      const fresh = CachedObject.fromValue("/k", packValue(encodeObject(object, type, text)), 7);
      for (const shared of [undefined, fresh.object]) {
        const draft: KubeObject = fresh.draft();
        assert.deepEqual({ ...draft }, bare);
        assert.ok(shared === undefined || draft.metadata !== shared.metadata);
        (draft.metadata ??= {}).name = "changed";
      }
      assert.deepEqual(fresh.object, bare);
    });

    it(`${name}: bytes, object, drafts`, () => {
      assert.deepEqual(JSON.parse(stored.bytes.toString()), whole);
      assert.deepEqual(stored.object, bare);
      assert.deepEqual(stored.draft(), bare);
      assert.deepEqual(stored.draft(true), whole);
      assert.deepEqual(stored.whole, whole);
      assert.equal(stored.managedFields, text);
      assert.ok(Object.isFrozen(stored.object));
    });

    it(`${name}: an item of a list has no type`, () => {
      const item = JSON.parse(`{${stored.fields.toString()}`) as Record<string, unknown>;
      assert.deepEqual({ kind: "ConfigMap", apiVersion: "v1", ...item }, whole);
    });

    it(`${name}: its metadata alone, as bytes and looked at once`, () => {
      const expected = {
        kind: "PartialObjectMetadata",
        apiVersion: "meta.k8s.io/v1",
        metadata: whole.metadata,
      };
      assert.deepEqual(JSON.parse(metadataOnly(stored).toString()), expected);
      const fresh = stored.atRevision(stored.revision);
      assert.deepEqual(fresh.once(false), bare);
      assert.deepEqual(fresh.once(true), whole);
      assert.deepEqual(stored.once(true), whole);
    });

    it(`${name}: seen at another revision`, () => {
      const later = stored.atRevision(12345);
      assert.equal(later.object.metadata?.resourceVersion, "12345");
      assert.equal(later.managedFields, text);
      assert.deepEqual(later.atRevision(7).bytes, stored.bytes);
    });

    it(`${name}: storing the same again changes nothing`, () => {
      assert.ok(stored.sameContent(encodeObject(object, type, text), false));
      const reordered = Object.fromEntries(Object.entries(object).reverse());
      assert.ok(stored.sameContent(encodeObject(reordered, type, text), false));
      const other = { ...object, data: { x: "2" } } as KubeObject;
      assert.ok(!stored.sameContent(encodeObject(other, type, text), true));
      const otherOwner = text.replace('"m"', '"n"') || managed;
      assert.ok(!stored.sameContent(encodeObject(object, type, otherOwner), false));
      assert.ok(stored.sameContent(encodeObject(object, type, otherOwner), true));
    });
  }

  it("of the format without managed fields is read, and written in the newer one", () => {
    const object = { metadata: { name: "a" }, data: { x: "1" } };
    const { json, typeEnd, rvAt } = encodeObject(object, type, "");
    const header = Buffer.alloc(16);
    header.set([1, 1]);
    header.writeUInt32BE(typeEnd, 8);
    header.writeUInt32BE(rvAt, 12);
    const stored = CachedObject.fromValue("/k", Buffer.concat([header, json]), 7);
    assert.equal(stored.object.metadata?.resourceVersion, "7");
    assert.deepEqual(stored.whole, stored.object);
    assert.equal(stored.managedFields, "");
    assert.equal(stored.atRevision(8).object.metadata?.resourceVersion, "8");
    assert.ok(!stored.sameContent(encodeObject(object, type, ""), false));
  });

  it("of a format to come is refused", () => {
    const value = packValue(encodeObject({ metadata: { name: "a" } }, type, ""));
    value[0] = 3;
    assert.throws(() => CachedObject.fromValue("/k", value, 7), /stored format 3\/1\/0 is not known/);
  });
});
