// Builds the three images of the tutorial from Debian packages and the folders beside this file, into one OCI layout.
//   scripts/node examples/tutorial/images/build.ts CACHE-FOLDER      prints the layout's folder
// All three share the Debian layer, so that a node fetches and unpacks it once. What did not change is not built again.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { writeAtomically } from "#host/files.ts";
import { debian, debianLayerInputs, debianTar, epoch } from "./debian-layer.ts";
import { compressLayer, writeLayout, type ImageSpec, type Layer } from "./oci-layout.ts";

const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const [cache] = process.argv.slice(2);
if (cache === undefined) {
  console.error("usage: build.ts CACHE-FOLDER");
  process.exit(2);
}
mkdirSync(cache, { recursive: true });

function hash(...parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
}

/** A layer from the cache, or made by `makeTar` and kept there. */
async function layer(key: string, makeTar: (tar: string) => void): Promise<Layer> {
  const file = join(cache as string, `layer-${key}.tar.zst`);
  const record = join(cache as string, `layer-${key}.json`);
  if (existsSync(record) && existsSync(file))
    return { ...(JSON.parse(readFileSync(record, "utf8")) as Omit<Layer, "file">), file };
  const work = mkdtempSync(join(cache as string, "work-"));
  try {
    makeTar(join(work, "layer.tar"));
    const made = await compressLayer(join(work, "layer.tar"), file);
    writeAtomically(record, JSON.stringify(made));
    return { ...made, file };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const here = import.meta.dirname;

/** Names, modes and contents of a folder's files. */
function folderKey(folder: string): string {
  const files = globSync("**", { cwd: folder }).sort();
  const parts = files
    .filter((name) => statSync(join(folder, name)).isFile())
    .flatMap((name) => {
      const file = join(folder, name);
      return [name, String(statSync(file).mode & 0o100), readFileSync(file, "base64")];
    });
  return hash(epoch, ...parts);
}

function folderLayer(name: string): Promise<Layer> {
  const folder = join(here, name);
  return layer(`${name}-${folderKey(folder)}`, (tar) => {
    const reproducible = ["--sort=name", `--mtime=@${epoch}`, "--owner=0", "--group=0", "--numeric-owner"];
    const modes = "--mode=u=rwX,go=rX";
    execFileSync("tar", ["-cf", tar, ...reproducible, modes, "-C", folder, ...readdirSync(folder).sort()]);
  });
}

const base = debian();
const debianLayer = await layer(`debian-${hash(...debianLayerInputs(base))}`, (tar) => debianTar(tar, base));
const images: ImageSpec[] = [
  {
    name: "crontab:latest",
    layers: [debianLayer, await folderLayer("crontab")],
    config: { Cmd: ["run-crontab"], WorkingDir: "/", Env: [path] },
  },
  {
    name: "website:v1",
    layers: [debianLayer, await folderLayer("website")],
    config: { Cmd: ["run-website"], WorkingDir: "/srv/www", Env: [path], ExposedPorts: { "3000/tcp": {} } },
  },
  {
    name: "infoslack/k8s-demo:latest",
    layers: [debianLayer, await folderLayer("k8s-demo")],
    config: {
      Cmd: ["passenger", "start", "-p", "4000", "-e", "production"],
      WorkingDir: "/app",
      Env: [path, "RAILS_ENV=production", "LANG=C.UTF-8"],
      ExposedPorts: { "4000/tcp": {} },
    },
  },
];
const layout = join(
  cache,
  `layout-${hash(JSON.stringify(images.map((image) => ({ ...image, layers: image.layers.map(({ digest }) => digest) }))), readFileSync(join(here, "oci-layout.ts"), "utf8"))}`,
);
if (!existsSync(layout)) writeLayout(layout, images);
// Earlier builds are not kept.
const kept = new Set([layout, ...images.flatMap(({ layers }) => layers.map(({ file }) => file))]);
for (const name of readdirSync(cache)) {
  const file = join(cache, name.replace(/\.json$/, ".tar.zst"));
  if (!kept.has(file)) rmSync(join(cache, name), { recursive: true });
}
console.log(layout);
