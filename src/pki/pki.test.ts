import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createSigningKey } from "./certificates.ts";
import { ensureClusterPki, ensureNodePki } from "./cluster-pki.ts";
import { createTokenSigner } from "./service-account-tokens.ts";

const options = {
  nowMs: Date.now(),
  dnsNames: ["kubernetes", "kubernetes.default.svc"],
  ipAddresses: ["127.0.0.1", "10.96.0.1"],
};

test("a cluster's trust is made once, kept, and reissued when an address is missing", async () => {
  const dir = await mkdtemp(join(tmpdir(), "leme-pki-"));
  try {
    const first = await ensureClusterPki({ dir, ...options });
    const again = await ensureClusterPki({ dir, ...options });
    assert.deepEqual(again, first);
    const server = new X509Certificate(first.server.certificate);
    assert.equal(server.verify(new X509Certificate(first.authority.certificate).publicKey), true);
    assert.equal(server.checkIP("10.96.0.1"), "10.96.0.1");
    assert.equal(server.checkHost("kubernetes.default.svc"), "kubernetes.default.svc");
    const more = await ensureClusterPki({
      dir,
      ...options,
      ipAddresses: [...options.ipAddresses, "10.200.0.1"],
    });
    assert.notEqual(more.server.certificate, first.server.certificate);
    assert.equal(more.admin.certificate, first.admin.certificate);
    const nearExpiry = await ensureClusterPki({
      dir,
      ...options,
      nowMs: options.nowMs + 350 * 24 * 3600 * 1000,
    });
    assert.notEqual(nearExpiry.admin.certificate, first.admin.certificate);
    const node = await ensureNodePki(first.authority, {
      dir: join(dir, "n1"),
      nodeName: "n1",
      ipAddresses: ["10.200.0.11"],
      nowMs: options.nowMs,
    });
    assert.match(new X509Certificate(node.client.certificate).subject, /O=system:nodes\nCN=system:node:n1/);
  } finally {
    await rm(dir, { recursive: true });
  }
});

test("a token says who it is for, expires, and another issuer's is not ours", async () => {
  const privateKey = await createSigningKey();
  const signer = createTokenSigner({ privateKey, issuer: "https://kubernetes.default.svc" });
  const other = createTokenSigner({ privateKey, issuer: "https://elsewhere" });
  const forged = createTokenSigner({
    privateKey: await createSigningKey(),
    issuer: "https://kubernetes.default.svc",
  });
  const subject = {
    namespace: "default",
    name: "builder",
    uid: "u1",
    boundTo: { kind: "Pod" as const, name: "p", uid: "u2" },
    node: { name: "n1" },
  };
  const nowMs = 1_800_000_000_000;
  const make = { audiences: ["api"], id: "j1", nowMs, lifetimeSeconds: 600 };
  const token = await signer.sign(subject, make);
  assert.deepEqual(await signer.verify(token, nowMs + 1000), {
    ...subject,
    audiences: ["api"],
    id: "j1",
    issuedAtSeconds: 1_800_000_000,
    expiresAtSeconds: 1_800_000_600,
  });
  await assert.rejects(signer.verify(token, nowMs + 601_000), /exp/);
  await assert.rejects(signer.verify(await forged.sign(subject, make), nowMs), /signature/);
  assert.equal(await signer.verify(await other.sign(subject, make), nowMs), undefined);
  assert.equal(await signer.verify("plain-token", nowMs), undefined);
});

test("tokens of Secrets name them, and do not end", async () => {
  const signer = createTokenSigner({ privateKey: await createSigningKey(), issuer: "https://kubernetes" });
  const forged = createTokenSigner({ privateKey: await createSigningKey(), issuer: "https://kubernetes" });
  const subject = { namespace: "default", name: "builder", uid: "u1" };
  const token = await signer.signForSecret(subject, "builder-token");
  const claims = await signer.verify(token, 9e15);
  assert.deepEqual([claims?.name, claims?.uid, claims?.secretName], ["builder", "u1", "builder-token"]);
  await assert.rejects(signer.verify(await forged.signForSecret(subject, "s"), 0), /signature/);
  const {
    "kubernetes.io/serviceaccount/secret.name": secret,
    sub,
    exp,
  } = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as Record<string, string>;
  assert.deepEqual([secret, sub, exp], ["builder-token", "system:serviceaccount:default:builder", undefined]);
});
