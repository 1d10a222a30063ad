// Asking an extender over real sockets: certificates, times, codes and what is no answer.

import assert from "node:assert/strict";
import { createServer as createPlain, type Server } from "node:http";
import { createServer as createTls } from "node:https";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { TLSSocket } from "node:tls";
import { createAuthority, issue } from "#pki/certificates.ts";
import { ExtenderClient } from "./extender-client.ts";
import type { ExtenderConfig, ExtenderTls } from "./plan/extender-protocol.ts";

const hourMs = 3_600_000;
const config: ExtenderConfig = {
  urlPrefix: "",
  filterVerb: "filter",
  prioritizeVerb: "",
  preemptVerb: "",
  bindVerb: "",
  weight: 0,
  timeoutMs: 60_000,
  nodeCacheCapable: true,
  managedResources: new Set(),
  ignorable: false,
  tls: undefined,
};

async function serving(server: Server, use: (address: string) => Promise<void>): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await use(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

async function ask(given: Partial<ExtenderConfig>, verb: string): Promise<unknown> {
  const client = new ExtenderClient({ ...config, ...given });
  try {
    return await client.ask(verb, { NodeNames: ["a"] });
  } finally {
    client.close();
  }
}

test("answers, codes, and what is no answer", () => {
  const server = createPlain((request, response) => {
    if (request.url === "/x/slow") return;
    if (request.url === "/x/cut") return void request.socket.destroy();
    response.statusCode = request.url === "/x/moved" ? 302 : 200;
    response.setHeader("location", "/x/echo");
    if (request.url === "/x/words") response.end("well");
    else request.pipe(response);
  });
  return serving(server, async (address) => {
    const urlPrefix = `http://${address}/x//`;
    assert.deepEqual(await ask({ urlPrefix }, "echo"), { NodeNames: ["a"] });
    const at = (verb: string): string => `extender http://${address}/x/${verb}: `;
    await assert.rejects(ask({ urlPrefix }, "moved"), { message: `${at("moved")}failed with code 302` });
    await assert.rejects(ask({ urlPrefix }, "words"), { message: `${at("words")}the answer is no JSON` });
    await assert.rejects(ask({ urlPrefix }, "cut"), { message: `${at("cut")}socket hang up` });
    await assert.rejects(ask({ urlPrefix, timeoutMs: 50 }, "slow"), {
      message: `${at("slow")}context deadline exceeded`,
    });
  });
});

test("who stops does not wait for an answer", () =>
  serving(createPlain(), async (address) => {
    const client = new ExtenderClient({ ...config, urlPrefix: `http://${address}` });
    const asked = client.ask("slow", {});
    client.close();
    await assert.rejects(asked, /^Error: extender /);
  }));

test("TLS: an authority of its own, a name, certificates of ours; nobody is trusted unseen", async () => {
  const times = { notBeforeMs: Date.now() - hourMs, validMs: 24 * hourMs };
  const authority = await createAuthority("extenders", times.notBeforeMs, times.validMs);
  const own = await issue(authority, {
    subject: { commonName: "extender.example" },
    usages: ["client", "server"],
    dnsNames: ["extender.example"],
    ...times,
  });
  const server = createTls(
    {
      cert: own.certificate,
      key: own.key,
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: false,
    },
    (request, response) => {
      response.end(JSON.stringify({ isKnown: (request.socket as TLSSocket).authorized }));
    },
  );
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  await serving(server, async (address) => {
    const urlPrefix = `https://${address}`;
    const by = (tls: ExtenderTls | undefined): Promise<unknown> => ask({ urlPrefix, tls }, "filter");
    const caData = base64(authority.certificate);
    const serverName = "extender.example";
    assert.deepEqual(await by({ caData, serverName }), { isKnown: false });
    assert.deepEqual(await by({ insecure: true }), { isKnown: false });
    const certified = { certData: base64(own.certificate), keyData: base64(own.key) };
    assert.deepEqual(await by({ caData, serverName, ...certified }), { isKnown: true });
    await assert.rejects(by(undefined), /unable to verify|self-signed/);
    await assert.rejects(by({ caData, serverName: "other.example" }), /does not match certificate/);
  });
});
