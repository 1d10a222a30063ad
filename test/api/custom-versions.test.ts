// Custom resources in several versions: by name alone, and through a webhook; what is stored, and what becomes of it
// when another version is stored. And the rules of schemas, when definitions and when objects are written.

import assert from "node:assert/strict";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { createAuthority, issue } from "#pki/certificates.ts";
import type { Transport } from "#machinery/api-request.ts";
import { eventually } from "../control-plane/control-plane.ts";
import { ask, startApi, watch, type Api } from "./api-under-test.ts";

let api: Api;
let direct: Transport;
before(async () => {
  api = await startApi();
  direct = api.transport("direct");
});
after(() => api.stop());

const crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const group = "versions.example.com";
const object = (properties: object, more: object = {}): object => ({
  openAPIV3Schema: { type: "object", properties: { spec: { type: "object", properties, ...more } } },
});
const string = { type: "string" };

interface Given {
  readonly plural: string;
  readonly kind: string;
  readonly versions: readonly {
    name: string;
    schema: object;
    storage?: boolean;
    deprecated?: boolean;
    selectableFields?: object[];
  }[];
  readonly conversion?: object;
}

async function define({ plural, kind, versions, conversion }: Given): Promise<string> {
  const url = `${crds}/${plural}.${group}`;
  const created = await ask(direct, "POST", crds, {
    body: {
      metadata: { name: `${plural}.${group}` },
      spec: {
        group,
        scope: "Namespaced",
        names: { plural, kind },
        versions: versions.map((version) => ({ storage: false, served: true, ...version })),
        ...(conversion === undefined ? {} : { conversion }),
      },
    },
  });
  assert.equal(created.status, 201, created.text);
  await eventually(async () => {
    const { json } = await ask(direct, "GET", url);
    return json.status.conditions?.some((one: any) => one.type === "Established" && one.status === "True");
  });
  return url;
}

const pathOf = (plural: string, version: string): string =>
  `/apis/${group}/${version}/namespaces/default/${plural}`;
const merge = { "content-type": "application/merge-patch+json" };

describe("versions that differ in name only", () => {
  before(() =>
    define({
      plural: "boats",
      kind: "Boat",
      versions: [
        { name: "v1alpha1", deprecated: true, schema: object({ sails: { type: "integer" }, old: string }) },
        {
          name: "v1",
          storage: true,
          schema: object({ sails: { type: "integer" }, rig: { type: "string", default: "sloop" } }),
          selectableFields: [{ jsonPath: ".spec.rig" }],
        },
      ],
    }),
  );

  test("the stable one is preferred", async () => {
    const { json } = await ask(direct, "GET", `/apis/${group}`);
    assert.deepEqual(
      json.versions.map((one: any) => one.version),
      ["v1", "v1alpha1"],
    );
  });

  test("each version shows what it knows, and nothing is lost between them", async () => {
    const created = await ask(direct, "POST", pathOf("boats", "v1alpha1"), {
      body: { metadata: { name: "a" }, spec: { sails: 2, old: "kept", nope: 1 } },
    });
    assert.equal(created.status, 201, created.text);
    assert.equal(created.json.apiVersion, `${group}/v1alpha1`);
    assert.equal(
      created.headers["warning"],
      `299 - "${group}/v1alpha1 Boat is deprecated", 299 - "unknown field \\"spec.nope\\""`,
    );
    assert.deepEqual(created.json.spec, { sails: 2, old: "kept" });
    const v1 = await ask(direct, "GET", `${pathOf("boats", "v1")}/a`);
    assert.equal(v1.json.apiVersion, `${group}/v1`);
    assert.deepEqual(v1.json.spec, { sails: 2, rig: "sloop" });
    assert.deepEqual(
      (await ask(direct, "GET", `${pathOf("boats", "v1alpha1")}/a`)).json.spec,
      created.json.spec,
    );
  });

  test("fields are selected as the version that is asked knows them", async () => {
    const { json } = await ask(direct, "GET", `${pathOf("boats", "v1")}?fieldSelector=spec.rig%3Dsloop`);
    assert.deepEqual(
      json.items.map((one: any) => one.metadata.name),
      ["a"],
    );
    const refused = await ask(direct, "GET", `${pathOf("boats", "v1alpha1")}?fieldSelector=spec.rig%3Dsloop`);
    assert.equal(refused.status, 400);
  });

  test("lists and watches speak the version that was asked for", async () => {
    const { json } = await ask(direct, "GET", pathOf("boats", "v1alpha1"));
    assert.equal(json.apiVersion, `${group}/v1alpha1`);
    const seen = await watch(direct, `${pathOf("boats", "v1alpha1")}?watch=true`);
    assert.equal((await seen.next())?.object.apiVersion, `${group}/v1alpha1`);
    await ask(direct, "PATCH", `${pathOf("boats", "v1")}/a`, {
      body: { spec: { sails: 3 } },
      headers: merge,
    });
    const event = await seen.next();
    assert.equal(event?.object.apiVersion, `${group}/v1alpha1`);
    assert.equal(event?.object.spec.sails, 3);
    seen.stop();
  });
});

describe("versions that a webhook converts", () => {
  let hook: Server;
  let answer: (review: any) => object;
  let asked = 0;
  let redirected = false;
  let url = "";

  const convert = (review: any): object => ({
    ...review,
    request: undefined,
    response: {
      uid: review.request.uid,
      result: { status: "Success" },
      convertedObjects: review.request.objects.map((one: any) => {
        const to = review.request.desiredAPIVersion as string;
        const spec = to.endsWith("v2")
          ? { host: one.spec.hostPort.split(":")[0], port: one.spec.hostPort.split(":")[1] }
          : { hostPort: `${one.spec.host}:${one.spec.port}` };
        const metadata = {
          ...one.metadata,
          labels: { ...one.metadata.labels, converted: "yes" },
          generation: 77,
        };
        return { ...one, apiVersion: to, metadata, spec };
      }),
    },
  });

  before(async () => {
    const [notBeforeMs, validMs] = [Date.now() - 60_000, 3_600_000];
    const authority = await createAuthority("hook-ca", notBeforeMs, validMs);
    const { certificate, key } = await issue(authority, {
      subject: { commonName: "hook" },
      usages: ["server"],
      dnsNames: ["localhost"],
      notBeforeMs,
      validMs,
    });
    answer = convert;
    hook = createServer({ cert: certificate, key }, (request, response) => {
      let text = "";
      request.on("data", (chunk: Buffer) => (text += chunk.toString()));
      request.on("end", () => {
        asked++;
        if (redirected) response.writeHead(302, { location: "https://localhost:1/" });
        response.end(JSON.stringify(answer(JSON.parse(text))));
      });
    });
    await new Promise<void>((resolve) => hook.listen(0, "127.0.0.1", resolve));
    const { port } = hook.address() as AddressInfo;
    url = await define({
      plural: "hosts",
      kind: "Host",
      versions: [
        { name: "v1", storage: true, schema: object({ hostPort: string }) },
        { name: "v2", schema: object({ host: string, port: string }) },
      ],
      conversion: {
        strategy: "Webhook",
        webhook: {
          clientConfig: {
            url: `https://localhost:${port}/convert`,
            caBundle: Buffer.from(authority.certificate).toString("base64"),
          },
          conversionReviewVersions: ["v1"],
        },
      },
    });
  });
  after(() => new Promise((resolve) => hook.close(resolve)));

  test("is asked on the way in and out, once for each object, and may change labels but no other metadata", async () => {
    const created = await ask(direct, "POST", pathOf("hosts", "v2"), {
      body: { metadata: { name: "a" }, spec: { host: "x", port: "80" } },
    });
    assert.equal(created.status, 201, created.text);
    assert.deepEqual(created.json.spec, { host: "x", port: "80" });
    assert.deepEqual(created.json.metadata.labels, { converted: "yes" });
    assert.equal(created.json.metadata.generation, 1);
    const v1 = await ask(direct, "GET", `${pathOf("hosts", "v1")}/a`);
    assert.deepEqual(v1.json.spec, { hostPort: "x:80" });
    const before = asked;
    for (let i = 0; i < 3; i++) await ask(direct, "GET", `${pathOf("hosts", "v2")}/a`);
    assert.equal(asked, before);
  });

  test("lists are converted together, watches in order", async () => {
    await ask(direct, "POST", pathOf("hosts", "v1"), {
      body: { metadata: { name: "b" }, spec: { hostPort: "b:1" } },
    });
    await ask(direct, "POST", pathOf("hosts", "v1"), {
      body: { metadata: { name: "c" }, spec: { hostPort: "c:1" } },
    });
    const before = asked;
    const { json } = await ask(direct, "GET", pathOf("hosts", "v2"));
    assert.deepEqual(
      json.items.map((one: any) => one.spec.host),
      ["x", "b", "c"],
    );
    assert.equal(asked, before + 1);
    const seen = await watch(
      direct,
      `${pathOf("hosts", "v2")}?watch=true&resourceVersion=${json.metadata.resourceVersion}`,
    );
    for (const port of ["2", "3", "4"])
      await ask(direct, "PATCH", `${pathOf("hosts", "v1")}/b`, {
        body: { spec: { hostPort: `b:${port}` } },
        headers: merge,
      });
    for (const port of ["2", "3", "4"]) assert.equal((await seen.next())?.object.spec.port, port);
    seen.stop();
  });

  test("who applies in both versions owns fields as both see them", async () => {
    const apply = (version: string, manager: string, spec: object) =>
      ask(direct, "PATCH", `${pathOf("hosts", version)}/s?fieldManager=${manager}`, {
        body: { apiVersion: `${group}/${version}`, kind: "Host", metadata: { name: "s" }, spec },
        headers: { "content-type": "application/apply-patch+yaml" },
      });
    assert.equal((await apply("v1", "ana", { hostPort: "s:1" })).status, 201);
    const clash = await apply("v2", "bea", { port: "2" });
    assert.equal(clash.status, 409, clash.text);
    assert.match(clash.json.message, /conflict with "ana": \.spec\.hostPort/);
  });

  test("what it may not do is told", async () => {
    const rows: [(review: any) => object, string][] = [
      [
        (review) => ({
          response: { uid: review.request.uid, result: { status: "Failed", message: "no way" } },
        }),
        `conversion webhook for ${group}/v1, Kind=Host failed: no way`,
      ],
      [
        (review) => ({
          response: { uid: review.request.uid, result: { status: "Success" }, convertedObjects: [] },
        }),
        `conversion webhook for ${group}/v1, Kind=Host returned 0 objects, expected 1`,
      ],
      [
        (review) => {
          const made: any = convert(review);
          made.response.convertedObjects[0].metadata.name = "other";
          return made;
        },
        `conversion webhook for ${group}/v1, Kind=Host returned invalid metadata: must have the same name: other != d`,
      ],
    ];
    await ask(direct, "POST", pathOf("hosts", "v1"), {
      body: { metadata: { name: "d" }, spec: { hostPort: "d:1" } },
    });
    for (const [wrong, message] of rows) {
      answer = wrong;
      const { status, json } = await ask(direct, "GET", `${pathOf("hosts", "v2")}/d`);
      assert.equal(status, 500);
      assert.equal(json.message, message);
    }
    answer = convert;
    redirected = true;
    assert.equal((await ask(direct, "GET", `${pathOf("hosts", "v2")}/d`)).status, 500);
    redirected = false;
    assert.equal((await ask(direct, "GET", `${pathOf("hosts", "v2")}/d`)).status, 200);
  });

  test("another version can become the stored one; the old one stays noted until it is taken out", async () => {
    const { json } = await ask(direct, "GET", url);
    json.spec.versions[0].storage = false;
    json.spec.versions[1].storage = true;
    const updated = await ask(direct, "PUT", url, { body: json });
    assert.deepEqual(updated.json.status.storedVersions, ["v1", "v2"]);
    assert.deepEqual((await ask(direct, "GET", `${pathOf("hosts", "v2")}/b`)).json.spec, {
      host: "b",
      port: "4",
    });
    // What is stored in one version and what is stored in the other are one list.
    await ask(direct, "POST", pathOf("hosts", "v2"), {
      body: { metadata: { name: "z" }, spec: { host: "z", port: "9" } },
    });
    const names = (one: any): string => one.metadata.name;
    const [first, second] = [
      await ask(direct, "GET", pathOf("hosts", "v1")),
      await ask(direct, "GET", pathOf("hosts", "v2")),
    ];
    assert.deepEqual(first.json.items.map(names), ["a", "b", "c", "d", "s", "z"]);
    assert.ok(
      first.json.items.every((one: any) => one.spec.hostPort !== undefined && one.spec.host === undefined),
    );
    assert.ok(
      second.json.items.every((one: any) => one.spec.host !== undefined && one.spec.hostPort === undefined),
    );
    // An update that changes nothing moves what is stored.
    const { json: b } = await ask(direct, "GET", `${pathOf("hosts", "v1")}/b`);
    const { json: moved } = await ask(direct, "PUT", `${pathOf("hosts", "v1")}/b`, { body: b });
    assert.notEqual(moved.metadata.resourceVersion, b.metadata.resourceVersion);
    const dropped = {
      ...updated.json,
      spec: { ...updated.json.spec, versions: [updated.json.spec.versions[1]] },
    };
    const refused = await ask(direct, "PUT", url, { body: dropped });
    assert.equal(refused.status, 422);
    assert.equal(refused.json.details.causes[0].message, `Invalid value: "v1": must appear in spec.versions`);
    const stored = await ask(direct, "PATCH", `${url}/status`, {
      body: { status: { storedVersions: ["v2"] } },
      headers: merge,
    });
    assert.equal(stored.status, 200, stored.text);
    assert.equal(
      (
        await ask(direct, "PATCH", url, {
          body: { spec: { versions: dropped.spec.versions } },
          headers: merge,
        })
      ).status,
      200,
    );
    assert.equal((await ask(direct, "GET", pathOf("hosts", "v1"))).status, 404);
  });
});

describe("rules in schemas", () => {
  const rules = { "x-kubernetes-validations": [{ rule: "self.min <= self.max", message: "min above max" }] };
  const fields = {
    min: { type: "integer" },
    max: { type: "integer" },
    once: {
      type: "string",
      "x-kubernetes-validations": [{ rule: "self == oldSelf", message: "cannot change" }],
    },
  };

  test("are checked when the definition is written", async () => {
    const bad = object({ min: { type: "integer", "x-kubernetes-validations": [{ rule: "self.nope > 1" }] } });
    const { status, json } = await ask(direct, "POST", crds, {
      body: {
        metadata: { name: `bads.${group}` },
        spec: {
          group,
          scope: "Namespaced",
          names: { plural: "bads", kind: "Bad" },
          versions: [{ name: "v1", served: true, storage: true, schema: bad }],
        },
      },
    });
    assert.equal(status, 422);
    assert.equal(
      json.details.causes[0].field,
      "spec.validation.openAPIV3Schema.properties[spec].properties[min].x-kubernetes-validations[0].rule",
    );
  });

  test("hold for defaults", async () => {
    const bad = object({
      size: {
        type: "integer",
        default: 1,
        "x-kubernetes-validations": [{ rule: "self > 1", message: "too small" }],
      },
    });
    const { status, json } = await ask(direct, "POST", crds, {
      body: {
        metadata: { name: `bads.${group}` },
        spec: {
          group,
          scope: "Namespaced",
          names: { plural: "bads", kind: "Bad" },
          versions: [{ name: "v1", served: true, storage: true, schema: bad }],
        },
      },
    });
    assert.equal(status, 422);
    assert.deepEqual(json.details.causes, [
      {
        reason: "FieldValueInvalid",
        message: "Invalid value: 1: too small",
        field: "spec.validation.openAPIV3Schema.properties[spec].properties[size].default",
      },
    ]);
  });

  test("hold for objects, with what was before, and unless nothing changed", async () => {
    await define({
      plural: "ranges",
      kind: "Range",
      versions: [{ name: "v1", storage: true, schema: object(fields, rules) }],
    });
    const path = pathOf("ranges", "v1");
    const wrong = await ask(direct, "POST", path, {
      body: { metadata: { name: "a" }, spec: { min: 2, max: 1 } },
    });
    assert.equal(wrong.status, 422, wrong.text);
    assert.equal(wrong.json.message, `Range.${group} "a" is invalid: spec: Invalid value: min above max`);
    const right = await ask(direct, "POST", path, {
      body: { metadata: { name: "a" }, spec: { min: 1, max: 2, once: "x" } },
    });
    assert.equal(right.status, 201, right.text);
    const changed = await ask(direct, "PATCH", `${path}/a`, {
      body: { spec: { once: "y" } },
      headers: merge,
    });
    assert.equal(changed.status, 422);
    assert.equal(changed.json.details.causes[0].field, "spec.once");
  });
});
