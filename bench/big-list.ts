// One list of 300,000 ConfigMaps of a kilobyte: the server's CPU beside a bare TLS writer of as many bytes, the time to the
// first byte, and what the answer takes of memory while it is under way.

import { startFloor } from "./floor.ts";
import { openSession, receive, run } from "./load.ts";
import { configMap, configMaps } from "./objects.ts";
import { cpuMicroseconds, residentMegabytes, startServer } from "./processes.ts";
import { short, type Row } from "./stats.ts";

const objects = 300_000;
const dataBytes = 800;
const inFlight = 64;
const aimRatio = 2;
const aimFirstByteMs = 20;
/** A second copy of everything would be more than this share of it. */
const aimGrowth = 0.3;
const sampleMs = 20;

export async function bigListRows(progress: (text: string) => void): Promise<Row[]> {
  const server = await startServer();
  const session = openSession(server.access);
  const floor = await startFloor({ "GET /piece": { status: 200, body: "x".repeat(65_536) } });
  const bare = openSession(floor.access);
  try {
    progress(`creating ${objects} ConfigMaps`);
    const body = (n: number): string => JSON.stringify(configMap(`m-${n}`, dataBytes));
    await run(session, { method: "POST", path: () => configMaps, body, expect: 201 }, 0, objects, inFlight);
    await receive(session, `${configMaps}?limit=500`, {});
    progress("listing them");
    const restMegabytes = residentMegabytes(server.pid);
    let most = restMegabytes;
    const sampling = setInterval(() => (most = Math.max(most, residentMegabytes(server.pid))), sampleMs);
    const before = cpuMicroseconds(server.pid);
    const { bytes, firstByteMs } = await receive(session, configMaps, {});
    const cpuMs = (cpuMicroseconds(server.pid) - before) / 1000;
    clearInterval(sampling);
    await receive(bare, `/repeat?bytes=${bytes}`, {});
    const bareBefore = cpuMicroseconds(floor.pid);
    const floorRead = await receive(bare, `/repeat?bytes=${bytes}`, {});
    const bareMs = (cpuMicroseconds(floor.pid) - bareBefore) / 1000;
    const told = `list of ${objects.toLocaleString("en")} ConfigMaps (${short(bytes / 1e6)} MB)`;
    const grown = most - restMegabytes;
    return [
      {
        name: `${told}: server CPU`,
        ours: `${short(cpuMs)} ms`,
        peer: `${short(bareMs)} ms`,
        ratio: cpuMs / bareMs,
        aim: `≤ ${aimRatio}×`,
        met: cpuMs <= aimRatio * bareMs,
      },
      {
        name: `${told}: first byte`,
        ours: `${short(firstByteMs)} ms`,
        peer: `${short(floorRead.firstByteMs)} ms`,
        ratio: firstByteMs / floorRead.firstByteMs,
        aim: `< ${aimFirstByteMs} ms`,
        met: firstByteMs < aimFirstByteMs,
      },
      {
        name: `${told}: memory more than at rest (${short(restMegabytes)} MB)`,
        ours: `${short(grown)} MB`,
        aim: "no second copy",
        met: grown < (aimGrowth * bytes) / 1e6,
      },
    ];
  } finally {
    session.destroy();
    bare.destroy();
    floor.stop();
    await server.stop();
  }
}
