// A server that starts over a store with custom resources serves them from its first answer on.

import assert from "node:assert/strict";
import { test } from "node:test";
import { realClock } from "#base/clock.ts";
import { silentLogger } from "#base/log.ts";
import { seededRandom } from "#base/random.ts";
import { privilegedGroupAuthorizer } from "#apiserver/auth/authorizers.ts";
import { createApiServer, type ApiServer } from "#apiserver/server.ts";
import { builtinResources } from "#resources/index.ts";
import { openStore } from "#store/open.ts";
import type { Store } from "#store/store.ts";
import { eventually } from "../control-plane/control-plane.ts";
import { admin, ask } from "./api-under-test.ts";

const start = (store: Store): Promise<ApiServer> =>
  createApiServer({
    store,
    resources: builtinResources,
    settings: { serviceClusterIpRanges: [], serviceNodePortRange: { from: 1, to: 2 } },
    clock: realClock,
    random: seededRandom(1),
    log: silentLogger,
    admission: () => [],
    authenticator: { authenticate: () => undefined },
    authorizer: privilegedGroupAuthorizer,
    subresources: {},
    rulesOf: () => [],
    issuer: "https://issuer",
    jwks: () => ({ keys: [] }),
  });

test("custom resources survive a restart, with their rules", async () => {
  const store = await openStore({ engine: "memory" }, realClock);
  const spec = {
    type: "object",
    properties: { crew: { type: "integer", default: 1 } },
    "x-kubernetes-validations": [{ rule: "self.crew < 9" }],
  };
  const crd = {
    metadata: { name: "boats.sea.example.com" },
    spec: {
      group: "sea.example.com",
      scope: "Cluster",
      names: { plural: "boats", kind: "Boat" },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: "object", properties: { spec } } },
        },
      ],
    },
  };
  const crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  const boats = "/apis/sea.example.com/v1/boats";
  const merge = { "content-type": "application/merge-patch+json" };
  let server = await start(store);
  let api = server.direct(admin);
  assert.equal((await ask(api, "POST", crds, { body: crd })).status, 201);
  assert.equal((await ask(api, "GET", boats)).status, 404);
  const { json } = await ask(api, "GET", `${crds}/boats.sea.example.com`);
  const status = {
    ...json.status,
    acceptedNames: json.spec.names,
    conditions: [{ type: "Established", status: "True" }],
  };
  const established = await ask(api, "PATCH", `${crds}/boats.sea.example.com/status`, {
    body: { status },
    headers: merge,
  });
  assert.equal(established.status, 200, established.text);
  await eventually(async () => (await ask(api, "GET", boats)).status === 200);
  const made = await ask(api, "POST", boats, { body: { metadata: { name: "a" }, spec: {} } });
  assert.equal(made.status, 201, made.text);
  await server.stop();

  server = await start(store);
  api = server.direct(admin);
  assert.deepEqual((await ask(api, "GET", `${boats}/a`)).json, made.json);
  const refused = await ask(api, "PATCH", `${boats}/a`, { body: { spec: { crew: 9 } }, headers: merge });
  assert.equal(refused.status, 422);
  await server.stop();
  await store.close();
});
