import assert from "node:assert/strict";
import { test } from "node:test";
import { Pods, Services } from "#client/refs.ts";
import type { Written } from "./execute.ts";
import { Holds, shows, type CacheView } from "./holds.ts";

const view = (resourceVersion: string, objects: Record<string, unknown> = {}): CacheView => ({
  resourceVersion,
  get: (key) => objects[key],
});
const object = (uid: string, resourceVersion: string, deletionTimestamp?: string): unknown => ({
  metadata: { uid, resourceVersion, deletionTimestamp },
});
const written = (more: Partial<Written> = {}): Written => ({
  ref: Pods,
  key: "d/a",
  uid: "1",
  resourceVersion: "17",
  deleted: false,
  ...more,
});

test("what a cache must show", () => {
  const rows: [string, CacheView, Partial<Written>, boolean][] = [
    ["not there yet", view("16"), {}, false],
    ["there, older", view("16", { "d/a": object("1", "15") }), {}, false],
    ["there at that version", view("16", { "d/a": object("1", "17") }), {}, true],
    ["there, newer", view("16", { "d/a": object("1", "18") }), {}, true],
    ["the stream has passed it", view("20"), {}, true],
    ["versions compare as numbers", view("9"), {}, false],
    ["opaque versions: only the same one counts", view("zz"), { resourceVersion: "aa" }, false],
    ["opaque, shown", view("zz", { "d/a": object("1", "aa") }), { resourceVersion: "aa" }, true],
    ["deleted: still there", view("16", { "d/a": object("1", "15") }), { deleted: true }, false],
    ["deleted: gone", view("16"), { deleted: true }, true],
    ["deleted: marked", view("16", { "d/a": object("1", "15", "now") }), { deleted: true }, true],
    ["deleted: another in its place", view("16", { "d/a": object("2", "15") }), { deleted: true }, true],
  ];
  for (const [what, cache, more, expected] of rows) assert.equal(shows(cache, written(more)), expected, what);
});

test("a key is free when its last hold ends", () => {
  const holds = new Holds();
  holds.add("rc", written(), 0);
  holds.add("rc", written({ key: "d/b", resourceVersion: "19" }), 5);
  holds.add("rc", written({ ref: Services, resourceVersion: "18" }), 5);
  assert.deepEqual(holds.progress(Pods, view("18")), []);
  assert.ok(holds.isHeld("rc"));
  assert.deepEqual(holds.progress(Services, view("18")), []);
  assert.deepEqual(holds.progress(Pods, view("19")), ["rc"]);
  assert.equal(holds.size, 0);
  assert.ok(!holds.isHeld("rc"));
});

test("old holds are found and dropped together", () => {
  const holds = new Holds();
  holds.add("x", written(), 10);
  holds.add("y", written(), 20);
  assert.deepEqual(holds.olderThan(15), ["x"]);
  holds.drop("x");
  assert.deepEqual(holds.olderThan(30), ["y"]);
});
