// JSON, YAML and protobuf, both ways: objects, lists, views, watches and failures in the encoding that was asked for.

import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { decodeProtobuf, decodeWatchEvent, encodeProtobuf, openEnvelope } from "#machinery/codec/protobuf.ts";
import { parseYaml, printYaml } from "#machinery/codec/yaml.ts";
import type { ApiResponse, Transport } from "#machinery/api-request.ts";
import { container, names, overEveryTransport } from "./conformance.ts";

const protobuf = "application/vnd.kubernetes.protobuf";
const yaml = "application/yaml";
const view = (type: string, as: string, version = "v1"): string =>
  `${type};as=${as};v=${version};g=meta.k8s.io`;

const pod = (name: string): Record<string, unknown> => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, labels: { mine: "" } },
  spec: {
    schedulerName: "none",
    containers: [{ ...container, ports: [{ containerPort: 80 }], resources: { limits: { cpu: "100m" } } }],
  },
});

async function firstEvent({ body }: ApiResponse): Promise<{ type: string; object: any }> {
  assert.ok(body.kind === "stream");
  let pending = Buffer.alloc(0);
  for await (const chunk of body.chunks) {
    pending = Buffer.concat([pending, chunk]);
    if (pending.length < 4 || pending.length < 4 + pending.readUInt32BE()) continue;
    const { type, object } = decodeWatchEvent(pending.subarray(4, 4 + pending.readUInt32BE()));
    return { type, object: decodeProtobuf(object).object };
  }
  throw new Error("the watch has ended");
}

function watchRequest(
  transport: Transport,
  path: string,
  query: string,
  accept: string,
  signal: AbortSignal,
) {
  return transport.request({
    method: "GET",
    path,
    query: `watch=true&${query}`,
    headers: { accept },
    signal,
  });
}

overEveryTransport((check) => {
  check("a pod written in protobuf is the same pod", async (place) => {
    const fromProtobuf = await place.expect(201, "POST", place.at("pods"), encodeProtobuf(pod("a")), {
      "content-type": protobuf,
      accept: protobuf,
    });
    assert.equal(fromProtobuf.headers["content-type"], protobuf);
    const made: any = decodeProtobuf(fromProtobuf.bytes).object;
    const { json } = await place.expect(200, "GET", `${place.at("pods")}/a`);
    // Nobody has written a status: in protobuf what is no pointer is there all the same.
    assert.deepEqual(made, json);
    const fromJson = (await place.expect(201, "POST", place.at("pods"), pod("b"))).json;
    const named = (spec: unknown): unknown =>
      JSON.parse(JSON.stringify(spec).replaceAll(/kube-api-access-\w+/g, "kube-api-access"));
    assert.deepEqual(named(made.spec), named(fromJson.spec));
    made.metadata.labels.more = "1";
    const changed = await place.expect(200, "PUT", `${place.at("pods")}/a`, encodeProtobuf(made), {
      "content-type": protobuf,
    });
    assert.deepEqual(changed.json.metadata.labels, { mine: "", more: "1" });
  });

  check("options of a deletion in protobuf, of whatever group", async (place) => {
    for (const apiVersion of ["v1", "meta.k8s.io/v1", "apps/v1"]) {
      const { uid } = (await place.put("a")).metadata;
      const url = `${place.at("configmaps")}/a`;
      const options = (of: string): Buffer =>
        encodeProtobuf({ apiVersion, kind: "DeleteOptions", preconditions: { uid: of } } as object);
      await place.expect(409, "DELETE", url, options("x"), { "content-type": protobuf });
      await place.expect(200, "DELETE", url, options(uid), { "content-type": protobuf });
    }
  });

  check("a list in protobuf holds what the one in JSON holds", async (place) => {
    await place.put("a", { x: "1" }, { mine: "" });
    await place.put("b", {}, { mine: "" });
    const url = `${place.at("configmaps")}?labelSelector=mine`;
    const list = await place.expect(200, "GET", url, undefined, { accept: `${protobuf}, application/json` });
    const decoded: any = decodeProtobuf(list.bytes).object;
    assert.equal(decoded.kind, "ConfigMapList");
    const { json } = await place.expect(200, "GET", url);
    assert.deepEqual(decoded.items, json.items);
  });

  check("a watch in protobuf, of objects and of their metadata", async (place) => {
    await place.put("a", { x: "1" }, { mine: "" });
    const abort = new AbortController();
    const whole = await watchRequest(
      place.transport,
      place.at("configmaps"),
      "labelSelector=mine",
      protobuf,
      abort.signal,
    );
    assert.equal(whole.headers["content-type"], `${protobuf};stream=watch`);
    const event = await firstEvent(whole);
    assert.equal(event.type, "ADDED");
    assert.deepEqual(event.object, (await place.expect(200, "GET", `${place.at("configmaps")}/a`)).json);
    const partial = await watchRequest(
      place.transport,
      place.at("configmaps"),
      "labelSelector=mine",
      view(protobuf, "PartialObjectMetadata"),
      abort.signal,
    );
    const { object } = await firstEvent(partial);
    assert.deepEqual([object.kind, object.apiVersion], ["PartialObjectMetadata", "meta.k8s.io/v1"]);
    assert.equal(object.metadata.name, "a");
    assert.equal(object.data, undefined);
    abort.abort();
  });

  check("metadata alone, of one and of many, in every encoding", async (place) => {
    await place.put("a", { x: "1" }, { mine: "" });
    const one = `${place.at("configmaps")}/a`;
    const many = `${place.at("configmaps")}?labelSelector=mine`;
    const whole = (await place.expect(200, "GET", one)).json.metadata;
    const expected = { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: whole };
    const get = async (url: string, accept: string) => place.expect(200, "GET", url, undefined, { accept });
    assert.deepEqual((await get(one, view("application/json", "PartialObjectMetadata"))).json, expected);
    const inYaml = await get(one, view(yaml, "PartialObjectMetadata"));
    assert.deepEqual(parseYaml(inYaml.text).value, expected);
    const inProtobuf = await get(one, view(protobuf, "PartialObjectMetadata"));
    assert.equal(inProtobuf.headers["content-type"], protobuf);
    assert.deepEqual(decodeProtobuf(inProtobuf.bytes).object, expected);
    const list: any = decodeProtobuf(
      (await get(many, view(protobuf, "PartialObjectMetadataList"))).bytes,
    ).object;
    assert.equal(list.kind, "PartialObjectMetadataList");
    assert.deepEqual(list.items, [{ metadata: whole }]);
    const older = await get(many, view("application/json", "PartialObjectMetadataList", "v1beta1"));
    assert.equal(older.json.apiVersion, "meta.k8s.io/v1beta1");
    assert.equal(older.json.items[0].apiVersion, "meta.k8s.io/v1beta1");
  });

  check("a Table of the version that was asked for, and without objects", async (place) => {
    await place.put("a", {}, { mine: "" });
    const url = `${place.at("configmaps")}?labelSelector=mine&includeObject=None`;
    const { json } = await place.expect(200, "GET", url, undefined, {
      accept: view("application/json", "Table", "v1beta1"),
    });
    assert.deepEqual([json.kind, json.apiVersion], ["Table", "meta.k8s.io/v1beta1"]);
    assert.equal(json.rows[0].object, null);
    // Tables have no protobuf form: the next best is taken.
    const next = await place.expect(200, "GET", url, undefined, {
      accept: `${view(protobuf, "Table")},${protobuf}`,
    });
    assert.equal(openEnvelope(next.bytes).kind, "ConfigMapList");
    const bad = await place.expect(400, "GET", `${place.at("configmaps")}?includeObject=All`, undefined, {
      accept: view("application/json", "Table"),
    });
    assert.match(bad.json.message, /includeObject: Invalid value: "All"/);
  });

  check("what cannot be answered as asked for: 406", async (place) => {
    await place.put("a");
    const accepted =
      "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf";
    const streams =
      "only the following media types are accepted: application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch";
    const json = "application/json";
    const rows: [url: string, accept: string, message: string][] = [
      [`${place.at("configmaps")}/a`, "text/html", accepted],
      [`${place.at("configmaps")}/a`, "application/cbor", accepted],
      [`${place.at("configmaps")}/a`, view(json, "Pod"), accepted],
      [`${place.at("configmaps")}/a`, view(protobuf, "Table"), accepted],
      [`${place.at("configmaps")}?watch=true`, yaml, streams],
      [
        `${place.at("configmaps")}/a`,
        view(json, "PartialObjectMetadataList"),
        "you requested PartialObjectMetadataList, but the requested object is not a list (*core.ConfigMap)",
      ],
      [
        place.at("configmaps"),
        view(json, "PartialObjectMetadata"),
        "you requested PartialObjectMetadata, but the requested object is a list (*core.ConfigMapList)",
      ],
    ];
    for (const [url, accept, message] of rows) {
      const answer = await place.expect(406, "GET", url, undefined, { accept });
      assert.deepEqual(accept === yaml ? parseYaml(answer.text).value : answer.json, {
        kind: "Status",
        apiVersion: "v1",
        metadata: {},
        status: "Failure",
        message,
        reason: "NotAcceptable",
        code: 406,
      });
    }
  });

  check("discovery in protobuf and YAML", async (place) => {
    for (const path of [
      "/api",
      "/apis",
      "/api/v1",
      "/apis/coordination.k8s.io",
      "/apis/coordination.k8s.io/v1",
    ]) {
      const { json } = await place.expect(200, "GET", path);
      const inYaml = await place.expect(200, "GET", path, undefined, { accept: yaml });
      assert.deepEqual(parseYaml(inYaml.text).value, json, path);
      const inProtobuf = await place.expect(200, "GET", path, undefined, { accept: protobuf });
      assert.equal(inProtobuf.headers["content-type"], protobuf);
      const decoded: any = decodeProtobuf(inProtobuf.bytes).object;
      assert.equal(decoded.kind, json.kind);
      for (const part of ["versions", "groups", "resources", "preferredVersion"])
        if (json[part] !== undefined)
          assert.equal(decoded[part].length, json[part].length, `${path} ${part}`);
      await place.expect(406, "GET", path, undefined, { accept: "text/html" });
    }
    const { bytes } = await place.expect(200, "GET", "/api/v1", undefined, { accept: protobuf });
    const pods = (decodeProtobuf(bytes).object as any).resources.find((one: any) => one.name === "pods");
    assert.deepEqual(pods.shortNames, ["po"]);
    assert.ok(pods.verbs.includes("watch"));
  });

  check("a question has no views, as it has no metadata: 406", async (place) => {
    const url = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    const review = { spec: { resourceAttributes: { verb: "get", resource: "pods" } } };
    const accept = view("application/json", "Table");
    const { json } = await place.expect(406, "POST", url, review, { accept });
    assert.deepEqual([json.code, json.reason], [406, "NotAcceptable"]);
    await place.expect(201, "POST", url, review, { accept: `${accept},application/json` });
    const answer = await place.expect(201, "POST", url, review, { accept: protobuf });
    assert.equal((decodeProtobuf(answer.bytes).object as any).status.allowed, true);
  });

  check("bodies of unknown types: 415", async (place) => {
    for (const type of ["text/plain", "application/cbor", "application/xml"]) {
      const answer = await place.expect(415, "POST", place.at("configmaps"), "x", { "content-type": type });
      assert.equal(answer.json.reason, "UnsupportedMediaType");
      assert.equal(
        answer.json.message,
        "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf",
      );
    }
    await place.put("a");
    for (const type of ["application/json", "application/apply-patch+cbor", "text/plain"]) {
      const answer = await place.expect(415, "PATCH", `${place.at("configmaps")}/a`, "{}", {
        "content-type": type,
      });
      assert.equal(
        answer.json.message,
        "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml",
      );
    }
  });

  check("failures come in the encoding that was asked for", async (place) => {
    const url = `${place.at("configmaps")}/ghost`;
    const expected = (await place.expect(404, "GET", url)).json;
    const inProtobuf = await place.expect(404, "GET", url, undefined, { accept: protobuf });
    assert.equal(inProtobuf.headers["content-type"], protobuf);
    assert.deepEqual(decodeProtobuf(inProtobuf.bytes).object, expected);
    const inYaml = await place.expect(404, "GET", url, undefined, { accept: yaml });
    assert.equal(inYaml.headers["content-type"], yaml);
    assert.deepEqual(parseYaml(inYaml.text).value, expected);
    const table = `${view("application/json", "Table")},${protobuf}`;
    const next = await place.expect(404, "GET", url, undefined, { accept: table });
    assert.deepEqual(decodeProtobuf(next.bytes).object, expected);
  });

  check("YAML both ways", async (place) => {
    const text =
      "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: written\ndata:\n  a: 'no'\n  b: |\n    two\n    lines\n";
    const made = await place.expect(201, "POST", place.at("configmaps"), text, {
      "content-type": yaml,
      accept: yaml,
    });
    assert.equal(made.headers["content-type"], yaml);
    const value: any = parseYaml(made.text).value;
    assert.deepEqual(value.data, { a: "no", b: "two\nlines\n" });
    const list = await place.expect(200, "GET", place.at("configmaps"), undefined, { accept: yaml });
    assert.equal((parseYaml(list.text).value as any).items[0].kind, undefined);
    assert.ok(names(parseYaml(list.text).value).includes("written"));
    for (const url of [place.at("configmaps"), place.at("pods")]) {
      const { json } = await place.expect(200, "GET", url);
      const printed = await place.expect(200, "GET", url, undefined, { accept: yaml });
      assert.equal(printed.text, printYaml(json), "item by item it is the same as in one piece");
    }
    const deleted = await place.expect(200, "DELETE", `${place.at("configmaps")}/written`, undefined, {
      accept: yaml,
    });
    assert.equal((parseYaml(deleted.text).value as any).status, "Success");
  });

  check("large answers are compressed for who takes that", async (place) => {
    await place.put("large", { text: "x".repeat(200_000) });
    const url = `${place.at("configmaps")}/large`;
    const plain = await place.expect(200, "GET", url);
    assert.equal(plain.headers["content-encoding"], undefined);
    if (place.transport === place.api.transport("direct")) return;
    const packed = await place.expect(200, "GET", url, undefined, { "accept-encoding": "gzip" });
    assert.equal(packed.headers["content-encoding"], "gzip");
    assert.match(packed.headers["vary"] ?? "", /Accept-Encoding/);
    assert.ok(packed.bytes.length < 20_000);
    assert.equal(gunzipSync(packed.bytes).toString(), plain.text);
    for (const name of ["b", "c", "d", "e", "f", "g"]) await place.put(name, { text: "y".repeat(200_000) });
    const list = await place.expect(200, "GET", place.at("configmaps"));
    const stream = await place.expect(200, "GET", place.at("configmaps"), undefined, {
      "accept-encoding": "gzip",
    });
    assert.equal(stream.headers["content-encoding"], "gzip");
    assert.equal(stream.headers["content-length"], undefined, "its length is not known beforehand");
    assert.equal(gunzipSync(stream.bytes).toString(), list.text);
    await place.put("small", { text: "x".repeat(100_000) });
    const small = await place.expect(200, "GET", `${place.at("configmaps")}/small`, undefined, {
      "accept-encoding": "gzip",
    });
    assert.equal(small.headers["content-encoding"], undefined);
  });
});
