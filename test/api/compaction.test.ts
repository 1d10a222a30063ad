// What is left of the past once the store has forgotten it: 410, and the way on. Time is the test's.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ManualClock } from "#base/manual-clock.ts";
import { seededRandom } from "#base/random.ts";
import { silentLogger } from "#base/log.ts";
import { createApiServer, type ApiServer } from "#apiserver/server.ts";
import { alwaysAllow } from "#apiserver/auth/authorizers.ts";
import type { Transport } from "#machinery/api-request.ts";
import { builtinResources } from "#resources/index.ts";
import { openStore } from "#store/open.ts";
import type { Store } from "#store/store.ts";
import { eventually } from "../control-plane/control-plane.ts";
import { admin, ask, watch } from "./api-under-test.ts";
import { names } from "./conformance.ts";

const clock = new ManualClock();
const historyMs = 60_000;
const path = "/api/v1/namespaces/default/configmaps";
let store: Store;
let server: ApiServer;
let transport: Transport;

async function startServer(): Promise<void> {
  server = await createApiServer({
    store,
    resources: builtinResources,
    settings: { serviceClusterIpRanges: ["10.96.0.0/16"], serviceNodePortRange: { from: 1, to: 2 } },
    clock,
    random: seededRandom(1),
    log: silentLogger,
    admission: () => [],
    authenticator: { authenticate: () => undefined },
    authorizer: alwaysAllow,
    subresources: {},
    rulesOf: () => [],
    issuer: "https://test",
    jwks: () => ({}),
    historyMs,
  });
  transport = server.direct(admin);
}

before(async () => {
  store = await openStore({ engine: "memory" }, clock);
  await startServer();
  for (const name of ["a", "b", "c", "d"])
    assert.equal((await ask(transport, "POST", path, { body: { metadata: { name } } })).status, 201);
});
after(async () => {
  await server.stop();
  await store.close();
});

/** Periods pass until what is now is all that is remembered. */
async function forget(): Promise<void> {
  const { revision } = store;
  await eventually(async () => {
    clock.advance(historyMs);
    await new Promise((resolve) => setImmediate(resolve));
    return store.compactedRevision >= revision;
  });
}

test("a continue token outlives its revision as one that goes on inconsistently", async () => {
  const first = (await ask(transport, "GET", `${path}?limit=2`)).json;
  await ask(transport, "POST", path, { body: { metadata: { name: "e" } } });
  await ask(transport, "DELETE", `${path}/c`);
  await forget();
  const late = await ask(transport, "GET", `${path}?limit=2&continue=${first.metadata.continue}`);
  assert.equal(late.status, 410);
  assert.equal(late.json.reason, "Expired");
  assert.equal(
    late.json.message,
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
  );
  const token = late.json.metadata.continue as string;
  assert.deepEqual(JSON.parse(Buffer.from(token, "base64url").toString()), {
    v: "meta.k8s.io/v1",
    rv: -1,
    start: "b\0",
  });
  const rest = (await ask(transport, "GET", `${path}?limit=1&continue=${token}`)).json;
  assert.deepEqual(names(rest), ["d"]);
  assert.equal(rest.metadata.resourceVersion, String(store.revision));
  assert.equal(rest.metadata.remainingItemCount, 1);
  const end = (await ask(transport, "GET", `${path}?limit=1&continue=${rest.metadata.continue}`)).json;
  assert.deepEqual(names(end), ["e"]);
});

test("a list of exactly then", async () => {
  const { revision } = store;
  await ask(transport, "POST", path, { body: { metadata: { name: "f" } } });
  await forget();
  const { status, json } = await ask(
    transport,
    "GET",
    `${path}?resourceVersion=${revision}&resourceVersionMatch=Exact`,
  );
  assert.deepEqual([status, json.reason], [410, "Expired"]);
  assert.equal(json.message, "The resourceVersion for the provided list is too old.");
  assert.equal(json.metadata.continue, undefined);
});

test("a watch from before the server began is a stream whose only event is the error", async () => {
  await server.stop();
  await startServer();
  const watching = await watch(transport, `${path}?watch=true&resourceVersion=1`);
  const event = await watching.next();
  assert.equal(event?.type, "ERROR");
  assert.deepEqual(event?.object, {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: `too old resource version: 1 (${store.revision})`,
    reason: "Expired",
    code: 410,
  });
  assert.equal(await watching.next(), undefined, "and then it ends");
});

test("a shared watch has the same error", async () => {
  const response = await transport.request({
    method: "GET",
    path,
    query: "watch=true&resourceVersion=1",
    headers: { "leme-shared-objects": "true" },
  });
  assert.equal(response.body.kind, "events");
  if (response.body.kind !== "events") return;
  for await (const [event] of response.body.events)
    assert.equal((event?.object as unknown as { code: number }).code, 410);
});
