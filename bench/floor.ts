// The floor beside a measurement: a process that answers with bytes that it already has (floor-server.ts).

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServerAccess } from "#client/kubeconfig.ts";
import { createAuthority } from "#pki/certificates.ts";
import { freePort, repository } from "./processes.ts";

export interface Floor {
  readonly pid: number;
  readonly access: ServerAccess;
  stop(): void;
}

/** `answers`: by method and path, as `GET /x`. */
export async function startFloor(answers: Readonly<Record<string, object>>): Promise<Floor> {
  const dir = mkdtempSync(join(tmpdir(), "leme-bench-floor-"));
  const identity = await createAuthority("floor", Date.now() - 1000, 3_600_000);
  const file = join(dir, "floor.json");
  writeFileSync(file, JSON.stringify({ cert: identity.certificate, key: identity.key, answers }));
  const port = await freePort();
  const child = spawn(process.execPath, [join(repository, "bench/floor-server.ts"), String(port), file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  return {
    pid: child.pid as number,
    access: { server: `https://127.0.0.1:${port}`, insecureSkipTlsVerify: true },
    stop: () => {
      child.kill();
      rmSync(dir, { recursive: true });
    },
  };
}
