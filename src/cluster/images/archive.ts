// An image archive as a folder of files: unpacked with tar into a private place, or an OCI layout folder as it is.
// Archives are somebody else's data: only plain files inside the folder are ever read from it.

import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isBelow } from "#host/mounts.ts";
import { runOk } from "#host/run.ts";

export interface UnpackedArchive {
  readonly folder: string;
  remove(): void;
}

const unpackMsMax = 30 * 60_000;

export async function unpackArchive(path: string): Promise<UnpackedArchive> {
  if (statSync(path).isDirectory()) return { folder: realpathSync(path), remove: () => undefined };
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "leme-image-")));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const options = ["--no-same-owner", "--no-same-permissions", "--no-overwrite-dir"];
    await runOk(["tar", "--extract", ...options, `--file=${path}`, `--directory=${folder}`], {
      timeoutMs: unpackMsMax,
    });
    return { folder, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** The absolute path of a plain file of the archive. Links may point elsewhere inside it, never out of it. */
export function fileInside(folder: string, name: string): string {
  const path = join(folder, name);
  if (!isBelow(path, folder) || !existsSync(path)) throw new Error(`the archive has no file ${name}`);
  const real = realpathSync(path);
  if (!isBelow(real, folder) || !statSync(real).isFile())
    throw new Error(`${name} is not a file of the archive`);
  return real;
}

export function archiveKind(folder: string): "oci" | "docker" {
  if (existsSync(join(folder, "index.json")) && existsSync(join(folder, "oci-layout"))) return "oci";
  if (existsSync(join(folder, "manifest.json"))) return "docker";
  const found = readdirSync(folder).slice(0, 5).join(", ");
  throw new Error(
    `neither an OCI layout (index.json, oci-layout) nor a Docker archive (manifest.json): ${found}`,
  );
}
