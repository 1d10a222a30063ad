// Processes under measurement: started here, asked how much CPU and memory they use, and ended here.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { loadAccess, type ServerAccess } from "#client/kubeconfig.ts";
import { request } from "node:https";

export const repository = dirname(import.meta.dirname);
/** Linux counts CPU time in hundredths of a second. */
const ticksPerSecond = 100;
const startMsMax = 30_000;

/** CPU time of a process since it began, in microseconds. */
export function cpuMicroseconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1e6;
}

/** Resident memory of a process, in megabytes. */
export function residentMegabytes(pid: number): number {
  const [, pages = "0"] = readFileSync(`/proc/${pid}/statm`, "utf8").split(" ");
  return (Number(pages) * 4096) / 1e6;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

export interface MeasuredServer {
  readonly pid: number;
  readonly access: ServerAccess;
  readonly kubeconfig: string;
  /** From exec to the first `ok` of /readyz. */
  readonly readyMs: number;
  stop(): Promise<void>;
}

/** `leme server` on a directory of its own. */
export async function startServer(): Promise<MeasuredServer> {
  const dir = mkdtempSync(join(tmpdir(), "leme-bench-"));
  const port = await freePort();
  const kubeconfig = join(dir, "config");
  const from = performance.now();
  const child = spawn(
    join(repository, "bin/leme"),
    [
      "server",
      `--data-dir=${join(dir, "data")}`,
      `--secure-port=${port}`,
      "--bind-address=127.0.0.1",
      `--write-kubeconfig=${kubeconfig}`,
      "--log-level=error",
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  await ready(port, from);
  const readyMs = performance.now() - from;
  while (!existsSync(kubeconfig)) await new Promise((resolve) => setTimeout(resolve, 10));
  return {
    pid: child.pid as number,
    access: await loadAccess(kubeconfig),
    kubeconfig,
    readyMs,
    stop: () => end(child, dir),
  };
}

async function end(child: ChildProcess, dir: string): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await ended;
  rmSync(dir, { recursive: true, force: true });
}

/** Asks again and again until the server says `ok`. */
async function ready(port: number, from: number): Promise<void> {
  while (!(await answersOk(port))) {
    if (performance.now() - from > startMsMax) throw new Error("the server does not become ready");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

function answersOk(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const sent = request(
      { host: "127.0.0.1", port, path: "/readyz", rejectUnauthorized: false, agent: false },
      (answer) => {
        answer.resume();
        resolve(answer.statusCode === 200);
      },
    );
    sent.on("error", () => resolve(false));
    sent.end();
  });
}
