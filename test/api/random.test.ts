// Random changes to valid objects, from a seed: none is a server error, and whatever is accepted is kept in a form
// that stays as it is when it is written back, and that every encoding shows alike.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { collectBody } from "#client/body.ts";
import { decodeProtobuf } from "#machinery/codec/protobuf.ts";
import { parseYaml } from "#machinery/codec/yaml.ts";
import type { Transport } from "#machinery/api-request.ts";
import { ask, startApi, type Answer, type Api } from "./api-under-test.ts";
import { jsonPatch, mergePatch, strategicPatch } from "./conformance.ts";
import { workloads } from "./samples-apps.ts";
import { changed, odd, pathsOf, pick } from "./random-changes.ts";
import { samples } from "./samples.ts";

const rounds = 25;
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

/** The object at `url` is a fixed point: written back it is the same revision, and all encodings agree. */
async function isSettled(url: string): Promise<void> {
  const got = await send("GET", url);
  if (got.status !== 200) return;
  const back = await send("PUT", url, got.json);
  assert.deepEqual([back.status, back.json], [200, got.json], "written back");
  const patched = await send(
    "PATCH",
    url,
    { metadata: { labels: got.json.metadata.labels ?? {} } },
    strategicPatch,
  );
  assert.deepEqual([patched.status, patched.json], [200, got.json], "patched with what it has");
  const yaml = await send("GET", url, undefined, { accept: "application/yaml" });
  assert.deepEqual(parseYaml(yaml.text).value, got.json);
  const { body } = await direct.request({
    method: "GET",
    path: url,
    query: "",
    headers: { accept: "application/vnd.kubernetes.protobuf" },
  });
  assert.deepEqual(decodeProtobuf(await collectBody(body)).object, got.json);
}

/** The second version of an object is the same object. */
const isOwn = ([collection]: readonly [string, object]): boolean => !collection.includes("/autoscaling/v1/");

for (const [collection, sample] of [...samples, ...workloads].filter(isOwn)) {
  test(`random writes to ${collection}`, async () => {
    const url = `${collection}/x`;
    const whole = await send("POST", collection, sample);
    assert.equal(whole.status, 201, whole.text);
    await isSettled(url);
    for (let round = 0; round < rounds; round++) {
      await send("PUT", url, changed(sample));
      await send("PUT", `${url}/status`, changed(sample));
      await send(
        "PATCH",
        `${url}?fieldValidation=Strict`,
        changed(sample),
        pick([mergePatch, strategicPatch]),
      );
      const path = `/${pick(pathsOf(sample)).join("/")}`;
      const op = pick(["add", "replace", "remove", "test", "copy", "move"]);
      await send("PATCH", url, [{ op, path, from: "/metadata/name", value: pick(odd) }], jsonPatch);
      // Labels that an update of the status has taken away come back from the template.
      if (!collection.endsWith("replicationcontrollers")) await isSettled(url);
      await send("PATCH", url, { metadata: { finalizers: null } }, mergePatch);
      await send(
        "DELETE",
        url,
        changed({ gracePeriodSeconds: 0, propagationPolicy: "Background", dryRun: [] }),
      );
      await send("POST", collection, changed(sample));
      await send("GET", collection, undefined, { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" });
    }
  });
}
