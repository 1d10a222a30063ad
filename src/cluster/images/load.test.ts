// Archives of every form that `leme image load` takes, made here with tar, pushed to a registry on loopback.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { silentLogger } from "#base/log.ts";
import { runOk } from "#host/run.ts";
import { mediaTypes } from "../registry/manifest.ts";
import { startRegistry, type Registry } from "../registry/server.ts";
import { sha256 } from "../registry/storage.ts";
import { loadImages } from "./load.ts";
import { imageArchitecture } from "./pause-elf.ts";
import { buildPauseImage, tarOfOneFile } from "./pause-image.ts";

let dir = "";
let registry: Registry;
let at = "";
before(async () => {
  dir = mkdtempSync(join(tmpdir(), "leme-load-"));
  registry = await startRegistry({ dir: join(dir, "registry"), address: "127.0.0.1", port: 0 }, silentLogger);
  at = `127.0.0.1:${registry.port}`;
});
after(async () => {
  await registry.stop();
  rmSync(dir, { recursive: true, force: true });
});

type Files = Readonly<Record<string, Buffer | string>>;

function folderOf(name: string, files: Files): string {
  const folder = join(dir, name);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

async function archiveOf(name: string, folder: string): Promise<string> {
  const file = join(dir, `${name}.tar`);
  await runOk(["tar", "--create", `--file=${file}`, `--directory=${folder}`, "."]);
  return file;
}

const image = buildPauseImage(imageArchitecture(process.arch));
const blobPath = (digest: string): string => `blobs/sha256/${digest.slice(7)}`;
const blobs: Files = Object.fromEntries([
  ...image.blobs.map(({ digest, content }) => [blobPath(digest), content]),
  [blobPath(sha256(image.manifest)), image.manifest],
]);

function layout(manifests: readonly object[], more: Files = {}): Files {
  return {
    "oci-layout": `{"imageLayoutVersion":"1.0.0"}`,
    "index.json": JSON.stringify({ schemaVersion: 2, manifests }),
    ...blobs,
    ...more,
  };
}
const descriptor = {
  mediaType: mediaTypes.manifest,
  digest: sha256(image.manifest),
  size: image.manifest.length,
};
const named = (name: string) => ({
  ...descriptor,
  annotations: { "org.opencontainers.image.ref.name": name },
});

async function pulled(
  repository: string,
  tag: string,
): Promise<{ status: number; digest: string | null; text: string }> {
  const answer = await fetch(`http://${at}/v2/${repository}/manifests/${tag}?ns=docker.io`);
  return {
    status: answer.status,
    digest: answer.headers.get("docker-content-digest"),
    text: await answer.text(),
  };
}

test("an OCI archive, and the same as a folder, by the names in it", async () => {
  const folder = folderOf("oci", layout([named("website:v1"), named("docker.io/infoslack/k8s-demo")]));
  for (const path of [await archiveOf("oci", folder), folder]) {
    assert.deepEqual(await loadImages(path, { registry: at }), [
      "docker.io/library/website:v1",
      "docker.io/infoslack/k8s-demo:latest",
    ]);
  }
  assert.equal((await pulled("library/website", "v1")).digest, descriptor.digest);
  assert.equal((await pulled("infoslack/k8s-demo", "latest")).digest, descriptor.digest);
});

test("a layout that names no image needs a name, and one with two takes none", async () => {
  const bare = folderOf("bare", layout([named("latest")]));
  await assert.rejects(loadImages(bare, { registry: at }), /give a name with --name/);
  assert.deepEqual(await loadImages(bare, { registry: at, as: "crontab" }), [
    "docker.io/library/crontab:latest",
  ]);
  const other = Buffer.from(image.manifest.toString() + " ");
  const two = folderOf(
    "two",
    layout([descriptor, { ...descriptor, digest: sha256(other) }], { [blobPath(sha256(other))]: other }),
  );
  await assert.rejects(loadImages(two, { registry: at, as: "x" }), /holds 2 images/);
});

test("an index that lacks other platforms is loaded as this machine's", async () => {
  const architecture = imageArchitecture(process.arch);
  const index = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.index,
      manifests: [
        {
          mediaType: mediaTypes.manifest,
          digest: sha256("absent"),
          platform: { os: "linux", architecture: "s390x" },
        },
        { ...descriptor, platform: { os: "linux", architecture } },
      ],
    }),
  );
  const entry = {
    mediaType: mediaTypes.index,
    digest: sha256(index),
    annotations: { "io.containerd.image.name": "docker.io/library/multi:1" },
  };
  const folder = folderOf("index", layout([entry], { [blobPath(sha256(index))]: index }));
  assert.deepEqual(await loadImages(folder, { registry: at }), ["docker.io/library/multi:1"]);
  assert.equal((await pulled("library/multi", "1")).digest, descriptor.digest);
});

test("a Docker archive, with a layer that is a link", async () => {
  const layer = tarOfOneFile("hello", Buffer.from("world"));
  const folder = folderOf("docker", {
    "manifest.json": JSON.stringify([
      {
        Config: "config.json",
        RepoTags: ["website:v2", "website:v3"],
        Layers: ["a/layer.tar", "b/layer.tar"],
      },
    ]),
    "config.json": JSON.stringify({
      architecture: "amd64",
      os: "linux",
      rootfs: { type: "layers", diff_ids: [] },
    }),
    "a/layer.tar": layer,
    "b/VERSION": "1.0",
  });
  symlinkSync("../a/layer.tar", join(folder, "b", "layer.tar"));
  assert.deepEqual(await loadImages(await archiveOf("docker", folder), { registry: at }), [
    "docker.io/library/website:v2",
    "docker.io/library/website:v3",
  ]);
  const { text } = await pulled("library/website", "v3");
  const { layers } = JSON.parse(text) as { layers: { digest: string; mediaType: string; size: number }[] };
  assert.deepEqual(
    layers,
    [layer, layer].map((content) => ({
      mediaType: mediaTypes.layer,
      digest: sha256(content),
      size: content.length,
    })),
  );
});

test("an archive cannot make us read files outside it, nor pass damaged content", async () => {
  const secret = join(dir, "secret");
  writeFileSync(secret, "secret");
  const linked = folderOf("linked", {
    "manifest.json": JSON.stringify([{ Config: "config.json", RepoTags: ["x:1"], Layers: ["layer.tar"] }]),
    "config.json": "{}",
  });
  symlinkSync(secret, join(linked, "layer.tar"));
  await assert.rejects(loadImages(linked, { registry: at }), /is not a file of the archive/);
  const climbing = folderOf("climbing", {
    "manifest.json": JSON.stringify([{ Config: "../secret", RepoTags: ["x:1"], Layers: [] }]),
  });
  await assert.rejects(loadImages(climbing, { registry: at }), /has no file/);
  const damaged = folderOf("damaged", layout([named("x:1")], { [blobPath(descriptor.digest)]: "{}" }));
  await assert.rejects(loadImages(damaged, { registry: at }), /damaged/);
  const nothing = folderOf("nothing", { "readme.txt": "hello" });
  await assert.rejects(loadImages(nothing, { registry: at }), /neither an OCI layout/);
  assert.equal((await pulled("library/x", "1")).status, 404);
});
