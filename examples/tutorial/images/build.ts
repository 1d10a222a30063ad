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
import { compressLayer, writeLayout, type ImageSpec, type Layer } from "./oci-layout.ts";

const packages = ["ruby-rails", "passenger", "ruby-pg", "procps", "cron", "busybox"];
/** The time stamp of every file: images built twice are the same. */
const epoch = "1466208000";
const leftOut = ["doc", "man", "info", "locale", "ri"].map((each) => `/usr/share/${each}/*`);
const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const [cache] = process.argv.slice(2);
if (cache === undefined) {
  console.error("usage: build.ts CACHE-FOLDER");
  process.exit(2);
}
mkdirSync(cache, { recursive: true });

function output(command: string, args: readonly string[]): string {
  return execFileSync(command, args, { encoding: "utf8", maxBuffer: 1 << 26 });
}

/** Debian as this machine has it: release and sources, and how apt reaches them. */
function debian(): { codename: string; sources: string; apt: string[] } {
  const codename = /^VERSION_CODENAME="?(\w+)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1];
  if (codename === undefined) throw new Error("/etc/os-release names no release of Debian");
  const format = "deb $(REPO_URI) $(RELEASE) $(COMPONENT)";
  const sources = output("apt-get", ["indextargets", "--format", format, "Created-By: Packages"])
    .split("\n")
    .filter((line) => new RegExp(` ${codename}(-updates|-security)? main$`).test(line));
  if (sources.length === 0) throw new Error(`apt has no sources of Debian ${codename} main`);
  const apt = output("apt-config", ["dump"])
    .split("\n")
    .filter((line) => /^Acquire::(Check-|https?::Proxy)/.test(line));
  return { codename, sources: `${[...new Set(sources)].join("\n")}\n`, apt };
}

function hash(...parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
}

/** A layer from the cache, or made by `makeTar` and kept there. */
async function layer(key: string, makeTar: (tar: string) => void): Promise<Layer> {
  const file = join(cache as string, `layer-${key}.tar.zst`);
  const record = join(cache as string, `layer-${key}.json`);
  if (existsSync(record) && existsSync(file)) return JSON.parse(readFileSync(record, "utf8")) as Layer;
  const work = mkdtempSync(join(cache as string, "work-"));
  try {
    makeTar(join(work, "layer.tar"));
    const made = await compressLayer(join(work, "layer.tar"), file);
    writeAtomically(record, JSON.stringify(made));
    return made;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function debianTar(tar: string, { codename, sources, apt }: ReturnType<typeof debian>): void {
  console.error(`Building the Debian layer (${packages.join(", ")})`);
  // Sources and options are this machine's; the image keeps none of them.
  const forget = ["sources.list", "apt.conf.d/99mmdebstrap"].map((file) => `"$1/etc/apt/${file}"`);
  try {
    execFileSync(
      "mmdebstrap",
      [
        "--mode=root",
        "--variant=minbase",
        "--quiet",
        ...[...apt, 'APT::Install-Recommends "false"', 'Acquire::Languages "none"'].map(
          (one) => `--aptopt=${one}`,
        ),
        ...leftOut.map((one) => `--dpkgopt=path-exclude=${one}`),
        `--include=${packages.join(",")}`,
        // A container has no audit subsystem: with this module cron would refuse to run jobs.
        `--customize-hook=sed -i /pam_loginuid/d "$1/etc/pam.d/cron"`,
        // Debian's own periodic jobs are for machines, not for containers.
        `--customize-hook=rm -rf "$1"/etc/cron.d/* "$1"/etc/cron.daily/*`,
        `--customize-hook=rm -f ${forget.join(" ")} "$1/etc/dpkg/dpkg.cfg.d/99mmdebstrap"`,
        codename,
        tar,
        "-",
      ],
      {
        input: sources,
        env: { ...toolEnvironment, SOURCE_DATE_EPOCH: epoch },
        stdio: ["pipe", "pipe", "pipe"],
      },
    );
  } catch (error) {
    const said = (error as { stderr?: Buffer }).stderr?.toString().trim().split("\n").slice(-8).join("\n");
    throw new Error(`mmdebstrap could not build the Debian layer:\n${said ?? String(error)}`);
  }
}

const toolEnvironment = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" };

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
    output("tar", ["-cf", tar, ...reproducible, modes, "-C", folder, ...readdirSync(folder).sort()]);
  });
}

const base = debian();
const debianKey = hash(
  process.arch,
  base.codename,
  epoch,
  packages.join(),
  readFileSync(import.meta.filename, "utf8"),
);
const debianLayer = await layer(`debian-${debianKey}`, (tar) => debianTar(tar, base));
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
  `layout-${hash(JSON.stringify(images), readFileSync(join(here, "oci-layout.ts"), "utf8"))}`,
);
if (!existsSync(layout)) writeLayout(layout, images);
// Earlier builds are not kept.
const kept = new Set([layout, ...images.flatMap(({ layers }) => layers.map(({ file }) => file))]);
for (const name of readdirSync(cache)) {
  const file = join(cache, name.replace(/\.json$/, ".tar.zst"));
  if (!kept.has(file)) rmSync(join(cache, name), { recursive: true });
}
console.log(layout);
