// From exec to the first `ok` of /readyz of a new cluster, beside a Node that starts and ends.

import { spawnSync } from "node:child_process";
import { startServer } from "./processes.ts";
import { percentile, short, type Row } from "./stats.ts";

const rounds = 7;
const aimMs = 500;

export async function startRows(progress: (text: string) => void): Promise<Row[]> {
  const times: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < rounds; round++) {
    progress(`start ${round + 1} of ${rounds}`);
    const server = await startServer();
    times.push(server.readyMs);
    await server.stop();
    const from = performance.now();
    spawnSync(process.execPath, ["-e", "0"]);
    bare.push(performance.now() - from);
  }
  const median = percentile(times, 0.5);
  return [
    {
      name: "exec to /readyz, a new cluster: p50 (max)",
      ours: `${short(median)} (${short(Math.max(...times))}) ms`,
      peer: `${short(percentile(bare, 0.5))} (${short(Math.max(...bare))}) ms`,
      ratio: median / percentile(bare, 0.5),
      aim: `< ${aimMs} ms`,
      met: median < aimMs,
    },
  ];
}
