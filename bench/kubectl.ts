// `kubectl get pods`: ours beside the real one, against the same server, taking turns.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ask, openSession } from "./load.ts";
import { repository, startServer } from "./processes.ts";
import { percentile, short, type Row } from "./stats.ts";

const rounds = 25;
const podsShown = 20;
const aimRatio = 1.3;

export async function kubectlRows(progress: (text: string) => void): Promise<Row[]> {
  const found = spawnSync("sh", [join(repository, "scripts/reference-kubectl.sh"), "1.36"], {
    encoding: "utf8",
  });
  const real = found.stdout.trim().split("\n").at(-1) ?? "";
  if (found.status !== 0 || !existsSync(real)) {
    progress(`left out: kubectl 1.36 cannot be had here. ${found.stderr.trim()}`);
    return [];
  }
  const home = mkdtempSync(join(tmpdir(), "leme-bench-home-"));
  const server = await startServer();
  const session = openSession(server.access);
  try {
    for (let n = 0; n < podsShown; n++)
      await ask(
        session,
        "POST",
        "/api/v1/namespaces/default/pods",
        JSON.stringify({
          metadata: { name: `web-${n}` },
          spec: { schedulerName: "nobody", containers: [{ name: "web", image: "website:v1" }] },
        }),
      );
    const env = { PATH: process.env["PATH"] ?? "", HOME: home, KUBECONFIG: server.kubeconfig };
    const time = (binary: string): { ms: number; text: string } => {
      const from = performance.now();
      const { stdout, stderr, status } = spawnSync(binary, ["get", "pods"], { env, encoding: "utf8" });
      if (status !== 0) throw new Error(`${binary} get pods: ${stderr}`);
      return { ms: performance.now() - from, text: stdout };
    };
    const ours = join(repository, "bin/kubectl");
    // Both remember what the server serves; the first call of each is not of those that people wait for all day.
    for (const binary of [ours, real]) time(binary);
    progress(`${rounds} times each`);
    const [mine, theirs]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      mine.push(time(ours).ms);
      theirs.push(time(real).ms);
    }
    const ratio = percentile(mine, 0.5) / percentile(theirs, 0.5);
    return [
      {
        name: `kubectl get pods, ${podsShown} pods: p50 (p99)`,
        ours: `${short(percentile(mine, 0.5))} (${short(percentile(mine, 0.99))}) ms`,
        peer: `${short(percentile(theirs, 0.5))} (${short(percentile(theirs, 0.99))}) ms`,
        ratio,
        aim: `≤ ${aimRatio}×`,
        met: ratio <= aimRatio,
      },
    ];
  } finally {
    session.destroy();
    await server.stop();
    rmSync(home, { recursive: true });
  }
}
