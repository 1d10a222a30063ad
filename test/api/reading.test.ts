// GET and LIST: pages of one snapshot, selectors, resource versions, forms of the answer.

import assert from "node:assert/strict";
import { ask } from "./api-under-test.ts";
import { names, overEveryTransport, idlePod, table, type Place } from "./conformance.ts";

/** Config maps of a test, without the one that every namespace has. */
const mine = (place: Place, query = ""): string =>
  `${place.at("configmaps")}?labelSelector=mine${query === "" ? "" : `&${query}`}`;

async function five(place: Place): Promise<void> {
  for (const name of ["a", "b", "c", "d", "e"]) await place.put(name, {}, { mine: "", letter: name });
}

overEveryTransport((check) => {
  check("an object is what was written, with what the server adds", async (place) => {
    const made = await place.put("a", { __proto__x: "1", constructor: "2" });
    const { json } = await place.expect(200, "GET", `${place.at("configmaps")}/a`);
    assert.deepEqual(json, made);
    assert.deepEqual(Object.keys(json).slice(0, 3), ["kind", "apiVersion", "metadata"]);
    assert.match(json.metadata.uid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.match(json.metadata.creationTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.match(json.metadata.resourceVersion, /^\d+$/);
    assert.equal(json.metadata.namespace, place.namespace);
    assert.deepEqual(json.data, { __proto__x: "1", constructor: "2" });
  });

  check("__proto__ is a key of data like any other", async (place) => {
    const text = `{"metadata":{"name":"p"},"data":{"__proto__":"x"}}`;
    const made = await place.expect(201, "POST", place.at("configmaps"), text);
    assert.match(made.text, /"data":\{"__proto__":"x"\}/);
    assert.match((await place.expect(200, "GET", `${place.at("configmaps")}/p`)).text, /"__proto__":"x"/);
  });

  check("what is not there", async (place) => {
    const { json } = await place.expect(404, "GET", `${place.at("configmaps")}/ghost`);
    assert.deepEqual(json, {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: 'configmaps "ghost" not found',
      reason: "NotFound",
      details: { name: "ghost", kind: "configmaps" },
      code: 404,
    });
    const role = await place.expect(404, "GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles/ghost");
    assert.equal(role.json.message, 'clusterroles.rbac.authorization.k8s.io "ghost" not found');
    assert.deepEqual(role.json.details, {
      name: "ghost",
      group: "rbac.authorization.k8s.io",
      kind: "clusterroles",
    });
  });

  check("a list names its kind, its items do not", async (place) => {
    await place.put("a", {}, { mine: "" });
    const { json } = await place.expect(200, "GET", mine(place));
    assert.equal(json.kind, "ConfigMapList");
    assert.equal(json.apiVersion, "v1");
    assert.equal(json.items[0].kind, undefined);
    assert.equal(json.items[0].apiVersion, undefined);
    const empty = await place.expect(200, "GET", place.at("pods"));
    assert.deepEqual(empty.json.items, []);
  });

  check("a namespace that is not there has empty lists", async (place) => {
    const { json } = await place.expect(200, "GET", "/api/v1/namespaces/nowhere/pods");
    assert.deepEqual(json.items, []);
  });

  check("all namespaces together, and one object by its name", async (place) => {
    await place.put(`only-${place.namespace}`);
    const one = `fieldSelector=metadata.name%3Donly-${place.namespace}`;
    for (const path of ["/api/v1/configmaps", place.at("configmaps")])
      assert.deepEqual(names((await place.expect(200, "GET", `${path}?${one}`)).json), [
        `only-${place.namespace}`,
      ]);
    const both = `${one}%2Cmetadata.namespace%3D${place.namespace}`;
    assert.equal(names((await place.expect(200, "GET", `/api/v1/configmaps?${both}`)).json).length, 1);
  });

  check("pages are of one snapshot", async (place) => {
    await five(place);
    const first = (await place.expect(200, "GET", `${place.at("configmaps")}?limit=2`)).json;
    assert.deepEqual(names(first), ["a", "b"]);
    assert.equal(first.metadata.remainingItemCount, 4, "three of ours, and the namespace's own");
    await place.put("bb", {}, { mine: "" });
    await place.expect(200, "DELETE", `${place.at("configmaps")}/d`);
    const next = `&continue=${first.metadata.continue}`;
    const second = (await place.expect(200, "GET", `${place.at("configmaps")}?limit=2${next}`)).json;
    assert.deepEqual(names(second), ["c", "d"]);
    assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
    assert.equal(second.metadata.remainingItemCount, 2);
    const last = `&continue=${second.metadata.continue}`;
    const third = (await place.expect(200, "GET", `${place.at("configmaps")}?limit=2${last}`)).json;
    assert.deepEqual(names(third), ["e", "kube-root-ca.crt"]);
    assert.equal(third.metadata.continue, undefined);
    assert.equal(third.metadata.remainingItemCount, undefined);
  });

  check("pages of a selection do not say how many are left", async (place) => {
    await five(place);
    const first = (await place.expect(200, "GET", mine(place, "limit=2"))).json;
    assert.deepEqual(names(first), ["a", "b"]);
    assert.equal(first.metadata.remainingItemCount, undefined);
    const second = await place.expect(200, "GET", mine(place, `continue=${first.metadata.continue}`));
    assert.deepEqual(names(second.json), ["c", "d", "e"], "a continuation needs no limit");
  });

  check("a page that is full with the last object is the last", async (place) => {
    await place.put("a", {}, { mine: "" });
    const { json } = await place.expect(200, "GET", mine(place, "limit=1"));
    assert.deepEqual(names(json), ["a"]);
    assert.equal(json.metadata.continue, undefined);
  });

  check("label selectors", async (place) => {
    await five(place);
    const rows: [string, string[]][] = [
      ["letter=a", ["a"]],
      ["letter==a", ["a"]],
      ["letter!=a,mine", ["b", "c", "d", "e"]],
      ["letter in (a,c)", ["a", "c"]],
      ["letter notin (a,c),mine", ["b", "d", "e"]],
      ["letter,!other", ["a", "b", "c", "d", "e"]],
      ["letter=", []],
      ["mine=", ["a", "b", "c", "d", "e"]],
    ];
    for (const [selector, expected] of rows) {
      const url = `${place.at("configmaps")}?labelSelector=${encodeURIComponent(selector)}`;
      assert.deepEqual(names((await place.expect(200, "GET", url)).json), expected, selector);
    }
  });

  check("field selectors", async (place) => {
    await place.expect(201, "POST", place.at("pods"), idlePod("a"));
    await place.expect(201, "POST", place.at("pods"), idlePod("b", { nodeName: "n1" }));
    const rows: [string, string[]][] = [
      ["spec.nodeName=n1", ["b"]],
      ["spec.nodeName=", ["a"]],
      ["spec.nodeName!=n1", ["a"]],
      ["status.phase=Pending,metadata.name!=a", ["b"]],
      ["status.phase=Running", []],
      [`metadata.namespace=${place.namespace}`, ["a", "b"]],
      ["spec.restartPolicy=Always,spec.schedulerName=none", ["a", "b"]],
    ];
    for (const [selector, expected] of rows) {
      const url = `${place.at("pods")}?fieldSelector=${encodeURIComponent(selector)}`;
      assert.deepEqual(names((await place.expect(200, "GET", url)).json), expected, selector);
    }
  });

  check("resource versions of a list", async (place) => {
    const a = await place.put("a", {}, { mine: "" });
    await place.put("b", {}, { mine: "" });
    const at = a.metadata.resourceVersion as string;
    const list = async (query: string) => (await place.expect(200, "GET", mine(place, query))).json;
    const exact = await list(`resourceVersion=${at}&resourceVersionMatch=Exact`);
    assert.deepEqual([names(exact), exact.metadata.resourceVersion], [["a"], at]);
    const newer = await list(`resourceVersion=${at}&resourceVersionMatch=NotOlderThan`);
    assert.deepEqual(names(newer), ["a", "b"]);
    assert.deepEqual(names(await list(`resourceVersion=${at}`)), ["a", "b"]);
    assert.deepEqual(names(await list(`resourceVersion=${at}&limit=5`)), ["a"], "with a limit: exactly then");
    assert.deepEqual(names(await list("resourceVersion=0")), ["a", "b"]);
    assert.ok(Number((await list("")).metadata.resourceVersion) >= Number(newer.metadata.resourceVersion));
  });

  check("how versions, matches, limits and continuations go together", async (place) => {
    await five(place);
    const page = (await place.expect(200, "GET", mine(place, "limit=2"))).json;
    const token = page.metadata.continue as string;
    const at = page.metadata.resourceVersion as string;
    await place.put("f", {}, { mine: "" });
    const rows: [query: string, status: number, expected: string[] | RegExp][] = [
      [`continue=${token}`, 200, ["c", "d", "e"]],
      [`continue=${token}&limit=2`, 200, ["c", "d"]],
      [`continue=${token}&resourceVersion=0`, 200, ["c", "d", "e"]],
      [`continue=${token}&resourceVersion=${at}`, 400, /not allowed when using continue/],
      [
        `continue=${token}&resourceVersion=${at}&resourceVersionMatch=Exact`,
        422,
        /resourceVersionMatch is forbidden when continue is provided/,
      ],
      [`limit=2&resourceVersion=0`, 200, ["a", "b"]],
      [`limit=2&resourceVersion=${at}&resourceVersionMatch=NotOlderThan`, 200, ["a", "b"]],
      [
        `limit=9&resourceVersion=${at}&resourceVersionMatch=NotOlderThan`,
        200,
        ["a", "b", "c", "d", "e", "f"],
      ],
      [`limit=9&resourceVersion=${at}&resourceVersionMatch=Exact`, 200, ["a", "b", "c", "d", "e"]],
      [`resourceVersion=${at}&resourceVersionMatch=Exact`, 200, ["a", "b", "c", "d", "e"]],
      [`limit=-1`, 200, ["a", "b", "c", "d", "e", "f"]],
      [`resourceVersion=new`, 400, /^invalid resource version: resourceVersion: Invalid value: "new"/],
      [`limit=two`, 400, /invalid syntax/],
    ];
    for (const [query, status, expected] of rows) {
      const { json } = await place.expect(status, "GET", mine(place, query));
      if (expected instanceof RegExp) assert.match(json.message, expected, query);
      else assert.deepEqual(names(json), expected, query);
    }
  });

  check("a read sees what was acknowledged before it, by whomever", async (place) => {
    const other = place.api.transport("direct");
    for (let at = 0; at < 20; at++) {
      const object = { metadata: { name: `m${at}` }, data: {} };
      assert.equal((await ask(other, "POST", place.at("configmaps"), { body: object })).status, 201);
      await place.expect(200, "GET", `${place.at("configmaps")}/m${at}`);
      assert.ok(names((await place.expect(200, "GET", place.at("configmaps"))).json).includes(`m${at}`));
    }
  });

  check("a version that nobody has written", async (place) => {
    const { json, headers } = await place.expect(
      504,
      "GET",
      mine(place, "resourceVersion=99999999&resourceVersionMatch=Exact"),
    );
    assert.match(json.message, /^Timeout: Too large resource version: 99999999, current: \d+$/);
    assert.equal(json.reason, "Timeout");
    assert.deepEqual(json.details, {
      causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
      retryAfterSeconds: 1,
    });
    assert.equal(headers["retry-after"], "1");
  });

  check("a Table has the columns of its kind", async (place) => {
    await place.put("a", { x: "1", y: "2" }, { mine: "" });
    const { json, headers } = await place.expect(200, "GET", mine(place), undefined, { accept: table });
    assert.equal(headers["content-type"], "application/json");
    assert.equal(json.kind, "Table");
    assert.equal(json.apiVersion, "meta.k8s.io/v1");
    assert.match(json.metadata.resourceVersion, /^\d+$/);
    assert.deepEqual(
      json.columnDefinitions.map(({ name }: { name: string }) => name),
      ["Name", "Data", "Age"],
    );
    assert.deepEqual(json.rows[0].cells.slice(0, 2), ["a", 2]);
    assert.equal(json.rows[0].object.kind, "PartialObjectMetadata");
    assert.equal(json.rows[0].object.metadata.name, "a");
    assert.equal(json.rows[0].object.data, undefined);
    const whole = await place.expect(200, "GET", mine(place, "includeObject=Object"), undefined, {
      accept: table,
    });
    assert.deepEqual(whole.json.rows[0].object.data, { x: "1", y: "2" });
    const none = await place.expect(200, "GET", mine(place, "includeObject=None"), undefined, {
      accept: table,
    });
    assert.equal(none.json.rows[0].object ?? null, null);
    const one = await place.expect(200, "GET", `${place.at("configmaps")}/a`, undefined, { accept: table });
    assert.equal(one.json.rows.length, 1);
  });

  check("metadata alone, YAML, protobuf", async (place) => {
    await place.put("a", { x: "1" }, { mine: "" });
    const partial = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
    const { json } = await place.expect(200, "GET", mine(place), undefined, { accept: partial });
    assert.equal(json.kind, "PartialObjectMetadataList");
    assert.equal(json.items[0].kind, "PartialObjectMetadata");
    assert.equal(json.items[0].data, undefined);
    const yaml = await place.expect(200, "GET", `${place.at("configmaps")}/a`, undefined, {
      accept: "application/yaml",
    });
    assert.equal(yaml.headers["content-type"], "application/yaml");
    assert.match(yaml.text, /^apiVersion: v1\ndata:\n {2}x: "1"\nkind: ConfigMap\n/);
    const protobuf = await place.expect(200, "GET", `${place.at("configmaps")}/a`, undefined, {
      accept: "application/vnd.kubernetes.protobuf,application/json",
    });
    assert.equal(protobuf.headers["content-type"], "application/vnd.kubernetes.protobuf");
    assert.ok(protobuf.text.startsWith("k8s\0"));
    const fallback = await place.expect(200, "GET", `${place.at("configmaps")}/a`, undefined, {
      accept: "text/html, application/json;q=0.5",
    });
    assert.equal(fallback.json.kind, "ConfigMap");
  });

  check("a list that is too long to be put together beforehand", async (place) => {
    const many = Array.from({ length: 2_050 }, (_, n) => `n${String(n).padStart(4, "0")}`);
    for (let at = 0; at < many.length; at += 50)
      await Promise.all(many.slice(at, at + 50).map((name) => place.put(name, {}, { mine: "" })));
    const all = await place.expect(200, "GET", place.at("configmaps"));
    assert.deepEqual(names(all.json), ["kube-root-ca.crt", ...many]);
    assert.equal(all.json.kind, "ConfigMapList");
    assert.equal(all.json.items[1].kind, undefined);
    assert.match(all.json.metadata.resourceVersion, /^\d+$/);
    const page = await place.expect(200, "GET", `${place.at("configmaps")}?limit=1000`);
    assert.equal(page.json.metadata.remainingItemCount, 1_051);
    assert.deepEqual(page.json.items, all.json.items.slice(0, 1_000));
  });
});
