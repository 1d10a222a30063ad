// Random changes to a valid CustomResourceDefinition and to objects of its kind: none is a server error, and what is
// accepted is kept in a form that stays as it is when it is written back.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Transport } from "#machinery/api-request.ts";
import { eventually } from "../control-plane/control-plane.ts";
import { ask, startApi, type Answer, type Api } from "./api-under-test.ts";
import { jsonPatch, mergePatch } from "./conformance.ts";
import { changed, odd, pathsOf, pick } from "./random-changes.ts";

const rounds = 150;
const crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const boats = "/apis/sea.example.com/v1/namespaces/default/boats";

const text = { type: "string", maxLength: 20 };
const spec = {
  type: "object",
  required: ["length"],
  properties: {
    length: { type: "integer", minimum: 1, maximum: 500 },
    rig: { type: "string", enum: ["sloop", "ketch"], default: "sloop" },
    port: { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] },
    tags: { type: "array", items: text, "x-kubernetes-list-type": "set", maxItems: 5 },
    crew: {
      type: "array",
      maxItems: 5,
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["name"],
      items: {
        type: "object",
        required: ["name"],
        properties: { name: text, age: { type: "integer", default: 20 } },
      },
    },
    free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
    flags: { type: "object", additionalProperties: { type: "boolean" } },
    note: { type: "string", nullable: true, format: "date-time" },
    inner: {
      type: "object",
      "x-kubernetes-embedded-resource": true,
      "x-kubernetes-preserve-unknown-fields": true,
    },
  },
  "x-kubernetes-validations": [{ rule: "!has(self.tags) || size(self.tags) < 4", message: "too many" }],
};
const schema = { type: "object", properties: { spec, status: { type: "object", properties: { a: text } } } };
const definition = {
  metadata: { name: "boats.sea.example.com" },
  spec: {
    group: "sea.example.com",
    scope: "Namespaced",
    names: { plural: "boats", kind: "Boat", shortNames: ["b"], categories: ["all"] },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: schema },
        subresources: {
          status: {},
          scale: { specReplicasPath: ".spec.length", statusReplicasPath: ".status.a" },
        },
        additionalPrinterColumns: [{ name: "L", type: "integer", jsonPath: ".spec.length", priority: 1 }],
        selectableFields: [{ jsonPath: ".spec.rig" }],
      },
    ],
  },
};
const boat = {
  metadata: { name: "x", labels: { a: "b" } },
  spec: {
    length: 9,
    port: "http",
    tags: ["a", "b"],
    crew: [{ name: "ana" }, { name: "bea", age: 30 }],
    free: { a: [1, { b: null }] },
    flags: { fast: true },
    note: "2020-01-01T00:00:00Z",
    inner: { apiVersion: "v1", kind: "Pod", metadata: { name: "p", labels: { c: "d" } }, spec: { x: 1 } },
  },
  status: { a: "x" },
};

let api: Api;
let direct: Transport;
before(async () => {
  api = await startApi();
  direct = api.transport("direct");
});
after(() => api.stop());

async function send(method: string, url: string, body?: unknown, headers = {}): Promise<Answer> {
  const answer = await ask(direct, method, url, { ...(body === undefined ? {} : { body }), headers });
  assert.ok(answer.status < 500, `${method} ${url} ${JSON.stringify(body)?.slice(0, 2000)}\n${answer.text}`);
  return answer;
}

async function isSettled(url: string): Promise<void> {
  const got = await send("GET", url);
  if (got.status !== 200) return;
  const back = await send("PUT", url, got.json);
  assert.deepEqual([back.status, back.json], [200, got.json], "written back");
}

test("random definitions", async () => {
  for (let round = 0; round < rounds; round++) {
    await send("POST", `${crds}?dryRun=All`, changed(definition));
    await send("POST", `${crds}?dryRun=All&fieldValidation=Strict`, changed(changed(changed(definition))));
  }
});

test("random objects of a custom kind", async () => {
  assert.equal((await send("POST", crds, definition)).status, 201);
  await eventually(async () => (await ask(direct, "GET", boats)).status === 200);
  const url = `${boats}/x`;
  assert.equal((await send("POST", boats, boat)).status, 201);
  for (let round = 0; round < rounds; round++) {
    await send("PUT", url, changed(boat));
    await send("PUT", `${url}/status`, changed(boat));
    await send("PATCH", `${url}?fieldValidation=Strict`, changed(boat), mergePatch);
    const path = `/${pick(pathsOf(boat)).join("/")}`;
    const op = pick(["add", "replace", "remove", "test", "copy", "move"]);
    await send("PATCH", url, [{ op, path, from: "/metadata/name", value: pick(odd) }], jsonPatch);
    await isSettled(url);
    await send("PATCH", url, { metadata: { finalizers: null } }, mergePatch);
    await send("DELETE", url);
    await send("POST", boats, changed(boat));
    await send("GET", boats, undefined, { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" });
  }
});

test("definitions that change under their objects", async () => {
  const url = `${crds}/boats.sea.example.com`;
  const put = async (next: object): Promise<void> => {
    const { json } = await send("GET", url);
    const { resourceVersion } = json.metadata;
    await send("PUT", url, { ...next, metadata: { ...definition.metadata, resourceVersion } });
  };
  for (let round = 0; round < rounds; round++) {
    const { spec: other } = changed(changed(definition)) as { spec?: object };
    await put({ spec: other });
    await send("POST", boats, changed(boat));
    await send("GET", boats);
    await send("GET", boats, undefined, { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" });
    await send("GET", "/openapi/v3/apis/sea.example.com/v1");
    await send("PATCH", `${boats}/x`, changed(boat), mergePatch);
    await put(definition);
    await isSettled(`${boats}/x`);
  }
});
