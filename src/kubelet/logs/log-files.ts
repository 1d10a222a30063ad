// The files of one container's log: the one being written, and those that rotation put aside, oldest first.

import { readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { hasCode } from "#host/files.ts";

const rotatedSuffix = /^\.\d{8}-\d{6}(?:-\d+)?$/;

/** Paths of the rotated files of `path`, oldest first. */
export function rotatedLogs(path: string): string[] {
  const name = basename(path);
  try {
    return readdirSync(dirname(path))
      .filter((entry) => entry.startsWith(name) && rotatedSuffix.test(entry.slice(name.length)))
      .sort()
      .map((entry) => join(dirname(path), entry));
  } catch (error) {
    if (hasCode(error, "ENOENT")) return [];
    throw error;
  }
}

/** `.20260102-030405`, by which the names sort as the times do. */
export function rotationSuffix(nowMs: number): string {
  const stamp = new Date(nowMs).toISOString();
  return `.${stamp.slice(0, 10).replaceAll("-", "")}-${stamp.slice(11, 19).replaceAll(":", "")}`;
}
