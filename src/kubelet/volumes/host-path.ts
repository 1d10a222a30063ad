// hostPath volumes: what must be there, and what is made when it is not. The runtime would make a folder of
// anything that is missing, so the checks are here.

import { closeSync, lstatSync, mkdirSync, openSync, statSync, type Stats } from "node:fs";
import { dirname } from "node:path";
import { hasCode } from "#host/files.ts";

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

const checks: Readonly<Record<string, { is: (stats: Stats) => boolean; what: string }>> = {
  Directory: { is: (stats) => stats.isDirectory(), what: "a directory" },
  DirectoryOrCreate: { is: (stats) => stats.isDirectory(), what: "a directory" },
  File: { is: (stats) => stats.isFile(), what: "a file" },
  FileOrCreate: { is: (stats) => stats.isFile(), what: "a file" },
  Socket: { is: (stats) => stats.isSocket(), what: "a socket file" },
  CharDevice: { is: (stats) => stats.isCharacterDevice(), what: "a character device" },
  BlockDevice: { is: (stats) => stats.isBlockDevice(), what: "a block device" },
};

/** Why the path cannot be mounted, or undefined. Makes what an `…OrCreate` type lets it make. */
export function prepareHostPath(path: string, type: string | undefined): string | undefined {
  if (type === undefined || type === "") return undefined;
  if (statOf(path) === undefined) {
    if (type === "DirectoryOrCreate") mkdirSync(path, { recursive: true, mode: 0o755 });
    if (type === "FileOrCreate" && statOf(dirname(path)) !== undefined) closeSync(openSync(path, "a", 0o644));
  }
  const stats = statOf(path);
  const check = checks[type];
  if (check === undefined) return `hostPath type check failed: ${path} has the unknown type ${type}`;
  return stats !== undefined && check.is(stats)
    ? undefined
    : `hostPath type check failed: ${path} is not ${check.what}`;
}

/** True when the path itself exists, whatever it is. */
export function exists(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return false;
    throw error;
  }
}
