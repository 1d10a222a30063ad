// Keeps the logs of long-lived processes bounded: a log that has grown large is copied aside and emptied. The
// processes append, so they go on at the new end.

import { copyFileSync, existsSync, readdirSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "#base/clock.ts";

export const logBytesMax = 32 * 1024 * 1024;
const checkEveryMs = 60_000;

/** The logs that were cut. One earlier part of each is kept. */
export function cutLogs(folder: string, bytesMax = logBytesMax): string[] {
  if (!existsSync(folder)) return [];
  const large = readdirSync(folder)
    .filter((name) => name.endsWith(".log"))
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).size > bytesMax);
  for (const path of large) {
    copyFileSync(path, `${path}.1`);
    truncateSync(path);
  }
  return large;
}

export async function keepLogsBounded(
  folder: string,
  clock: Pick<Clock, "sleep">,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    cutLogs(folder);
    await clock.sleep(checkEveryMs, signal);
  }
}
