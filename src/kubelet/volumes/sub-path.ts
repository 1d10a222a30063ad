// The place inside a volume that a mount with subPath shows. It is made when it is missing and may be, and links
// in it never lead out of the volume.

import { mkdirSync, realpathSync } from "node:fs";
import { join, normalize } from "node:path";
import { hasCode } from "#host/files.ts";
import { isBelow } from "#host/mounts.ts";

function realpathIfExists(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** Host path of `subPath` in the volume at `root`, or why it cannot be mounted. */
export function resolveSubPath(
  root: string,
  subPath: string,
  mayCreate: boolean,
): { path: string } | { problem: string } {
  const clean = normalize(subPath);
  if (clean.startsWith("/") || clean.split("/").includes(".."))
    return { problem: `subPath "${subPath}" must be a relative path without ".."` };
  const base = realpathSync(root);
  const wanted = join(base, clean);
  let real = realpathIfExists(wanted);
  if (real === undefined) {
    if (!mayCreate)
      return { problem: `failed to prepare subPath for volumeMount: ${subPath} does not exist` };
    // Walk down one component at a time, so that a link on the way cannot lead the creation outside.
    let at = base;
    for (const part of clean.split("/")) {
      const next = join(at, part);
      if (realpathIfExists(next) === undefined) mkdirSync(next, { mode: 0o750 });
      at = realpathSync(next);
      if (!isBelow(at, base)) return { problem: `subPath "${subPath}" leads out of its volume` };
    }
    real = at;
  }
  return isBelow(real, base) ? { path: real } : { problem: `subPath "${subPath}" leads out of its volume` };
}
