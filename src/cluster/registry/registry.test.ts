// The registry as containerd, skopeo and our own push use it, over a real socket on loopback.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { silentLogger } from "#base/log.ts";
import { mediaTypes } from "./manifest.ts";
import { pushBlob, pushManifest } from "./push.ts";
import { formatReference, parseReference, repositoryCandidates, storedRepository } from "./reference.ts";
import { pageOf, parseRange, routeOf } from "./routes.ts";
import { startRegistry, type Registry } from "./server.ts";
import { sha256 } from "./storage.ts";

test("references as container tools read them", () => {
  const cases: readonly [string, string][] = [
    ["website:v1", "docker.io/library/website:v1"],
    ["infoslack/k8s-demo:latest", "docker.io/infoslack/k8s-demo:latest"],
    ["docker.io/busybox", "docker.io/library/busybox"],
    ["index.docker.io/a/b", "docker.io/a/b"],
    ["registry.k8s.io/pause:3.9", "registry.k8s.io/pause:3.9"],
    ["localhost/x", "localhost/x"],
    ["10.200.0.1:5000/x/y:1", "10.200.0.1:5000/x/y:1"],
    [`a@sha256:${"0".repeat(64)}`, `docker.io/library/a@sha256:${"0".repeat(64)}`],
  ];
  for (const [text, expected] of cases) assert.equal(formatReference(parseReference(text)), expected);
  for (const text of ["", "A", "a:", "a/../b", "a//b", "a:b:c/d", "x@sha256:12", "-a", "a/b:-t"])
    assert.throws(() => parseReference(text), /invalid image reference/, text);
});

test("where an image is kept, and where it is looked for", () => {
  assert.equal(storedRepository(parseReference("website:v1")), "docker.io/library/website");
  assert.equal(storedRepository(parseReference("10.200.0.1:5000/x:1")), "x");
  assert.deepEqual(repositoryCandidates("library/website", "docker.io"), [
    "docker.io/library/website",
    "library/website",
  ]);
  assert.deepEqual(repositoryCandidates("x", "localhost:5000"), ["x"]);
  assert.deepEqual(repositoryCandidates("x", undefined), ["x"]);
});

test("routes, ranges, pages", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  assert.deepEqual(routeOf("/v2/"), { op: "ping" });
  assert.deepEqual(routeOf("/v2/a/b/manifests/v1"), { op: "manifest", name: "a/b", reference: "v1" });
  assert.deepEqual(routeOf(`/v2/a/blobs/${digest}`), { op: "blob", name: "a", digest });
  assert.deepEqual(routeOf("/v2/a/blobs/uploads/"), { op: "startUpload", name: "a" });
  assert.deepEqual(routeOf("/v2/manifests/tags/list"), { op: "tags", name: "manifests" });
  assert.equal(routeOf("/v1/x"), undefined);
  for (const path of [
    "/v2/A/manifests/v1",
    "/v2/a/../b/manifests/v1",
    "/v2/a/manifests/..",
    "/v2/a/blobs/sha256:zz",
  ])
    assert.throws(() => routeOf(path), { name: "RegistryError" }, path);
  assert.deepEqual(parseRange("bytes=2-", 10), { start: 2, end: 9 });
  assert.deepEqual(parseRange("bytes=2-99", 10), { start: 2, end: 9 });
  for (const header of [undefined, "bytes=5-2", "bytes=10-", "bytes=0-1,3-4"])
    assert.equal(parseRange(header, 10), undefined);
  assert.deepEqual(pageOf(["a", "b", "c"], 1, "a"), { page: ["b"], more: true });
});

let dir = "";
let registry: Registry;
let at = "";
before(async () => {
  dir = mkdtempSync(join(tmpdir(), "leme-registry-"));
  registry = await startRegistry({ dir, address: "127.0.0.1", port: 0 }, silentLogger);
  at = `127.0.0.1:${registry.port}`;
});
after(async () => {
  await registry.stop();
  rmSync(dir, { recursive: true, force: true });
});

const config = Buffer.from("{}");
const layer = Buffer.from("layer ".repeat(10_000));
const manifest = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, digest: sha256(config), size: config.length },
    layers: [{ mediaType: mediaTypes.layer, digest: sha256(layer), size: layer.length }],
  }),
);
const code = async (response: Response): Promise<string> =>
  ((await response.json()) as { errors: { code: string }[] }).errors[0]?.code ?? "";

test("push, then pull by tag and digest, under the mirror's namespace", async () => {
  const target = { registry: at, repository: "docker.io/library/website" };
  for (const blob of [config, layer]) {
    assert.equal(await pushBlob(target, sha256(blob), blob.length, () => blob), true);
    assert.equal(await pushBlob(target, sha256(blob), blob.length, () => blob), false);
  }
  await pushManifest(target, "v1", mediaTypes.manifest, manifest);
  for (const reference of ["v1", sha256(manifest)]) {
    const pulled = await fetch(`http://${at}/v2/library/website/manifests/${reference}?ns=docker.io`);
    assert.equal(pulled.status, 200);
    assert.equal(pulled.headers.get("content-type"), mediaTypes.manifest);
    assert.equal(pulled.headers.get("docker-content-digest"), sha256(manifest));
    assert.deepEqual(Buffer.from(await pulled.arrayBuffer()), manifest);
  }
  const elsewhere = await fetch(`http://${at}/v2/library/website/manifests/v1?ns=quay.io`);
  assert.equal(elsewhere.status, 404);
  assert.equal(await code(elsewhere), "MANIFEST_UNKNOWN");
  const part = await fetch(`http://${at}/v2/x/blobs/${sha256(layer)}`, { headers: { range: "bytes=6-11" } });
  assert.equal(part.status, 206);
  assert.equal(await part.text(), "layer ");
  assert.deepEqual(await (await fetch(`http://${at}/v2/docker.io/library/website/tags/list`)).json(), {
    name: "docker.io/library/website",
    tags: ["v1"],
  });
  assert.deepEqual(await (await fetch(`http://${at}/v2/_catalog`)).json(), {
    repositories: ["docker.io/library/website"],
  });
});

test("an upload in chunks", async () => {
  const content = Buffer.from("two chunks");
  const started = await fetch(`http://${at}/v2/c/blobs/uploads/`, { method: "POST" });
  const location = `http://${at}${started.headers.get("location")}`;
  const patch = (body: Buffer, range: string): Promise<Response> =>
    fetch(location, { method: "PATCH", body: new Uint8Array(body), headers: { "content-range": range } });
  assert.equal((await patch(content.subarray(0, 4), "0-3")).status, 202);
  assert.equal((await patch(content.subarray(4), "7-12")).status, 416);
  assert.equal((await patch(content.subarray(4), "4-9")).status, 202);
  const put = await fetch(`${location}?digest=${sha256(content)}`, { method: "PUT" });
  assert.equal(put.status, 201);
  assert.equal((await fetch(`http://${at}/v2/c/blobs/${sha256(content)}`)).status, 200);
});

test("what is refused leaves nothing behind", async () => {
  const wrong = await fetch(`http://${at}/v2/w/blobs/uploads/?digest=${sha256("other")}`, {
    method: "POST",
    body: "x",
  });
  assert.equal(wrong.status, 400);
  assert.equal(await code(wrong), "DIGEST_INVALID");
  assert.equal((await fetch(`http://${at}/v2/w/blobs/${sha256("x")}`)).status, 404);
  const put = (body: string): Promise<Response> =>
    fetch(`http://${at}/v2/w/manifests/t`, { method: "PUT", body });
  assert.equal(await code(await put("no json")), "MANIFEST_INVALID");
  assert.equal(await code(await put(`{"schemaVersion":1}`)), "MANIFEST_INVALID");
  const pointing = { schemaVersion: 2, config: { digest: sha256("nowhere") }, layers: [] };
  assert.equal(await code(await put(JSON.stringify(pointing))), "MANIFEST_BLOB_UNKNOWN");
  const large = await put(JSON.stringify({ schemaVersion: 2, fill: "x".repeat(5 * 1024 * 1024) }));
  assert.equal(large.status, 413);
  for (const method of ["DELETE", "POST"])
    assert.equal((await fetch(`http://${at}/v2/w/manifests/t`, { method })).status, 405);
  assert.deepEqual(readdirSync(join(dir, "uploads")), []);
});
