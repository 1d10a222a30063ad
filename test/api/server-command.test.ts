// `leme server` as a process: what --client-ca-file accepts, and how it refuses what it cannot read.

import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createHttpsTransport } from "#client/https-transport.ts";
import { createAuthority, issue } from "#pki/certificates.ts";
import { eventually } from "../control-plane/control-plane.ts";
import { ask } from "./api-under-test.ts";

const main = join(import.meta.dirname, "../../src/cli/main.ts");
const hourMs = 3_600_000;
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "leme-server-"));
});
after(() => rm(folder, { recursive: true }));

const start = (...flags: string[]): ChildProcess =>
  spawn(
    process.execPath,
    [main, "server", "--data-dir", join(folder, "data"), "--secure-port", "0", ...flags],
    {
      stdio: ["ignore", "ignore", "pipe"],
    },
  );

async function refusal(...flags: string[]): Promise<string> {
  const server = start(...flags);
  let text = "";
  server.stderr?.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const [code] = (await once(server, "close")) as [number];
  assert.notEqual(code, 0);
  return text;
}

test("a file that is not there, or holds no certificate", async () => {
  const missing = join(folder, "missing.pem");
  assert.match(await refusal("--client-ca-file", missing), /--client-ca-file: .*missing\.pem: ENOENT/);
  const empty = join(folder, "empty.pem");
  await writeFile(empty, "nothing\n");
  assert.match(await refusal("--client-ca-file", empty), /empty\.pem: there is no PEM certificate in it/);
  const broken = join(folder, "broken.pem");
  await writeFile(broken, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  assert.match(
    await refusal("--client-ca-file", broken),
    /broken\.pem: its certificate number 1 cannot be read/,
  );
});

test("certificates of every authority in the file are accepted, the cluster's own too", async () => {
  const notBeforeMs = Date.now() - hourMs;
  const authorities = [
    await createAuthority("one", notBeforeMs, 24 * hourMs),
    await createAuthority("two", notBeforeMs, 24 * hourMs),
  ];
  const bundle = join(folder, "bundle.pem");
  await writeFile(bundle, authorities.map(({ certificate }) => certificate).join("\n"));
  const kubeconfig = join(folder, "kubeconfig");
  const server = start("--client-ca-file", bundle, "--write-kubeconfig", kubeconfig);
  try {
    const text = await eventually(() => readFile(kubeconfig, "utf8").catch(() => undefined));
    const config = JSON.parse(text) as {
      clusters: { cluster: { server: string; "certificate-authority-data": string } }[];
      users: { user: { "client-certificate-data": string; "client-key-data": string } }[];
    };
    const { cluster } = config.clusters[0] as (typeof config.clusters)[0];
    const { user } = config.users[0] as (typeof config.users)[0];
    const decode = (data: string): string => Buffer.from(data, "base64").toString();
    const pairs = [
      { certificate: decode(user["client-certificate-data"]), key: decode(user["client-key-data"]) },
      ...(await Promise.all(
        authorities.map((authority) =>
          issue(authority, {
            subject: { commonName: "partner", organizations: ["system:masters"] },
            usages: ["client"],
            notBeforeMs,
            validMs: 2 * hourMs,
          }),
        ),
      )),
    ];
    for (const { certificate, key } of pairs) {
      const transport = createHttpsTransport({
        server: cluster.server,
        certificateAuthority: decode(cluster["certificate-authority-data"]),
        clientCertificate: certificate,
        clientKey: key,
      });
      assert.equal((await ask(transport, "GET", "/api/v1/nodes")).status, 200);
      await transport.close();
    }
  } finally {
    server.kill("SIGTERM");
    if (server.exitCode === null) await once(server, "close");
  }
});
