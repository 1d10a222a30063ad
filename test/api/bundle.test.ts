// The program as it is bundled: the thread that makes OpenAPI documents and the documentation are where it looks for them.

import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createHttpsTransport } from "#client/https-transport.ts";
import { decodeCbor } from "#machinery/codec/cbor.ts";
import type { Transport } from "#machinery/api-request.ts";
import { eventually } from "../control-plane/control-plane.ts";
import { ask } from "./api-under-test.ts";

const program = join(import.meta.dirname, "../../bin/leme");
let folder: string;
let server: ChildProcess;
let transport: Transport;

const start = (...flags: string[]): ChildProcess =>
  spawn(program, ["server", "--data-dir", join(folder, "data"), "--secure-port", "0", ...flags], {
    stdio: ["ignore", "ignore", "pipe"],
  });

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "leme-bundle-"));
  const kubeconfig = join(folder, "kubeconfig");
  server = start("--feature-gates=CBORServingAndStorage=true", "--write-kubeconfig", kubeconfig);
  server.stderr?.resume();
  const config = JSON.parse(
    await eventually(() => readFile(kubeconfig, "utf8").catch(() => undefined)),
  ) as any;
  const decode = (data: string): string => Buffer.from(data, "base64").toString();
  const { cluster } = config.clusters[0];
  const { user } = config.users[0];
  transport = createHttpsTransport({
    server: cluster.server,
    certificateAuthority: decode(cluster["certificate-authority-data"]),
    clientCertificate: decode(user["client-certificate-data"]),
    clientKey: decode(user["client-key-data"]),
  });
});
after(async () => {
  await transport?.close();
  server.kill("SIGTERM");
  if (server.exitCode === null) await once(server, "close");
  await rm(folder, { recursive: true });
});

test("OpenAPI, with documentation", async () => {
  const { json } = await ask(transport, "GET", "/openapi/v3/api/v1");
  const pod = json.components.schemas["io.k8s.api.core.v1.Pod"];
  assert.match(pod.description, /^Pod is a collection of containers/);
  assert.match(pod.properties.spec.description, /^Specification of the desired behavior/);
  const v2 = await ask(transport, "GET", "/openapi/v2", {
    headers: { accept: "application/com.github.proto-openapi.spec.v2.v1.0+protobuf" },
  });
  assert.equal(v2.status, 200);
  assert.ok(v2.bytes.includes("Pod is a collection of containers"));
});

test("a feature that was asked for", async () => {
  const { bytes } = await ask(transport, "GET", "/api/v1/namespaces/default", {
    headers: { accept: "application/cbor" },
  });
  assert.equal((decodeCbor(bytes).value as any).metadata.name, "default");
});

test("features that there are none of are refused", async () => {
  for (const [gate, why] of [
    ["Nothing=true", /unrecognized feature gate: Nothing/],
    ["CBORServingAndStorage=perhaps", /is not CBORServingAndStorage=true or CBORServingAndStorage=false/],
  ] as const) {
    const refused = start(`--feature-gates=${gate}`);
    let text = "";
    refused.stderr?.on("data", (chunk: Buffer) => (text += chunk.toString()));
    const [code] = (await once(refused, "close")) as [number];
    assert.notEqual(code, 0);
    assert.match(text, why);
  }
});
