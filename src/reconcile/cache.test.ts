import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "#base/random.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { Cache } from "./cache.ts";

const pod = (name: string, resourceVersion: string, app = "a", uid = `u-${name}`): KubeObject => ({
  kind: "Pod",
  metadata: { name, namespace: "default", uid, resourceVersion, labels: { app } },
});
const byApp = (object: KubeObject): string[] => Object.values(object.metadata?.labels ?? {});
const names = (objects: Iterable<KubeObject>): string[] =>
  [...objects].map((object) => object.metadata?.name ?? "").sort();

test("put: newer replaces, older is ignored, another uid always replaces", () => {
  const cache = new Cache({ freeze: true });
  cache.addIndex("app", byApp);
  assert.equal(cache.put(pod("x", "9"))?.old, undefined);
  assert.equal(cache.put(pod("x", "10", "b"))?.old?.metadata?.resourceVersion, "9");
  assert.equal(cache.put(pod("x", "9")), undefined);
  assert.equal(cache.put(pod("x", "3", "c", "other"))?.old?.metadata?.resourceVersion, "10");
  assert.deepEqual(names(cache.byIndex("app", "c")), ["x"]);
  assert.deepEqual(cache.byIndex("app", "b"), []);
  cache.check();
});

test("opaque versions replace whatever is there", () => {
  const cache = new Cache();
  cache.put(pod("x", "zz"));
  assert.ok(cache.put(pod("x", "aa")));
});

test("replace tells additions, changes and deletions, and nothing for what is the same", () => {
  const cache = new Cache();
  cache.replace([pod("a", "1"), pod("b", "2"), pod("c", "3")]);
  const changes = cache.replace([pod("a", "1"), pod("b", "4"), pod("d", "5")]);
  assert.deepEqual(
    changes.map(({ object, old }) => [object?.metadata?.name, old?.metadata?.name]),
    [
      ["b", "b"],
      ["d", undefined],
      [undefined, "c"],
    ],
  );
});

test("cached objects are frozen when asked for", () => {
  const cache = new Cache({ freeze: true });
  cache.put(pod("x", "1"));
  const held = cache.get("default/x") as KubeObject;
  assert.throws(() => ((held.metadata as { name: string }).name = "y"), TypeError);
});

test("any sequence of changes keeps the indexes right", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = seededRandom(seed);
    const cache = new Cache();
    cache.addIndex("app", byApp);
    for (let step = 1; step < 60; step++) {
      const name = `p${random.integer(5)}`;
      if (random.integer(3) === 0) cache.remove(`default/${name}`);
      else cache.put(pod(name, String(step), `app${random.integer(3)}`));
      cache.check();
    }
  }
});
