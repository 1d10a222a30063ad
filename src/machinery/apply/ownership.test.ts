import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { JsonObject } from "../json-object.ts";
import { decodeObject } from "../schema/decode.ts";
import { schemaFor } from "../schema/schema.ts";
import { conflictCauses, conflictMessage } from "./conflict-text.ts";
import { noEntries, sameButTimes, unowned, type ManagedEntries, type Operation } from "./managed-entries.ts";
import { afterUpdate, apply, ApplyConflict, lastAppliedAnnotation } from "./ownership.ts";
import { shapeOf } from "./shape.ts";
import { compareVersions } from "./versions.ts";

/** One object in the hands of several managers. A manager is `name`, or `name/subresource`. */
class Shared {
  object: JsonObject;
  entries: ManagedEntries = noEntries;
  now = 0;
  readonly #schema;
  readonly #shape;
  readonly #zero: JsonObject;

  constructor(kind: string) {
    const schema = schemaFor("", "v1", kind);
    assert.ok(schema);
    this.#schema = schema;
    this.#shape = shapeOf(schema);
    this.#zero = decodeObject(schema, {}).object;
    this.object = this.#zero;
  }

  #writer(who: string, operation: Operation) {
    const [manager = "", subresource = ""] = who.split("/");
    return {
      manager,
      subresource,
      operation,
      apiVersion: "v1",
      time: `t${String(++this.now).padStart(2, "0")}`,
    };
  }

  update(who: string, object: object): void {
    const next = decodeObject(this.#schema, object).object;
    const written = { apiVersion: "v1", shape: this.#shape, ignored: unowned };
    const compared = compareVersions(written, this.object, next, undefined);
    this.entries = afterUpdate({ entries: this.entries, compared, writer: this.#writer(who, "Update") });
    this.object = next;
  }

  apply(who: string, config: object, force = false): void {
    const { object, entries } = apply({
      shape: this.#shape,
      zero: this.#zero,
      live: this.object,
      config: { metadata: { name: "x" }, ...config },
      entries: this.entries,
      writer: this.#writer(who, "Apply"),
      force,
      ignored: unowned,
    });
    this.object = decodeObject(this.#schema, object).object;
    this.entries = entries;
  }

  /** `name*` applies, `name` updates; then the time and the fields. */
  get owners(): string[] {
    return this.entries.map(
      ({ manager, subresource, operation, time, fields }) =>
        `${manager}${subresource === "" ? "" : `/${subresource}`}${operation === "Apply" ? "*" : ""} ${time} ${JSON.stringify(fields)}`,
    );
  }

  get data(): unknown {
    return this.object["data"];
  }
}

const data = (values: object): object => ({ data: values });

function conflictsOf(run: () => void): ApplyConflict["conflicts"] {
  try {
    run();
  } catch (error) {
    if (error instanceof ApplyConflict) return error.conflicts;
    throw error;
  }
  assert.fail("no conflict");
}

describe("updates", () => {
  it("own what they add and change, and lose what others change or remove", () => {
    const map = new Shared("ConfigMap");
    map.update("one", data({ a: "1", b: "1", c: "1" }));
    assert.deepEqual(map.owners, ['one t01 {"f:data":{".":{},"f:a":{},"f:b":{},"f:c":{}}}']);
    map.update("two", data({ a: "1", b: "2", d: "2" }));
    assert.deepEqual(map.owners, [
      'one t01 {"f:data":{".":{},"f:a":{}}}',
      'two t02 {"f:data":{"f:b":{},"f:d":{}}}',
    ]);
  });

  it("that change nothing leave everything as it is, times included", () => {
    const map = new Shared("ConfigMap");
    map.update("one", data({ a: "1" }));
    const { entries } = map;
    map.update("one", data({ a: "1" }));
    map.update("two", data({ a: "1" }));
    assert.equal(map.entries, entries);
  });

  it("that only remove make nobody an owner, and keep the times", () => {
    const map = new Shared("ConfigMap");
    map.update("one", data({ a: "1", b: "1" }));
    map.update("two", data({ a: "1" }));
    assert.deepEqual(map.owners, ['one t01 {"f:data":{".":{},"f:a":{}}}']);
    map.update("two", {});
    assert.deepEqual(map.owners, []);
  });

  it("have an entry for each subresource", () => {
    const rc = new Shared("ReplicationController");
    rc.update("one", { spec: { replicas: 1 } });
    rc.update("one/scale", { spec: { replicas: 2 } });
    rc.update("one/status", { spec: { replicas: 2 }, status: { replicas: 1 } });
    assert.deepEqual(rc.owners, [
      'one/scale t02 {"f:spec":{"f:replicas":{}}}',
      'one/status t03 {"f:status":{"f:replicas":{}}}',
    ]);
  });

  it("are joined, the oldest first, when there are more than ten", () => {
    const map = new Shared("ConfigMap");
    const values: Record<string, string> = {};
    for (let i = 1; i <= 12; i++) {
      values[`k${i}`] = "x";
      map.update(`m${String(i).padStart(2, "0")}`, data({ ...values }));
    }
    assert.deepEqual(map.entries.map(({ manager }) => manager).sort(), [
      "ancient-changes",
      "m04",
      "m05",
      "m06",
      "m07",
      "m08",
      "m09",
      "m10",
      "m11",
      "m12",
    ]);
    const ancient = map.entries.find(({ manager }) => manager === "ancient-changes");
    assert.equal(JSON.stringify(ancient?.fields), '{"f:data":{".":{},"f:k1":{},"f:k2":{},"f:k3":{}}}');
    assert.equal(ancient?.time, "t03");
  });
});

describe("applies", () => {
  it("own what they name", () => {
    const map = new Shared("ConfigMap");
    map.apply("one", data({ a: "1" }));
    assert.deepEqual(map.owners, ['one* t01 {"f:data":{"f:a":{}}}']);
    assert.deepEqual(map.data, { a: "1" });
  });

  it("take away what they no longer name", () => {
    const map = new Shared("ConfigMap");
    map.apply("one", data({ a: "1", b: "1" }));
    map.apply("one", data({ b: "1" }));
    assert.deepEqual(map.data, { b: "1" });
    map.apply("one", {});
    assert.equal(map.data, undefined);
    assert.deepEqual(map.owners, []);
  });

  it("leave alone what they no longer name and others own", () => {
    const map = new Shared("ConfigMap");
    map.apply("one", data({ a: "1", b: "1" }));
    map.apply("two", data({ b: "1" }));
    map.apply("one", data({ a: "1" }));
    assert.deepEqual(map.data, { a: "1", b: "1" });
    assert.deepEqual(map.owners, ['two* t02 {"f:data":{"f:b":{}}}', 'one* t03 {"f:data":{"f:a":{}}}']);
  });

  it("leave alone what was never theirs", () => {
    const map = new Shared("ConfigMap");
    map.update("user", data({ a: "1", b: "1" }));
    map.apply("one", data({ c: "1" }));
    map.apply("one", data({ d: "1" }));
    assert.deepEqual(map.data, { a: "1", b: "1", d: "1" });
  });

  it("share what they set alike", () => {
    const map = new Shared("ConfigMap");
    map.apply("one", data({ a: "1" }));
    map.apply("two", data({ a: "1" }));
    assert.deepEqual(map.owners, ['one* t01 {"f:data":{"f:a":{}}}', 'two* t02 {"f:data":{"f:a":{}}}']);
  });

  it("again, that change nothing, leave everything as it is, times included", () => {
    const map = new Shared("ConfigMap");
    map.apply("one", data({ a: "1" }));
    const [before] = map.entries;
    map.apply("one", data({ a: "1" }));
    assert.equal(map.entries[0], before);
    assert.ok(sameButTimes(map.entries, [before as ManagedEntries[number]]));
  });

  it("may change what they alone own", () => {
    const map = new Shared("ConfigMap");
    map.apply("one", data({ a: "1" }));
    map.apply("one", data({ a: "2" }));
    assert.deepEqual(map.owners, ['one* t02 {"f:data":{"f:a":{}}}']);
  });

  it("conflict over what others own and set otherwise", () => {
    const map = new Shared("ConfigMap");
    map.apply("one", data({ a: "1", b: "1" }));
    map.update("user", data({ a: "1", b: "1", c: "1" }));
    const conflicts = conflictsOf(() => map.apply("two", data({ a: "2", b: "1", c: "2" })));
    assert.equal(
      conflictMessage(conflicts),
      'Apply failed with 2 conflicts: conflicts with "one":\n- .data.a\nconflicts with "user" using v1:\n- .data.c',
    );
    assert.deepEqual(conflictCauses(conflicts), [
      { reason: "FieldManagerConflict", message: 'conflict with "one"', field: ".data.a" },
      { reason: "FieldManagerConflict", message: 'conflict with "user" using v1', field: ".data.c" },
    ]);
    assert.deepEqual(map.data, { a: "1", b: "1", c: "1" });
  });

  it("by force take over what they change, and share what they set alike", () => {
    const map = new Shared("ConfigMap");
    map.apply("one", data({ a: "1", b: "1" }));
    map.apply("two", data({ a: "2", b: "1" }), true);
    assert.deepEqual(map.data, { a: "2", b: "1" });
    assert.deepEqual(map.owners, [
      'one* t01 {"f:data":{"f:b":{}}}',
      'two* t02 {"f:data":{"f:a":{},"f:b":{}}}',
    ]);
  });

  it("conflict with the same name's updates, and with its other subresources", () => {
    const rc = new Shared("ReplicationController");
    rc.update("one/scale", { spec: { replicas: 2 } });
    const conflicts = conflictsOf(() => rc.apply("one", { spec: { replicas: 3 } }));
    assert.equal(
      conflictMessage(conflicts),
      'Apply failed with 1 conflict: conflict with "one" with subresource "scale" using v1: .spec.replicas',
    );
  });

  it("do not lose to an update that sets the same", () => {
    const map = new Shared("ConfigMap");
    map.apply("one", data({ a: "1" }));
    map.update("user", data({ a: "1", b: "1" }));
    assert.deepEqual(map.owners, ['one* t01 {"f:data":{"f:a":{}}}', 'user t02 {"f:data":{"f:b":{}}}']);
    map.update("user", data({ a: "2", b: "1" }));
    assert.deepEqual(map.owners, ['user t03 {"f:data":{"f:a":{},"f:b":{}}}']);
  });

  it("find an owner for what was there before anything was recorded", () => {
    const map = new Shared("ConfigMap");
    map.update("user", data({ a: "1", b: "1" }));
    map.entries = noEntries;
    const conflicts = conflictsOf(() => map.apply("one", data({ a: "2" })));
    assert.equal(
      conflictMessage(conflicts),
      'Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.a',
    );
    map.apply("one", data({ a: "1" }));
    assert.deepEqual(map.owners, [
      'before-first-apply t03 {"f:data":{".":{},"f:a":{},"f:b":{}}}',
      'one* t03 {"f:data":{"f:a":{}}}',
    ]);
  });

  it("add and remove items of keyed lists", () => {
    const pod = new Shared("Pod");
    const containers = (...names: string[]): object => ({
      spec: { containers: names.map((name) => ({ name, image: "i" })) },
    });
    const names = (): unknown =>
      (pod.object["spec"] as { containers: { name: string }[] }).containers.map(({ name }) => name);
    pod.apply("one", containers("a", "b"));
    pod.apply("two", containers("c"));
    assert.deepEqual(names(), ["a", "b", "c"]);
    pod.apply("one", containers("b"));
    assert.deepEqual(names(), ["b", "c"]);
    pod.apply("two", containers("b", "c"));
    pod.apply("one", {});
    assert.deepEqual(names(), ["b", "c"]);
  });

  it("take a removed item with all that has been defaulted or added below it", () => {
    const pod = new Shared("Pod");
    pod.apply("one", { spec: { containers: [{ name: "a" }, { name: "b" }] } });
    pod.update("user", {
      spec: {
        containers: [
          { name: "a", image: "i" },
          { name: "b", image: "i" },
        ],
      },
    });
    pod.apply("one", { spec: { containers: [{ name: "b" }] } });
    assert.equal(
      JSON.stringify((pod.object["spec"] as JsonObject)["containers"]),
      '[{"name":"b","image":"i","resources":{}}]',
    );
    assert.equal(pod.owners.join("\n").includes('\\"a\\"'), false);
  });

  it("add and remove values of sets", () => {
    const pod = new Shared("Pod");
    const finalizers = (): unknown => (pod.object["metadata"] as { finalizers?: string[] }).finalizers;
    pod.apply("one", { metadata: { name: "x", finalizers: ["a", "b"] } });
    pod.apply("two", { metadata: { name: "x", finalizers: ["b", "c"] } });
    assert.deepEqual(finalizers(), ["a", "b", "c"]);
    pod.apply("one", { metadata: { name: "x", finalizers: [] } });
    assert.deepEqual(finalizers(), ["b", "c"]);
  });

  it("keep an object whole whose every owned field they give back", () => {
    const map = new Shared("ConfigMap");
    map.object = { ...map.object, metadata: { name: "x", uid: "u" } };
    map.apply("one", { metadata: { name: "x", labels: { a: "1" } } });
    map.apply("one", {});
    assert.deepEqual(map.object["metadata"], { name: "x", uid: "u" });
  });
});

describe("kubectl's applies after client-side ones", () => {
  const config = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x" }, data: { a: "1", b: "1" } };
  const applied = (values: object): object => ({
    metadata: { name: "x", annotations: { [lastAppliedAnnotation]: JSON.stringify(config) } },
    data: values,
  });

  it("take over what client-side apply set and nobody has changed since", () => {
    const map = new Shared("ConfigMap");
    map.update("kubectl-client-side-apply", applied({ a: "1", b: "1" }));
    map.apply("kubectl", data({ a: "2", b: "1" }));
    assert.deepEqual(map.data, { a: "2", b: "1" });
  });

  it("conflict over the rest", () => {
    const map = new Shared("ConfigMap");
    map.update("kubectl-client-side-apply", applied({ a: "1", b: "1" }));
    map.update("user", applied({ a: "1", b: "9", c: "9" }));
    const conflicts = conflictsOf(() => map.apply("kubectl", data({ a: "2", b: "2", c: "2" })));
    assert.equal(
      conflictMessage(conflicts),
      'Apply failed with 2 conflicts: conflicts with "user" using v1:\n- .data.b\n- .data.c',
    );
  });

  it("of other managers have no such claim", () => {
    const map = new Shared("ConfigMap");
    map.update("kubectl-client-side-apply", applied({ a: "1", b: "1" }));
    const conflicts = conflictsOf(() => map.apply("other", data({ a: "2" })));
    assert.equal(
      conflictMessage(conflicts),
      'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using v1: .data.a',
    );
  });
});
