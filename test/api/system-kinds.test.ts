// What the server itself does about its own groups: what is there from the start, who asks for a certificate, which
// requests are another server's.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Transport } from "#machinery/api-request.ts";
import { certificateSample, requestSample } from "#resources/certificates/pem-samples.ts";
import { ask, startApi, type Api } from "./api-under-test.ts";

let api: Api;
let transport: Transport;
before(async () => {
  api = await startApi();
  transport = api.transport("direct");
});
after(() => api.stop());

async function expect(
  status: number,
  method: string,
  url: string,
  body?: unknown,
  type = "application/json",
) {
  const answer = await ask(transport, method, url, {
    ...(body === undefined ? {} : { body, headers: { "content-type": type } }),
  });
  assert.equal(answer.status, status, `${method} ${url}: ${answer.text}`);
  return answer.json;
}
const names = (list: any): string[] => list.items.map((item: any) => item.metadata.name);

test("flow schemas and priority levels are there, and none dangles", async () => {
  const root = "/apis/flowcontrol.apiserver.k8s.io/v1";
  const schemas = await expect(200, "GET", `${root}/flowschemas`);
  const levels = names(await expect(200, "GET", `${root}/prioritylevelconfigurations`));
  assert.equal(schemas.items.length, 13);
  assert.equal(levels.length, 8);
  for (const { metadata, spec, status } of schemas.items) {
    assert.ok(levels.includes(spec.priorityLevelConfiguration.name), metadata.name);
    assert.equal(status.conditions[0].type, "Dangling");
    assert.equal(status.conditions[0].status, "False");
  }
});

test("a mandatory level cannot be changed", async () => {
  const url = "/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations/catch-all";
  const answer = await expect(
    422,
    "PATCH",
    url,
    { spec: { limited: { nominalConcurrencyShares: 50 } } },
    "application/merge-patch+json",
  );
  assert.match(answer.message, /spec of 'catch-all' must equal the fixed value/);
});

test("every group that is served has an APIService, and it is local and available", async () => {
  const { items } = await expect(200, "GET", "/apis/apiregistration.k8s.io/v1/apiservices");
  const { groups } = await expect(200, "GET", "/apis");
  const served = groups.flatMap(({ name, versions }: any) =>
    versions.map(({ version }: any) => `${version}.${name}`),
  );
  for (const name of ["v1.", ...served]) {
    if (name === "v1.apiregistration.k8s.io") continue;
    const found = items.find(({ metadata }: any) => metadata.name === name);
    assert.equal(found?.status.conditions[0].reason, "Local", name);
  }
});

test("requests of a group that is another server's are not passed on, and the answer says so", async () => {
  const path = "/apis/metrics.example.com/v1beta1";
  await expect(404, "GET", `${path}/nodes`);
  await expect(201, "POST", "/apis/apiregistration.k8s.io/v1/apiservices", {
    metadata: { name: "v1beta1.metrics.example.com" },
    spec: {
      group: "metrics.example.com",
      version: "v1beta1",
      service: { namespace: "kube-system", name: "metrics" },
      groupPriorityMinimum: 100,
      versionPriority: 100,
    },
  });
  for (const url of [path, `${path}/nodes`, `${path}/namespaces/default/pods/a`]) {
    const { reason, message } = await expect(503, "GET", url);
    assert.equal(reason, "ServiceUnavailable");
    assert.match(message, /^service unavailable: v1beta1\.metrics\.example\.com is served by/);
  }
});

test("a certificate: asked for, approved, signed", async () => {
  const collection = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
  const spec = { request: requestSample, signerName: "example.com/a", usages: ["client auth"] };
  const made = await expect(201, "POST", collection, {
    metadata: { name: "jane" },
    spec: { ...spec, username: "mallory", groups: ["system:masters", "x"] },
  });
  assert.deepEqual(made.spec, {
    ...spec,
    username: "admin",
    groups: ["system:masters", "system:authenticated"],
  });
  const condition = { type: "Approved", status: "True", reason: "Test", message: "m" };
  const patch = { status: { conditions: [condition] } };
  const merge = "application/merge-patch+json";
  const url = `${collection}/jane`;
  // Neither the object nor its status says that it is approved.
  assert.deepEqual((await expect(200, "PATCH", url, patch, merge)).status, {});
  const { message } = await expect(422, "PATCH", `${url}/status`, patch, merge);
  assert.match(message, /updates may not add a condition of type "Approved"$/);
  const approved = await expect(200, "PATCH", `${url}/approval`, patch, merge);
  assert.equal(approved.status.conditions[0].type, "Approved");
  assert.ok(approved.status.conditions[0].lastTransitionTime);
  const signed = await expect(
    200,
    "PATCH",
    `${url}/status`,
    { status: { certificate: certificateSample } },
    merge,
  );
  assert.equal(signed.status.certificate, certificateSample);
  assert.equal(signed.status.conditions[0].type, "Approved");
  const found = await expect(200, "GET", `${collection}?fieldSelector=spec.signerName%3Dexample.com/a`);
  assert.deepEqual(names(found), ["jane"]);
});

test("conditions of any type go through approval and status, annotations too", async () => {
  const url = "/apis/certificates.k8s.io/v1/certificatesigningrequests/any";
  await expect(201, "POST", url.slice(0, -4), {
    metadata: { name: "any" },
    spec: { request: requestSample, signerName: "example.com/a", usages: ["client auth"] },
  });
  const condition = (type: string) => ({ type, status: "True", reason: "Test", message: "m" });
  const types = (object: any): string[] => object.status.conditions.map(({ type }: any) => type);
  const patched = await expect(
    200,
    "PATCH",
    `${url}/approval`,
    { metadata: { annotations: { approval: "true" } }, status: { conditions: [condition("Patched")] } },
    "application/merge-patch+json",
  );
  assert.deepEqual(types(patched), ["Patched"]);
  assert.equal(patched.metadata.annotations.approval, "true");
  const current = await expect(200, "GET", `${url}/approval`);
  current.status.conditions.push(condition("Approved"));
  const approved = await expect(200, "PUT", `${url}/approval`, current);
  assert.deepEqual(types(approved), ["Patched", "Approved"]);
  approved.status.conditions.push(condition("Updated"));
  approved.status.certificate = certificateSample;
  const updated = await expect(200, "PUT", `${url}/status`, approved);
  assert.deepEqual(types(updated), ["Patched", "Approved", "Updated"]);
  assert.equal(updated.status.certificate, certificateSample);
});
