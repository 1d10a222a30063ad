// CBOR, where it is switched on: bodies, answers, watches, applied configurations.

import assert from "node:assert/strict";
import { decodeCbor, decodeCborSequence, encodeCbor } from "#machinery/codec/cbor.ts";
import { overEveryTransport } from "./conformance.ts";

const cbor = "application/cbor";
const read = (bytes: Buffer): any => decodeCbor(bytes).value;

overEveryTransport(
  (check) => {
    check("objects and lists, both ways", async (place) => {
      const object = { metadata: { name: "a", labels: { mine: "" } }, data: { x: "1", y: "é" } };
      const made = await place.expect(201, "POST", place.at("configmaps"), encodeCbor(object), {
        "content-type": cbor,
        accept: cbor,
      });
      assert.equal(made.headers["content-type"], cbor);
      const { json } = await place.expect(200, "GET", `${place.at("configmaps")}/a`);
      assert.deepEqual(read(made.bytes), json);
      assert.deepEqual(json.data, object.data);
      const url = `${place.at("configmaps")}?labelSelector=mine`;
      const list = await place.expect(200, "GET", url, undefined, { accept: cbor });
      assert.deepEqual(read(list.bytes), (await place.expect(200, "GET", url)).json);
      const table = await place.expect(200, "GET", url, undefined, {
        accept: `${cbor};as=Table;v=v1;g=meta.k8s.io`,
      });
      assert.equal(read(table.bytes).kind, "Table");
      const deleted = await place.expect(
        200,
        "DELETE",
        `${place.at("configmaps")}/a`,
        encodeCbor({ kind: "DeleteOptions", apiVersion: "v1", preconditions: { uid: json.metadata.uid } }),
        { "content-type": cbor, accept: cbor },
      );
      assert.equal(read(deleted.bytes).status, "Success");
    });

    check("failures, and what is no CBOR", async (place) => {
      const ghost = await place.expect(404, "GET", `${place.at("configmaps")}/ghost`, undefined, {
        accept: cbor,
      });
      assert.equal(read(ghost.bytes).reason, "NotFound");
      const bad = await place.expect(400, "POST", place.at("configmaps"), Buffer.from([0x9f, 0x01]), {
        "content-type": cbor,
      });
      assert.match(bad.json.message, /indefinite length/);
      const unknown = encodeCbor({ metadata: { name: "b" }, dta: {} });
      const strict = await place.expect(
        400,
        "POST",
        `${place.at("configmaps")}?fieldValidation=Strict`,
        unknown,
        { "content-type": cbor },
      );
      assert.match(strict.json.message, /unknown field "dta"/);
      const none = await place.expect(406, "GET", place.at("configmaps"), undefined, { accept: "text/html" });
      assert.match(none.json.message, /accepted: application\/cbor, application\/json/);
    });

    check("a watch is a sequence", async (place) => {
      await place.put("a", { x: "1" }, { mine: "" });
      const abort = new AbortController();
      const response = await place.transport.request({
        method: "GET",
        path: place.at("configmaps"),
        query: "watch=true&labelSelector=mine",
        headers: { accept: cbor },
        signal: abort.signal,
      });
      assert.equal(response.headers["content-type"], "application/cbor-seq");
      assert.ok(response.body.kind === "stream");
      let pending = Buffer.alloc(0);
      for await (const chunk of response.body.chunks) {
        const { values, rest } = decodeCborSequence(Buffer.concat([pending, chunk]));
        pending = Buffer.from(rest);
        if (values.length === 0) continue;
        const [event] = values as [{ type: string; object: any }];
        assert.equal(event.type, "ADDED");
        assert.deepEqual(event.object, (await place.expect(200, "GET", `${place.at("configmaps")}/a`)).json);
        break;
      }
      abort.abort();
    });

    check("a configuration to apply", async (place) => {
      const config = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data: { x: "1" } };
      const url = `${place.at("configmaps")}/a?fieldManager=me`;
      const headers = { "content-type": "application/apply-patch+cbor" };
      const made = await place.expect(201, "PATCH", url, encodeCbor(config), headers);
      assert.deepEqual(made.json.data, { x: "1" });
      assert.equal(made.json.metadata.managedFields[0].operation, "Apply");
      const bad = await place.expect(400, "PATCH", url, Buffer.from([0xff]), headers);
      assert.match(bad.json.message, /^error decoding CBOR/);
      const scaled = encodeCbor({ apiVersion: "v1" });
      await place.expect(400, "PATCH", url, scaled, headers);
    });
  },
  { features: new Set(["CBORServingAndStorage"]) },
);
