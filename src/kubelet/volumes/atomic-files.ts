// Writes the files of a volume so that a reader sees either all old or all new ones: they stand in a folder of
// their own, which the `..data` link names; changing the link is the change.

import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { hasCode } from "#host/files.ts";
import type { VolumeFiles } from "../plan/volume-files.ts";

const dataLink = "..data";

function currentFolder(root: string): string | undefined {
  try {
    return readlinkSync(join(root, dataLink));
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

function filesBelow(folder: string, prefix = ""): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? filesBelow(join(folder, entry.name), `${prefix}${entry.name}/`)
      : [`${prefix}${entry.name}`],
  );
}

function isCurrent(root: string, folder: string, files: VolumeFiles): boolean {
  try {
    const present = filesBelow(join(root, folder));
    return (
      present.length === files.size &&
      present.every((path) => files.get(path)?.data.equals(readFileSync(join(root, folder, path))) === true)
    );
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return false;
    throw error;
  }
}

/** Group ownership for fsGroup: the group may read what the owner may. */
function own(path: string, mode: number, group: number | undefined): void {
  if (group !== undefined) chownSync(path, -1, group);
  chmodSync(path, group === undefined ? mode : mode | ((mode & 0o400) >> 3));
}

/** Makes `root` show exactly `files`. True when anything changed. `stamp` names the new folder. */
export function writeVolumeFiles(
  root: string,
  files: VolumeFiles,
  stamp: string,
  group: number | undefined,
): boolean {
  mkdirSync(root, { recursive: true, mode: 0o755 });
  const old = currentFolder(root);
  if (old !== undefined && isCurrent(root, old, files)) return false;
  const folder = mkdtempSync(join(root, `..${stamp}.`));
  own(folder, 0o755, group);
  for (const [path, { data, mode }] of files) {
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
    writeFileSync(target, data);
    own(target, mode, group);
  }
  const fresh = join(root, "..data_tmp");
  rmSync(fresh, { force: true });
  symlinkSync(folder.slice(root.length + 1), fresh);
  renameSync(fresh, join(root, dataLink));
  linkNames(root, files);
  if (old !== undefined) rmSync(join(root, old), { recursive: true, force: true });
  return true;
}

/** One link per first path component, through `..data`; links to what is gone go too. */
function linkNames(root: string, files: VolumeFiles): void {
  const wanted = new Set([...files.keys()].map((path) => path.split("/")[0] as string));
  for (const name of wanted) {
    try {
      symlinkSync(join(dataLink, name), join(root, name));
    } catch (error) {
      if (!hasCode(error, "EEXIST")) throw error;
    }
  }
  for (const entry of readdirSync(root))
    if (!entry.startsWith("..") && !wanted.has(entry)) rmSync(join(root, entry), { force: true });
}
