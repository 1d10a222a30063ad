// Malformed inputs: each is refused with the documented status, reason and words, changes nothing, and leaves the
// server alive.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Transport } from "#machinery/api-request.ts";
import { ask, startApi, transportNames, type Api, type TransportName } from "./api-under-test.ts";
import { configMaps, controllers, pods, type Malformed } from "./malformed.ts";
import { malformedBodies } from "./malformed-bodies.ts";
import { malformedObjects } from "./malformed-objects.ts";
import { malformedPatches } from "./malformed-patches.ts";
import { malformedPods } from "./malformed-pods.ts";
import { malformedRequests } from "./malformed-requests.ts";
import { malformedWrites } from "./malformed-writes.ts";

const rows: readonly Malformed[] = [
  ...malformedBodies,
  ...malformedObjects,
  ...malformedPatches,
  ...malformedPods,
  ...malformedRequests,
  ...malformedWrites,
];
const container = { name: "c", image: "i" };

/** What the rows aim at. The pod asks for a scheduler that there is not, so that nobody touches it. */
const targets: readonly [string, object][] = [
  [configMaps, { metadata: { name: "held" }, data: { a: "1" } }],
  [configMaps, { metadata: { name: "frozen" }, data: { a: "1" }, immutable: true }],
  [pods, { metadata: { name: "held" }, spec: { schedulerName: "none", containers: [container] } }],
  ["/api/v1/namespaces/default/secrets", { metadata: { name: "held" } }],
  ["/apis/coordination.k8s.io/v1/namespaces/default/leases", { metadata: { name: "held" } }],
  [
    controllers,
    {
      metadata: { name: "held" },
      spec: {
        replicas: 0,
        template: { metadata: { labels: { a: "b" } }, spec: { containers: [container] } },
      },
    },
  ],
];

let api: Api;
const transports = new Map<TransportName, Transport>();

before(async () => {
  api = await startApi();
  for (const name of transportNames) transports.set(name, api.transport(name));
  for (const [path, object] of targets) {
    const { status, text } = await ask(transports.get("direct") as Transport, "POST", path, { body: object });
    assert.equal(status, 201, text);
  }
});
after(() => api.stop());

test("there are more than a hundred of them, each with its own name", () => {
  assert.ok(rows.length >= 100, String(rows.length));
  assert.equal(new Set(rows.map(({ name }) => name)).size, rows.length);
});

async function refuses(row: Malformed, over: TransportName): Promise<void> {
  const before = await api.revision();
  const { status, text } = await ask(transports.get(over) as Transport, row.method, row.path, {
    ...(row.body === undefined ? {} : { body: row.body }),
    ...(row.headers === undefined ? {} : { headers: row.headers }),
  });
  assert.notEqual(text, "", `${over} ${row.name} is answered with a Status`);
  const answer = JSON.parse(text) as {
    kind: string;
    status: string;
    reason: string;
    code: number;
    message: string;
  };
  assert.equal(status, row.status, text.slice(0, 600));
  assert.equal(answer.kind, "Status");
  assert.equal(answer.status, "Failure");
  assert.equal(answer.code, row.status);
  assert.equal(answer.reason, row.reason, text.slice(0, 600));
  for (const piece of row.says)
    assert.ok(answer.message.includes(piece), `${answer.message.slice(0, 600)}\n  lacks: ${piece}`);
  assert.equal(await api.revision(), before, "nothing has changed");
}

// Each row goes over TLS; the other two transports see them all too, in one test each.
describe("malformed", () => {
  for (const row of rows) test(row.name, () => refuses(row, "https"));
});

for (const over of ["http/1.1", "direct"] as const) {
  test(`the same over ${over}`, async () => {
    for (const row of rows) {
      // Only sockets have a limit for bodies: in-process callers hand over what they hold already.
      if (over === "direct" && row.status === 413 && row.method === "POST") continue;
      await refuses(row, over);
    }
  });
}

test("the server is alive, and no prototype has been touched", async () => {
  const { status, text } = await ask(transports.get("https") as Transport, "GET", "/readyz");
  assert.deepEqual([status, text], [200, "ok"]);
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
  assert.deepEqual(Object.keys(Object.prototype), []);
});
