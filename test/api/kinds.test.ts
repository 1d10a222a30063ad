// Every kind that is served and stored can be created, read, listed, watched, changed in every way and deleted.
// Its sample is in samples.ts: a kind without one fails.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Transport } from "#machinery/api-request.ts";
import type { ResourceDefinition } from "#machinery/define-resource.ts";
import { apiVersionOf } from "#machinery/meta.ts";
import { builtinResources } from "#resources/index.ts";
import { eventually } from "../control-plane/control-plane.ts";
import { ask, startApi, watch, type Answer, type Api } from "./api-under-test.ts";
import { workloads } from "./samples-apps.ts";
import { definitionSamples } from "./samples-core.ts";
import { newerEvent } from "./samples-system.ts";
import { samples } from "./samples.ts";

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
): Promise<Answer> {
  const answer = await ask(transport, method, url, {
    ...(body === undefined ? {} : { body, headers: { "content-type": type } }),
  });
  assert.equal(answer.status, status, `${method} ${url}: ${answer.text}`);
  return answer;
}

const pathOf = ({ group, version, resource, namespaced }: ResourceDefinition): string =>
  [group === "" ? "/api" : `/apis/${group}`, version, namespaced ? "namespaces/default" : "", resource]
    .filter(Boolean)
    .join("/");

const deletion = { gracePeriodSeconds: 0, propagationPolicy: "Background" };
/** Apart from the others: a controller is quick to take part in its end. */
const namespace = ["/api/v1/namespaces", { metadata: { name: "x" } }] as const;
const byPath = new Map(
  [...samples, ...workloads, ...definitionSamples, namespace, newerEvent].map(([collection, object]) => [
    collection,
    object,
  ]),
);
const stored = builtinResources.filter(({ verbs }) => verbs.includes("create") && verbs.includes("delete"));

/** Through all that can be done with one object. */
async function lifecycle(definition: ResourceDefinition, sample: any): Promise<void> {
  const collection = pathOf(definition);
  const object = structuredClone(sample);
  delete object.metadata.finalizers;
  object.metadata.labels = { ...object.metadata.labels, "kinds-test": "mine" };
  const { name } = object.metadata;
  const url = `${collection}/${name}`;
  const mine = `${collection}?labelSelector=kinds-test%3Dmine`;
  const { kind } = definition;
  const apiVersion = apiVersionOf(definition);

  const created = (await expect(201, "POST", collection, object)).json;
  assert.equal(created.kind, kind);
  assert.equal(created.apiVersion, apiVersion);
  assert.deepEqual((await expect(200, "GET", url)).json, created);
  const list = (await expect(200, "GET", mine)).json;
  assert.equal(list.kind, `${kind}List`);
  assert.deepEqual(
    list.items.map((item: any) => item.metadata.uid),
    [created.metadata.uid],
  );
  const watching = await watch(
    transport,
    `${mine}&watch=true&resourceVersion=${created.metadata.resourceVersion}`,
  );
  let last: string | undefined;
  const next = async (type: string, step: string): Promise<void> => {
    let event = await watching.next();
    // What the server itself writes of some kinds (conditions) comes in between.
    while (event?.object.metadata.labels.step === last) event = await watching.next();
    assert.equal(event?.type, type);
    assert.equal(event?.object.metadata.labels.step, step);
    last = step;
  };
  const label = (step: string) => ({ metadata: { labels: { step } } });
  await expect(200, "PATCH", url, label("merge"), "application/merge-patch+json");
  await next("MODIFIED", "merge");
  await expect(200, "PATCH", url, label("strategic"), "application/strategic-merge-patch+json");
  await next("MODIFIED", "strategic");
  const operations = [{ op: "replace", path: "/metadata/labels/step", value: "json" }];
  await expect(200, "PATCH", url, operations, "application/json-patch+json");
  await next("MODIFIED", "json");
  const configuration = { apiVersion, kind, metadata: { name, labels: { step: "apply" } } };
  await expect(
    200,
    "PATCH",
    `${url}?fieldManager=test&force=true`,
    configuration,
    "application/apply-patch+yaml",
  );
  await next("MODIFIED", "apply");
  const changed = (await expect(200, "GET", url)).json;
  changed.metadata.labels.step = "update";
  await expect(200, "PUT", url, changed);
  await next("MODIFIED", "update");
  if (definition.status !== undefined) {
    const { status } = (await expect(200, "GET", `${url}/status`)).json;
    const annotated = (await expect(200, "GET", url)).json;
    annotated.metadata.annotations = { "kinds-test": "status" };
    const { metadata, ...rest } = (await expect(200, "PUT", `${url}/status`, annotated)).json;
    assert.deepEqual(rest.status, status);
    assert.equal(metadata.name, name);
  }
  const table = (await ask(transport, "GET", url, { headers: { accept: tableType } })).json;
  assert.equal(table.kind, "Table");
  assert.equal(table.rows[0].cells.length, table.columnDefinitions.length);
  await expect(200, "DELETE", url, deletion);
  watching.stop();
  await eventually(async () => (await ask(transport, "GET", url)).status === 404);

  if (!definition.verbs.includes("deletecollection")) return;
  await expect(201, "POST", collection, object);
  await expect(200, "DELETE", mine, deletion);
  await eventually(async () => (await ask(transport, "GET", mine)).json.items.length === 0);
}

const tableType = "application/json;as=Table;v=v1;g=meta.k8s.io";

for (const definition of stored) {
  const title = `${definition.kind}.${apiVersionOf(definition)}`;
  test(`${title}: everything that can be done with an object`, async () => {
    const sample = byPath.get(pathOf(definition));
    assert.ok(sample !== undefined, `samples.ts has no ${title} at ${pathOf(definition)}`);
    await lifecycle(definition, sample);
  });
}
