// Watches: where they begin, what a selection makes of changes, bookmarks, ends, forms.

import assert from "node:assert/strict";
import { mergePatch, overEveryTransport, table, type Place } from "./conformance.ts";
import type { SeenEvent, Watching } from "./api-under-test.ts";

async function next(watching: Watching): Promise<SeenEvent> {
  const event = await watching.next();
  assert.ok(event !== undefined, "the watch goes on");
  return event;
}

const brief = ({ type, object }: SeenEvent): string => `${type} ${object.metadata.name}`;

async function take(watching: Watching, count: number): Promise<string[]> {
  const seen: string[] = [];
  while (seen.length < count) seen.push(brief(await next(watching)));
  return seen;
}

const label = (place: Place, name: string, labels: Record<string, string | null>): Promise<unknown> =>
  place.expect(200, "PATCH", `${place.at("configmaps")}/${name}`, { metadata: { labels } }, mergePatch);

overEveryTransport((check) => {
  check("without a version: what is there, then what changes", async (place) => {
    const a = await place.put("a", {}, { mine: "" });
    const watching = await place.watch(`${place.at("configmaps")}?watch=true&labelSelector=mine`);
    const first = await next(watching);
    assert.deepEqual(first, { type: "ADDED", object: a }, "whole objects, with their kind");
    await place.put("b", {}, { mine: "" });
    await label(place, "a", { x: "1" });
    await place.expect(200, "DELETE", `${place.at("configmaps")}/b`);
    assert.deepEqual(await take(watching, 3), ["ADDED b", "MODIFIED a", "DELETED b"]);
    watching.stop();
  });

  check("from a version: everything after it, in order, once", async (place) => {
    const a = await place.put("a", {}, { mine: "" });
    await place.put("b", {}, { mine: "" });
    await label(place, "b", { x: "1" });
    const from = `resourceVersion=${a.metadata.resourceVersion}`;
    const watching = await place.watch(`${place.at("configmaps")}?watch=1&labelSelector=mine&${from}`);
    await place.put("c", {}, { mine: "" });
    assert.deepEqual(await take(watching, 3), ["ADDED b", "MODIFIED b", "ADDED c"]);
    watching.stop();
  });

  check("a deletion is shown as the object last was, at the deletion's version", async (place) => {
    const a = await place.put("a", { x: "1" }, { mine: "" });
    const watching = await place.watch(
      `${place.at("configmaps")}?watch&labelSelector=mine&resourceVersion=${a.metadata.resourceVersion}`,
    );
    await place.expect(200, "DELETE", `${place.at("configmaps")}/a`);
    const { type, object } = await next(watching);
    assert.equal(type, "DELETED");
    assert.deepEqual(object.data, { x: "1" });
    assert.ok(Number(object.metadata.resourceVersion) > Number(a.metadata.resourceVersion));
    watching.stop();
  });

  check("what begins or ceases to match a selection is added or deleted", async (place) => {
    const a = await place.put("a", { x: "1" }, { color: "red" });
    const watching = await place.watch(
      `${place.at("configmaps")}?watch=true&labelSelector=color%3Dblue&resourceVersion=${a.metadata.resourceVersion}`,
    );
    await label(place, "a", { color: "blue" });
    await label(place, "a", { size: "big" });
    await label(place, "a", { color: "red" });
    await label(place, "a", { size: "small" });
    await label(place, "a", { color: "blue" });
    const events = [await next(watching), await next(watching), await next(watching), await next(watching)];
    assert.deepEqual(
      events.map(({ type, object }) => [type, object.metadata.labels.color, object.metadata.labels.size]),
      [
        ["ADDED", "blue", undefined],
        ["MODIFIED", "blue", "big"],
        ["DELETED", "blue", "big"],
        ["ADDED", "blue", "small"],
      ],
    );
    const versions = events.map(({ object }) => Number(object.metadata.resourceVersion));
    assert.deepEqual(
      versions,
      versions.toSorted((x, y) => x - y),
    );
    watching.stop();
  });

  check("one object, by its name", async (place) => {
    const watching = await place.watch(
      `${place.at("configmaps")}?watch=true&fieldSelector=metadata.name%3Da&resourceVersion=0`,
    );
    await place.put("b");
    await place.put("a");
    assert.equal(brief(await next(watching)), "ADDED a");
    watching.stop();
  });

  check("from a version that is yet to come", async (place) => {
    const a = await place.put("a", {}, { mine: "" });
    const future = Number(a.metadata.resourceVersion) + 1;
    const watching = await place.watch(
      `${place.at("configmaps")}?watch=true&labelSelector=mine&resourceVersion=${future}`,
    );
    await place.put("b", {}, { mine: "" });
    await place.put("c", {}, { mine: "" });
    assert.equal(brief(await next(watching)), "ADDED c", "b was written at that version");
    watching.stop();
  });

  check("initial events end with a bookmark that says so", async (place) => {
    await place.put("a", {}, { mine: "" });
    const watching = await place.watch(
      `${place.at("configmaps")}?watch=true&labelSelector=mine&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
    );
    assert.equal(brief(await next(watching)), "ADDED a");
    const { type, object } = await next(watching);
    assert.equal(type, "BOOKMARK");
    assert.equal(object.kind, "ConfigMap");
    assert.deepEqual(object.metadata.annotations, { "k8s.io/initial-events-end": "true" });
    assert.match(object.metadata.resourceVersion, /^\d+$/);
    watching.stop();
  });

  check("a watch ends after its time, with a bookmark for who takes them", async (place) => {
    const watching = await place.watch(
      `${place.at("configmaps")}?watch=true&labelSelector=mine&resourceVersion=0&timeoutSeconds=1&allowWatchBookmarks=true`,
    );
    const last = await next(watching);
    assert.equal(last.type, "BOOKMARK");
    assert.deepEqual(Object.keys(last.object.metadata).sort(), ["creationTimestamp", "resourceVersion"]);
    assert.equal(await watching.next(), undefined);
  });

  check("from any version, without its state", async (place) => {
    await place.put("a", {}, { mine: "" });
    const any = "resourceVersion=0&sendInitialEvents=false&resourceVersionMatch=NotOlderThan";
    for (const query of [any, any.replace("resourceVersion=0&", "")]) {
      const name = query === any ? "b" : "c";
      const watching = await place.watch(`${place.at("configmaps")}?watch=true&labelSelector=mine&${query}`);
      await place.put(name, {}, { mine: "" });
      assert.equal(brief(await next(watching)), `ADDED ${name}`);
      watching.stop();
    }
  });

  check("as a Table: the columns come once", async (place) => {
    await place.put("a", { x: "1" }, { mine: "" });
    const watching = await place.watch(`${place.at("configmaps")}?watch=true&labelSelector=mine`, {
      headers: { accept: table },
    });
    const first = await next(watching);
    assert.equal(first.object.kind, "Table");
    assert.equal(first.object.columnDefinitions[0].name, "Name");
    assert.deepEqual(first.object.rows[0].cells.slice(0, 2), ["a", 1]);
    await place.put("b", {}, { mine: "" });
    const second = await next(watching);
    assert.deepEqual(second.object.columnDefinitions ?? [], []);
    assert.equal(second.object.rows[0].cells[0], "b");
    assert.equal(second.object.rows[0].object.metadata.name, "b");
    watching.stop();
  });

  check("as metadata alone", async (place) => {
    await place.put("a", { x: "1" }, { mine: "" });
    const watching = await place.watch(`${place.at("configmaps")}?watch=true&labelSelector=mine`, {
      headers: { accept: "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io" },
    });
    const { object } = await next(watching);
    assert.equal(object.kind, "PartialObjectMetadata");
    assert.equal(object.data, undefined);
    watching.stop();
  });

  check("every watcher of a namespace sees only that namespace", async (place) => {
    const watching = await place.watch(`${place.at("secrets")}?watch=true`);
    await place.expect(201, "POST", "/api/v1/namespaces/default/secrets", {
      metadata: { generateName: "elsewhere-" },
    });
    await place.expect(201, "POST", place.at("secrets"), { metadata: { name: "here" } });
    assert.equal(brief(await next(watching)), "ADDED here");
    watching.stop();
  });

  check("an update that changes nothing is no event", async (place) => {
    const a = await place.put("a", { x: "1" }, { mine: "" });
    const watching = await place.watch(
      `${place.at("configmaps")}?watch=true&labelSelector=mine&resourceVersion=${a.metadata.resourceVersion}`,
    );
    await place.expect(200, "PUT", `${place.at("configmaps")}/a`, a);
    await label(place, "a", { mine: "" });
    await place.put("b", {}, { mine: "" });
    assert.equal(brief(await next(watching)), "ADDED b");
    watching.stop();
  });
});
