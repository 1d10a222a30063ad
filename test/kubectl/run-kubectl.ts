// Runs one command line with our kubectl in this process, or with a binary.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { Io } from "#kubectl/command.ts";
import { runKubectl } from "#kubectl/main.ts";
import { splitLine, type Result } from "./transcript.ts";

export interface Surroundings {
  readonly kubeconfig: string;
  readonly cwd: string;
  readonly home: string;
  /** Where programs are found that kubectl runs itself (diff); nowhere by default. */
  readonly path?: string;
}

/** Ends a command that waits for what never comes; it then counts as failed. */
const patienceMs = 60_000;

const stdinOf = (cwd: string, file: string | undefined): Buffer =>
  file === undefined ? Buffer.alloc(0) : readFileSync(join(cwd, file));

export async function runOurs(line: string, { kubeconfig, cwd, home }: Surroundings): Promise<Result> {
  const { args, stdin } = splitLine(line);
  const written = { stdout: "", stderr: "" };
  const output = (name: "stdout" | "stderr"): Io["stdout"] => ({
    isTerminal: false,
    write: (data) => void (written[name] += Buffer.from(data).toString()),
  });
  const code = await runKubectl(args, {
    stdin: { isTerminal: false, stream: () => Readable.from([stdinOf(cwd, stdin)]), setRaw: () => undefined },
    stdout: output("stdout"),
    stderr: output("stderr"),
    env: { KUBECONFIG: kubeconfig, HOME: home },
    cwd,
    home,
    terminalSize: () => undefined,
    onResize: () => () => undefined,
    onSignal: () => () => undefined,
    now: () => Date.now(),
  });
  return { ...written, code };
}

export function runBinary(
  binary: string,
  line: string,
  { kubeconfig, cwd, home, path }: Surroundings,
): Promise<Result> {
  const { args, stdin } = splitLine(line);
  const env = { KUBECONFIG: kubeconfig, HOME: home, PATH: path ?? "" };
  const child = spawn(binary, args, { cwd, env, timeout: patienceMs, killSignal: "SIGKILL" });
  const written = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => (written.stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (written.stderr += chunk.toString()));
  child.stdin.on("error", () => undefined);
  child.stdin.end(stdinOf(cwd, stdin));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ ...written, code: code ?? -1 }));
  });
}
