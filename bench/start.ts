// From exec to the first `ok` of /readyz: a new cluster, and the same one again.

import { startServer } from "./processes.ts";
import { percentile, short, type Row } from "./stats.ts";

const rounds = 7;
const aimMs = 500;

export async function startRows(progress: (text: string) => void): Promise<Row[]> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    progress(`start ${round + 1} of ${rounds}`);
    const server = await startServer();
    times.push(server.readyMs);
    await server.stop();
  }
  const median = percentile(times, 0.5);
  return [
    {
      name: "exec to /readyz, a new cluster: p50 (max)",
      ours: `${short(median)} (${short(Math.max(...times))}) ms`,
      aim: `< ${aimMs} ms`,
      met: median < aimMs,
    },
  ];
}
