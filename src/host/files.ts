// Small file operations that the rest of the folder shares: atomic writes, absent files as undefined, error codes.

import { mkdirSync, readFileSync, renameSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** True when `error` is a system error with one of these codes. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return code !== undefined && codes.includes(code);
}

/** The file's text, or undefined when it is not there. */
export function readIfExists(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

/** Writes through a neighbour and a rename, so that nobody sees half a file. Makes the folder. */
export function writeAtomically(path: string, content: string, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true });
  const neighbour = `${path}.${process.pid}.new`;
  writeFileSync(neighbour, content, { mode });
  renameSync(neighbour, path);
}

/** Writes only what differs, so that a second run leaves time stamps alone. True when it wrote. */
export function writeIfChanged(path: string, content: string, mode = 0o644): boolean {
  if (readIfExists(path) === content) return false;
  writeAtomically(path, content, mode);
  return true;
}

/** Removes a folder only when nothing is in it. */
export function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!hasCode(error, "ENOENT", "ENOTEMPTY", "EEXIST", "EBUSY", "ENOTDIR")) throw error;
  }
}
