// Processes that outlive the command that starts them: own session, output to a log file, and a record of
// who they are (pid, start time, boot), so that only what we started is ever signalled.

import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Clock } from "#base/clock.ts";
import { hasCode, readIfExists, writeAtomically } from "./files.ts";
import { identify, isAlive, signalProcess, type ProcessIdentity } from "./identity.ts";

export interface DaemonSpec {
  readonly command: readonly string[];
  readonly logFile: string;
  /** Where the identity is kept. */
  readonly recordFile: string;
  readonly cwd?: string;
}

/** A log larger than this is moved aside when its daemon is started again; one old log is kept. */
const logBytesMax = 10 * 1024 * 1024;

function rotate(logFile: string): void {
  mkdirSync(dirname(logFile), { recursive: true });
  try {
    if (statSync(logFile).size > logBytesMax) renameSync(logFile, `${logFile}.1`);
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
  }
}

/** The daemon that a record file names, if it still runs. */
export function recordedDaemon(recordFile: string): ProcessIdentity | undefined {
  const text = readIfExists(recordFile);
  if (text === undefined) return undefined;
  let identity: ProcessIdentity;
  try {
    identity = JSON.parse(text) as ProcessIdentity;
  } catch {
    return undefined; // A record cut short by a crash names nobody.
  }
  return isAlive(identity) ? identity : undefined;
}

/** Starts the daemon and records it. The caller checks recordedDaemon() first. */
export async function startDaemon(spec: DaemonSpec): Promise<ProcessIdentity> {
  rotate(spec.logFile);
  const log = openSync(spec.logFile, "a", 0o640);
  try {
    const [file, ...args] = spec.command;
    const child = spawn(file as string, args, {
      detached: true,
      stdio: ["ignore", log, log],
      cwd: spec.cwd ?? "/",
    });
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    const identity = identify(child.pid as number);
    if (identity === undefined) throw new Error(`${file} ended at once; see ${spec.logFile}`);
    writeAtomically(spec.recordFile, `${JSON.stringify(identity)}\n`);
    child.unref();
    return identity;
  } finally {
    closeSync(log);
  }
}

/** SIGTERM, then SIGKILL after `graceMs`; resolves when it is gone. True when it was running. */
export async function stopDaemon(
  recordFile: string,
  graceMs: number,
  clock: Pick<Clock, "monotonic" | "sleep">,
): Promise<boolean> {
  const identity = recordedDaemon(recordFile);
  if (identity !== undefined) await endProcess(identity, graceMs, clock);
  rmSync(recordFile, { force: true });
  return identity !== undefined;
}

const pollMs = 20;
/** How long a process may take to vanish after SIGKILL before that is reported. */
const killMsMax = 5_000;

export async function endProcess(
  identity: ProcessIdentity,
  graceMs: number,
  clock: Pick<Clock, "monotonic" | "sleep">,
): Promise<void> {
  for (const [signal, waitMs] of [
    ["SIGTERM", graceMs],
    ["SIGKILL", killMsMax],
  ] as const) {
    if (!signalProcess(identity, signal)) return;
    const deadline = clock.monotonic() + waitMs;
    while (clock.monotonic() < deadline) {
      if (!isAlive(identity)) return;
      await clock.sleep(pollMs);
    }
  }
  if (isAlive(identity)) throw new Error(`process ${identity.pid} does not end, even on SIGKILL`);
}
