// What happens on the connection itself: compression, large lists, upgrades that are none, slow readers, going away.

import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { gunzipSync } from "node:zlib";
import { collectBody } from "#client/body.ts";
import type { Transport } from "#machinery/api-request.ts";
import { eventually } from "../control-plane/control-plane.ts";
import { ask, startApi, watch, type Api } from "./api-under-test.ts";

const path = "/api/v1/namespaces/default/configmaps";
const count = 300;
let api: Api;

before(async () => {
  api = await startApi();
  const direct = api.transport("direct");
  const data = { x: "y".repeat(1000) };
  for (let at = 0; at < count; at++)
    assert.equal(
      (await ask(direct, "POST", path, { body: { metadata: { name: `m${at}` }, data } })).status,
      201,
    );
});
after(() => api.stop());

for (const over of ["https", "http/1.1"] as const) {
  test(`a large list over ${over}, as it is and compressed`, async () => {
    const transport = api.transport(over);
    const plain = await ask(transport, "GET", path);
    assert.equal(plain.headers["content-encoding"], undefined);
    assert.equal(plain.json.items.length, count + 1);
    assert.equal(Number(plain.headers["content-length"]), Buffer.byteLength(plain.text));
    const packed = await transport.request({
      method: "GET",
      path,
      query: "",
      headers: { "accept-encoding": "gzip" },
    });
    assert.equal(packed.headers["content-encoding"], "gzip");
    assert.equal(gunzipSync(await collectBody(packed.body)).toString(), plain.text);
    const small = await ask(transport, "GET", `${path}/m1`, { headers: { "accept-encoding": "gzip" } });
    assert.equal(small.headers["content-encoding"], undefined);
  });
}

/** An upgrade request for `url`, and the whole answer. */
async function upgrade(url: string): Promise<string> {
  const { certificateAuthority: ca, clientCertificate: cert, clientKey: key } = api.access;
  const socket = connectTls({
    port: api.plane.port,
    host: "127.0.0.1",
    ca,
    cert,
    key,
    ALPNProtocols: ["http/1.1"],
  });
  await once(socket, "secureConnect");
  const headers =
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAA\r\n";
  socket.write(`GET ${url} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`);
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
  await once(socket, "close");
  return text;
}

test("an upgrade of what is no stream is answered as ever, and a watch says how to ask for it", async () => {
  assert.match(await upgrade("/version"), /^HTTP\/1\.1 200 OK\r\n[^]*"minor":"36"/);
  assert.match(await upgrade("/api/v1/frobs"), /^HTTP\/1\.1 404 Not Found\r\n/);
  assert.match(
    await upgrade(`${path}?watch=true`),
    /^HTTP\/1\.1 400 Bad Request\r\n[^]*leave out the Upgrade header/,
  );
});

test("a stream without an upgrade says that it needs one", async () => {
  const direct = api.transport("direct");
  const pod = { metadata: { name: "p" }, spec: { nodeName: "n", containers: [{ name: "c", image: "i" }] } };
  await ask(direct, "POST", "/api/v1/nodes", {
    body: { metadata: { name: "n" }, status: { addresses: [{ type: "InternalIP", address: "127.0.0.1" }] } },
  });
  await ask(direct, "POST", "/api/v1/namespaces/default/pods", { body: pod });
  const exec = await ask(
    api.transport("https"),
    "POST",
    "/api/v1/namespaces/default/pods/p/exec?command=ls&stdout=true",
  );
  assert.deepEqual([exec.status, exec.json.message], [400, "Upgrade request required"]);
});

test("a watcher that does not read is let go, and may resume", async () => {
  const direct = api.transport("direct");
  const watching = await watch(direct, `${path}?watch=true&fieldSelector=metadata.name%3Dbusy`);
  const headers = { "content-type": "application/merge-patch+json" };
  await ask(direct, "POST", path, { body: { metadata: { name: "busy" } } });
  for (let at = 0; at < 2_200; at++)
    await ask(direct, "PATCH", `${path}/busy`, { body: { data: { x: String(at) } }, headers });
  let last: string | undefined;
  let seen = 0;
  for (let event = await watching.next(); event !== undefined; event = await watching.next()) {
    last = event.object.metadata.resourceVersion;
    seen++;
  }
  assert.ok(seen >= 1_000 && seen < 2_201, `${seen} events, and then the end`);
  const resumed = await watch(
    direct,
    `${path}?watch=true&fieldSelector=metadata.name%3Dbusy&resourceVersion=${last}`,
  );
  const next = await resumed.next();
  assert.equal(next?.type, "MODIFIED");
  assert.ok(Number(next?.object.metadata.resourceVersion) > Number(last));
  resumed.stop();
});

test("watchers that go away are forgotten", async () => {
  const transport: Transport = api.transport("https");
  const before = api.plane.server.watchers;
  const open = await Promise.all(
    Array.from({ length: 5 }, () => watch(transport, `${path}?watch=true&limit=1`)),
  );
  assert.equal(api.plane.server.watchers, before + 5);
  for (const watching of open) watching.stop();
  await eventually(() => Promise.resolve(api.plane.server.watchers === before));
});
