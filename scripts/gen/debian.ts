// Fetches Debian sid packages into a private apt root under .cache/ and unpacks them there, without touching
// the system's own package lists. The mirror is whatever this machine's own apt uses for Debian.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export type SourcePackage = { name: string; version: string; file: string; sha256: string };
export type Unpacked = { src: string; packages: SourcePackage[] };

export const repoRoot = join(import.meta.dirname, "..", "..");
export const cacheDir = join(repoRoot, ".cache", "debian-sid");

/** The first Debian archive URI of this machine's apt sources. */
const debianMirror = (): string => {
  const listing = execFileSync("apt-get", ["indextargets", "--format", "$(REPO_URI) $(ORIGIN) $(SUITE)"], {
    encoding: "utf8",
  });
  const lines = listing.split("\n").map((line) => line.split(" "));
  const debian = lines.find(([uri, origin]) => origin === "Debian" && !uri?.includes("security"));
  const uri = debian?.[0] ?? mirrorFromFiles();
  if (uri === undefined) throw new Error("no Debian archive in this machine's apt sources");
  return uri;
};

/** Before the first `apt-get update` the index targets know no origin: read the source files themselves. */
const mirrorFromFiles = (): string | undefined => {
  const dir = "/etc/apt/sources.list.d";
  const files = existsSync(dir) ? readdirSync(dir).map((name) => join(dir, name)) : [];
  for (const file of ["/etc/apt/sources.list", ...files].filter((f) => existsSync(f))) {
    const match = /^(?:URIs:|deb(?: \[[^\]]*\])?) *(\S+\/debian)\/?(?: |$)/m.exec(readFileSync(file, "utf8"));
    if (match) return match[1];
  }
  return undefined;
};

const aptOptions = (root: string): string[] => [
  "-o",
  `Dir::Etc=${root}/etc/apt`,
  "-o",
  `Dir::State=${root}/state`,
  "-o",
  `Dir::State::status=${root}/status`,
  "-o",
  `Dir::Cache=${root}/cache`,
  "-o",
  "APT::Sandbox::User=root",
];

const prepareAptRoot = (root: string): void => {
  for (const dir of [
    "etc/apt/sources.list.d",
    "etc/apt/preferences.d",
    "state/lists/partial",
    "cache/archives/partial",
  ]) {
    mkdirSync(join(root, dir), { recursive: true });
  }
  const source = [
    "Types: deb",
    `URIs: ${debianMirror()}`,
    "Suites: sid",
    "Components: main",
    "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg",
    "",
  ];
  writeFileSync(join(root, "etc/apt/sources.list.d/sid.sources"), source.join("\n"));
  writeFileSync(join(root, "status"), "");
};

/** Downloads and unpacks the packages; a package whose .deb is in the cache already is not fetched again. */
export const fetchPackages = (names: readonly string[]): Unpacked => {
  const debs = join(cacheDir, "debs");
  const tree = join(cacheDir, "tree");
  mkdirSync(debs, { recursive: true });
  const debOf = (name: string): string | undefined =>
    readdirSync(debs).find((file) => file.startsWith(`${name}_`));
  const missing = names.filter((name) => debOf(name) === undefined);
  if (missing.length > 0) {
    const root = join(cacheDir, "apt");
    prepareAptRoot(root);
    const options = { cwd: debs, stdio: "inherit" } as const;
    execFileSync("apt-get", [...aptOptions(root), "-q", "update"], options);
    execFileSync("apt-get", [...aptOptions(root), "-q", "download", ...missing], options);
    rmSync(tree, { recursive: true, force: true });
  }
  const packages = names.map((name): SourcePackage => {
    const file = debOf(name);
    if (file === undefined) throw new Error(`package ${name} was not downloaded`);
    const sha256 = createHash("sha256")
      .update(readFileSync(join(debs, file)))
      .digest("hex");
    const stamp = join(tree, ".unpacked", file);
    if (!existsSync(stamp)) {
      execFileSync("dpkg-deb", ["-x", join(debs, file), tree]);
      mkdirSync(join(tree, ".unpacked"), { recursive: true });
      writeFileSync(stamp, "");
    }
    return { name, version: decodeURIComponent(file.split("_")[1] ?? ""), file, sha256 };
  });
  return { src: join(tree, "usr/share/gocode/src"), packages };
};
