// Runs one program to its end: bounded output, stderr kept for the error message. Daemons are in daemon.ts.

import { spawn } from "node:child_process";

export interface RunOptions {
  readonly input?: string | Buffer;
  /** Killed with SIGKILL after this long. */
  readonly timeoutMs?: number;
  readonly cwd?: string;
}

export interface RunResult {
  /** -1 when a signal ended it. */
  readonly code: number;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Output past this many bytes per stream is dropped; the program is not disturbed. */
export const outputBytesMax = 16 * 1024 * 1024;
const timeoutMsDefault = 60_000;

/** A program that failed: its command line, its exit, and what it said. */
export class CommandError extends Error {
  override name = "CommandError";
  readonly result: RunResult;

  constructor(command: readonly string[], result: RunResult) {
    const end = result.signal === null ? `exit status ${result.code}` : `killed by ${result.signal}`;
    const said = (result.stderr.trim() || result.stdout.trim()).slice(0, 4000);
    super(`${command.join(" ")}: ${end}${said === "" ? "" : `: ${said}`}`);
    this.result = result;
  }
}

function collector(): { push(chunk: Buffer): void; text(): string } {
  const chunks: Buffer[] = [];
  let size = 0;
  return {
    push(chunk) {
      if (size >= outputBytesMax) return;
      chunks.push(chunk);
      size += chunk.length;
    },
    text: () => Buffer.concat(chunks).toString(),
  };
}

/** Runs `command` and gives its result, whatever its exit status. Rejects only when it cannot be started. */
export function run(command: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const [file, ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(file as string, args, {
      stdio: ["pipe", "pipe", "pipe"],
      cwd: options.cwd,
    });
    const out = collector();
    const err = collector();
    const timer = setTimeout(() => child.kill("SIGKILL"), options.timeoutMs ?? timeoutMsDefault);
    child.stdout.on("data", out.push);
    child.stderr.on("data", err.push);
    child.stdin.on("error", () => {
      // The program may end without reading its input; its exit status says whether that was right.
    });
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code: code ?? -1, signal, stdout: out.text(), stderr: err.text() });
    });
    child.stdin.end(options.input ?? "");
  });
}

/** Runs `command` and gives its standard output; any exit status but 0 is a CommandError. */
export async function runOk(command: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await run(command, options);
  if (result.code !== 0) throw new CommandError(command, result);
  return result.stdout;
}
