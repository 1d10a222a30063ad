// What of a pod has an endpoint of its own: containers for debugging, resources of running ones, eviction.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Transport } from "#machinery/api-request.ts";
import { ask, startApi, type Answer, type Api } from "./api-under-test.ts";

let api: Api;
let transport: Transport;
before(async () => {
  api = await startApi();
  transport = api.transport("direct");
});
after(() => api.stop());

const pods = "/api/v1/namespaces/default/pods";
const merge = "application/merge-patch+json";
const strategic = "application/strategic-merge-patch+json";

async function expect(
  status: number,
  method: string,
  url: string,
  body?: unknown,
  type = "application/json",
): Promise<Answer> {
  const options = body === undefined ? {} : { body, headers: { "content-type": type } };
  const answer = await ask(transport, method, url, options);
  assert.equal(answer.status, status, `${method} ${url}: ${answer.text}`);
  return answer;
}

const makePod = (name: string): Promise<Answer> =>
  expect(201, "POST", pods, {
    metadata: { name, labels: { app: name } },
    spec: {
      schedulerName: "none",
      containers: [{ name: "c", image: "i", resources: { requests: { cpu: "100m" }, limits: { cpu: "1" } } }],
    },
  });

const causes = (answer: Answer): string[] =>
  answer.json.details.causes.map(
    ({ field, message }: { field: string; message: string }) => `${field}: ${message}`,
  );

test("ephemeralcontainers: they come and never go; nothing else changes there", async () => {
  await makePod("debugged");
  const url = `${pods}/debugged/ephemeralcontainers`;
  assert.equal((await expect(200, "GET", url)).json.kind, "Pod");
  const patch = {
    spec: {
      ephemeralContainers: [{ name: "debug", image: "busybox", targetContainerName: "c" }],
      priority: 5,
    },
    metadata: { labels: { changed: "no" } },
  };
  const pod = (await expect(200, "PATCH", url, patch, strategic)).json;
  assert.equal(pod.spec.ephemeralContainers[0].terminationMessagePolicy, "File");
  assert.notEqual(pod.spec.priority, 5);
  assert.equal(pod.metadata.labels.changed, undefined);
  const second = { spec: { ephemeralContainers: [{ name: "more", image: "i" }] } };
  assert.equal((await expect(200, "PATCH", url, second, strategic)).json.spec.ephemeralContainers.length, 2);
  const gone = (await expect(422, "PATCH", url, { spec: { ephemeralContainers: [] } }, merge)).json;
  assert.match(gone.message, /existing ephemeral containers "debug" may not be removed/);
  const wrong = {
    spec: {
      ephemeralContainers: [
        { name: "c", image: "i", ports: [{ containerPort: 1 }], targetContainerName: "x" },
      ],
    },
  };
  const refused = await expect(422, "PATCH", url, wrong, strategic);
  assert.deepEqual(causes(refused), [
    'spec.ephemeralContainers[2].name: Duplicate value: "c"',
    'spec.ephemeralContainers[2].targetContainerName: Not found: "x"',
    "spec.ephemeralContainers[2].ports: Forbidden: cannot be set for an Ephemeral Container",
  ]);
  // By the way of the pod itself they cannot come.
  const direct = { spec: { ephemeralContainers: [{ name: "other", image: "i" }] } };
  assert.match(
    (await expect(422, "PATCH", `${pods}/debugged`, direct, strategic)).json.message,
    /pod updates may not/,
  );
});

test("resize: cpu and memory of containers, and only those", async () => {
  await makePod("resized");
  const url = `${pods}/resized/resize`;
  const to = (container: object): object => ({ spec: { containers: [{ name: "c", ...container }] } });
  const pod = (await expect(200, "PATCH", url, to({ resources: { requests: { cpu: "200m" } } }), strategic))
    .json;
  assert.deepEqual(pod.spec.containers[0].resources, { requests: { cpu: "200m" }, limits: { cpu: "1" } });
  assert.equal(pod.metadata.generation, 2);
  const image = (await expect(200, "PATCH", url, to({ image: "other" }), strategic)).json;
  assert.equal(image.spec.containers[0].image, "i");
  const storage = await expect(
    422,
    "PATCH",
    url,
    to({ resources: { requests: { "ephemeral-storage": "1Gi" } } }),
    strategic,
  );
  assert.deepEqual(causes(storage), [
    "spec.containers[0].resources.requests: Forbidden: only cpu and memory resources are mutable",
  ]);
  const more = await expect(422, "PATCH", url, to({ resources: { requests: { cpu: "2" } } }), strategic);
  assert.match(more.json.message, /must be less than or equal to cpu limit of 1/);
  const quality = await expect(
    422,
    "PATCH",
    url,
    to({ resources: { requests: { cpu: "1", memory: "1Gi" }, limits: { memory: "1Gi" } } }),
    strategic,
  );
  assert.match(quality.json.message, /Pod QOS Class may not change as a result of resizing/);
});

test("eviction: a pod goes, unless its budget needs it", async () => {
  const evict = (status: number, name: string, more: object = {}): Promise<Answer> =>
    expect(status, "POST", `${pods}/${name}/eviction`, {
      apiVersion: "policy/v1",
      kind: "Eviction",
      metadata: { name, namespace: "default" },
      ...more,
    });
  await makePod("free");
  await evict(201, "free", { deleteOptions: { dryRun: ["All"] } });
  await expect(200, "GET", `${pods}/free`);
  assert.equal((await evict(201, "free")).json.status, "Success");
  await expect(404, "GET", `${pods}/free`);
  await evict(404, "free");
  await makePod("named");
  assert.equal(
    (
      await expect(400, "POST", `${pods}/named/eviction`, {
        apiVersion: "policy/v1",
        kind: "Eviction",
        metadata: { name: "other" },
      })
    ).json.message,
    "name in URL does not match name in Eviction object",
  );
});
