import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isObject, type JsonObject } from "../json-object.ts";
import { schemaFor } from "../schema/schema.ts";
import { decodeFields, emptySet } from "./field-set.ts";
import { noEntries, unowned, type ManagedEntries, type Operation } from "./managed-entries.ts";
import { afterUpdate, apply, ApplyConflict } from "./ownership.ts";
import { deduced, shapeOf } from "./shape.ts";
import { compareVersions, fitToShape, type Versions } from "./versions.ts";

/** v1 says `size` where v2 says `count`; v3 is served no longer. */
function renamed(object: unknown, from: string, to: string): unknown {
  if (!isObject(object) || !isObject(object["spec"])) return object;
  const { [from]: value, ...spec } = object["spec"];
  return { ...object, spec: value === undefined ? spec : { ...spec, [to]: value } };
}
const names: Record<string, string> = { v1: "size", v2: "count" };

function versionsFrom(writer: string): Versions {
  const here = names[writer] as string;
  return (apiVersion) => {
    const there = names[apiVersion];
    if (there === undefined) return undefined;
    return {
      shape: deduced,
      from: (object) => renamed(object, here, there),
      to: (object) => renamed(object, there, here),
    };
  };
}

/** Kept as v1. */
class Widget {
  object: unknown = { metadata: { name: "w" } };
  entries: ManagedEntries = noEntries;

  #writer(manager: string, apiVersion: string, operation: Operation) {
    return { manager, operation, apiVersion, subresource: "", time: "t" };
  }

  update(manager: string, apiVersion: string, spec: JsonObject): void {
    const own = names[apiVersion] as string;
    const before = renamed(this.object, "size", own);
    const after = { metadata: { name: "w" }, spec };
    const written = { apiVersion, shape: deduced, ignored: unowned };
    const compared = compareVersions(written, before, after, versionsFrom(apiVersion));
    const writer = this.#writer(manager, apiVersion, "Update");
    this.entries = afterUpdate({ entries: this.entries, compared, writer });
    this.object = renamed(after, own, "size");
  }

  apply(manager: string, apiVersion: string, spec: JsonObject): void {
    const own = names[apiVersion] as string;
    const { object, entries } = apply({
      shape: deduced,
      zero: { metadata: {} },
      live: renamed(this.object, "size", own),
      config: { metadata: { name: "w" }, spec },
      entries: this.entries,
      writer: this.#writer(manager, apiVersion, "Apply"),
      force: false,
      ignored: unowned,
      versions: versionsFrom(apiVersion),
    });
    this.object = renamed(object, own, "size");
    this.entries = entries;
  }

  get spec(): unknown {
    return (this.object as JsonObject)["spec"];
  }

  get owners(): string[] {
    return this.entries.map(
      ({ manager, apiVersion, fields }) => `${manager} ${apiVersion} ${JSON.stringify(fields)}`,
    );
  }
}

describe("managers of several versions", () => {
  it("lose what an update of another version changes", () => {
    const widget = new Widget();
    widget.update("one", "v1", { size: 1, color: "red" });
    widget.update("two", "v2", { count: 2, color: "red" });
    assert.deepEqual(widget.owners, [
      'one v1 {"f:spec":{".":{},"f:color":{}}}',
      'two v2 {"f:spec":{"f:count":{}}}',
    ]);
  });

  it("conflict with an apply of another version", () => {
    const widget = new Widget();
    widget.apply("one", "v1", { size: 1 });
    assert.throws(
      () => widget.apply("two", "v2", { count: 2 }),
      (thrown) => thrown instanceof ApplyConflict && thrown.conflicts[0]?.path.join("") === "f:specf:size",
    );
    widget.apply("two", "v2", { count: 1 });
    assert.deepEqual(widget.owners, [
      'one v1 {"f:spec":{".":{},"f:size":{}}}',
      'two v2 {"f:spec":{".":{},"f:count":{}}}',
    ]);
  });

  it("keep what another one applied in its version and no longer does", () => {
    const widget = new Widget();
    widget.apply("one", "v1", { size: 1, color: "red" });
    widget.apply("two", "v2", { count: 1 });
    widget.apply("one", "v1", {});
    assert.deepEqual(widget.spec, { size: 1 });
  });

  it("may go over to another version", () => {
    const widget = new Widget();
    widget.apply("one", "v1", { size: 1, color: "red" });
    widget.apply("one", "v2", { color: "red" });
    assert.deepEqual(widget.spec, { color: "red" });
    assert.deepEqual(widget.owners, ['one v2 {"f:spec":{".":{},"f:color":{}}}']);
  });

  it("of a version that is gone own nothing any more", () => {
    const widget = new Widget();
    widget.update("one", "v1", { size: 1 });
    const [entry] = widget.entries;
    assert.ok(entry);
    widget.entries = [...widget.entries, { ...entry, manager: "old", apiVersion: "v3" }];
    widget.update("one", "v1", { size: 2 });
    assert.deepEqual(widget.owners, ['one v1 {"f:spec":{".":{},"f:size":{}}}']);
  });
});

describe("a set after its schema has changed", () => {
  it("owns as a whole what it owned in parts", () => {
    const schema = schemaFor("", "v1", "Service");
    assert.ok(schema);
    const shape = shapeOf(schema);
    const parts = decodeFields({ "f:spec": { "f:selector": { ".": {}, "f:a": {} }, "f:type": {} } });
    assert.equal(JSON.stringify(fitToShape(shape, parts)), '{"f:spec":{"f:selector":{},"f:type":{}}}');
    const fine = decodeFields({ "f:spec": { "f:selector": {}, "f:type": {} } });
    assert.equal(fitToShape(shape, fine), fine);
    assert.equal(fitToShape(shape, emptySet), emptySet);
  });
});
