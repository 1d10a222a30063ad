// Keeps container logs small: a file that has grown too large is put aside, the runtime opens a new one, and only
// the newest files stay.

import { renameSync, rmSync, statSync } from "node:fs";
import { toError } from "#base/assert.ts";
import type { Clock } from "#base/clock.ts";
import type { Logger } from "#base/log.ts";
import type { ContainerRuntime } from "#cri/cri.ts";
import { hasCode } from "#host/files.ts";
import { logBytesMax, logCheckMs, logFilesMax } from "../limits.ts";
import { rotatedLogs, rotationSuffix } from "./log-files.ts";

export interface RotationDeps {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Running containers and their log files. */
  running(): Iterable<{ readonly id: string; readonly path: string }>;
  readonly bytesMax?: number;
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch (error) {
    if (hasCode(error, "ENOENT")) return 0;
    throw error;
  }
}

export async function rotateLog(
  runtime: ContainerRuntime,
  id: string,
  path: string,
  nowMs: number,
): Promise<void> {
  const aside = path + rotationSuffix(nowMs);
  renameSync(path, aside);
  try {
    await runtime.reopenContainerLog(id);
  } catch (error) {
    // The runtime still writes to the old file: give it its name back.
    renameSync(aside, path);
    throw error;
  }
  const old = rotatedLogs(path);
  for (const file of old.slice(0, Math.max(0, old.length - (logFilesMax - 1)))) rmSync(file, { force: true });
}

export async function runLogRotation(deps: RotationDeps): Promise<void> {
  const { runtime, clock, log, signal, bytesMax = logBytesMax } = deps;
  while (!signal.aborted) {
    await clock.sleep(logCheckMs, signal);
    for (const { id, path } of deps.running()) {
      if (signal.aborted || sizeOf(path) < bytesMax) continue;
      try {
        await rotateLog(runtime, id, path, clock.now());
      } catch (thrown) {
        log.warn("a log was not rotated", { container: id, error: toError(thrown) });
      }
    }
  }
}
