// Beta versions are off unless asked for; then they show the same objects as v1.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Transport } from "#machinery/api-request.ts";
import { betaVersions } from "#resources/beta-versions.ts";
import { ask, startApi, watch, type Api } from "./api-under-test.ts";

let api: Api;
let transport: Transport;
before(async () => {
  api = await startApi({ betaVersions: new Set(["networking.k8s.io/v1beta1"]) });
  transport = api.transport("direct");
});
after(() => api.stop());

async function expect(status: number, method: string, url: string, body?: unknown) {
  const answer = await ask(transport, method, url, body === undefined ? {} : { body });
  assert.equal(answer.status, status, `${method} ${url}: ${answer.text}`);
  return answer.json;
}

test("only what was asked for is served, after the stable version", async () => {
  const { versions, preferredVersion } = await expect(200, "GET", "/apis/networking.k8s.io");
  assert.deepEqual(
    versions.map(({ version }: any) => version),
    ["v1", "v1beta1"],
  );
  assert.equal(preferredVersion.version, "v1");
  const { resources } = await expect(200, "GET", "/apis/networking.k8s.io/v1beta1");
  assert.deepEqual(resources.map(({ name }: any) => name).sort(), [
    "ipaddresses",
    "servicecidrs",
    "servicecidrs/status",
  ]);
  for (const other of betaVersions.filter((one) => one !== "networking.k8s.io/v1beta1"))
    await expect(404, "GET", `/apis/${other}`);
});

test("an object is the same in both versions, written and watched in either", async () => {
  const [stable, beta] = ["v1", "v1beta1"].map(
    (version) => `/apis/networking.k8s.io/${version}/servicecidrs`,
  ) as [string, string];
  const made = await expect(201, "POST", beta, {
    metadata: { name: "x" },
    spec: { cidrs: ["10.200.0.0/16"] },
  });
  assert.equal(made.apiVersion, "networking.k8s.io/v1beta1");
  const seen = await expect(200, "GET", `${stable}/x`);
  assert.equal(seen.apiVersion, "networking.k8s.io/v1");
  assert.deepEqual(seen.spec, made.spec);
  assert.equal(seen.metadata.uid, made.metadata.uid);
  const watching = await watch(
    transport,
    `${beta}?watch=true&resourceVersion=${made.metadata.resourceVersion}`,
  );
  await expect(200, "PUT", `${stable}/x`, { ...seen, metadata: { ...seen.metadata, labels: { a: "b" } } });
  const event = await watching.next();
  watching.stop();
  assert.equal(event?.object.apiVersion, "networking.k8s.io/v1beta1");
  assert.deepEqual(event?.object.metadata.labels, { a: "b" });
  const bad = await expect(422, "POST", beta, { metadata: { name: "y" }, spec: { cidrs: ["a"] } });
  assert.match(bad.message, /^ServiceCIDR\.networking\.k8s\.io "y" is invalid: spec\.cidrs\[0\]/);
});

test("every version there is can be served", async () => {
  const all = await startApi({ betaVersions: new Set(betaVersions) });
  const direct = all.transport("direct");
  for (const version of betaVersions) {
    const { json, status } = await ask(direct, "GET", `/apis/${version}`);
    assert.equal(status, 200, version);
    for (const { name } of json.resources)
      if (!name.includes("/")) {
        const list = await ask(direct, "GET", `/apis/${version}/${name}`);
        assert.equal(list.status, 200, list.text);
        assert.equal(list.json.apiVersion, version);
      }
    const openapi = await ask(direct, "GET", `/openapi/v3/apis/${version}`);
    assert.equal(openapi.status, 200, openapi.text.slice(0, 200));
  }
  await all.stop();
});
