// The same requests over 1, 16 and 64 connections, one in flight on each: the server's CPU and what clients wait, beside the
// floor over as many.

import type { ClientHttp2Session } from "node:http2";
import type { ServerAccess } from "#client/kubeconfig.ts";
import { startFloor } from "./floor.ts";
import { ask, openSession, run, type Load } from "./load.ts";
import { configMap, configMaps } from "./objects.ts";
import { cpuMicroseconds, startServer } from "./processes.ts";
import { percentile, short, type Row } from "./stats.ts";

const connectionCounts = [1, 16, 64] as const;
const measuredRequests = 6_000;
const rounds = 2;
const objects = 64;
const aimP99Ms = 20;
const aimConnections = 16;

const nameOf = (n: number): string => `m-${Math.abs(n) % objects}`;
const merge = "application/merge-patch+json";

const loads: readonly (readonly [name: string, load: Load])[] = [
  ["get", { method: "GET", path: (n) => `${configMaps}/${nameOf(n)}`, expect: 200 }],
  [
    "create",
    { method: "POST", path: () => configMaps, body: (n) => JSON.stringify(configMap(`c-${n}`)), expect: 201 },
  ],
  [
    "update",
    {
      method: "PUT",
      path: (n) => `${configMaps}/${nameOf(n)}`,
      body: (n) => JSON.stringify({ ...configMap(nameOf(n)), data: { text: `${"x".repeat(600)}${n}` } }),
      expect: 200,
    },
  ],
  [
    "patch",
    {
      method: "PATCH",
      path: (n) => `${configMaps}/${nameOf(n)}`,
      body: (n) => JSON.stringify({ data: { more: `v${n}` } }),
      contentType: merge,
      expect: 200,
    },
  ],
];

interface Sample {
  cpu: number;
  count: number;
  latencies: number[];
}

/** Shares the requests out over the sessions; their numbers do not meet. */
async function measure(
  pid: number,
  sessions: readonly ClientHttp2Session[],
  load: Load,
  from: number,
  into: Sample,
): Promise<void> {
  const each = Math.ceil(measuredRequests / sessions.length);
  const before = cpuMicroseconds(pid);
  const results = await Promise.all(
    sessions.map((session, at) => run(session, load, from + at * each, each, 1)),
  );
  into.cpu += cpuMicroseconds(pid) - before;
  into.count += each * sessions.length;
  for (const { latencies } of results) into.latencies.push(...latencies);
}

const open = (access: ServerAccess, count: number): ClientHttp2Session[] =>
  Array.from({ length: count }, () => openSession(access));

export async function connectionRows(progress: (text: string) => void): Promise<Row[]> {
  const server = await startServer();
  const first = openSession(server.access);
  for (let n = 0; n < objects; n++)
    await ask(first, "POST", configMaps, JSON.stringify(configMap(nameOf(n))));
  const answers: Record<string, object> = {};
  for (const [, load] of loads) {
    const path = load.path(-1);
    const { status, text } = await ask(first, load.method, path, load.body?.(-1), load.contentType);
    answers[`${load.method} ${path}`] = { status, body: text };
  }
  first.destroy();
  const floor = await startFloor(answers);
  const rows: Row[] = [];
  let n = 0;
  try {
    for (const connections of connectionCounts) {
      const ours = open(server.access, connections);
      const bare = open(floor.access, connections);
      for (const [name, load] of loads) {
        progress(`${name}, ${connections} connections`);
        const fixed: Load = { ...load, path: () => load.path(-1) };
        const [mine, least]: [Sample, Sample] = [
          { cpu: 0, count: 0, latencies: [] },
          { cpu: 0, count: 0, latencies: [] },
        ];
        // The first round is not counted: before it, V8 compiles.
        for (let round = 0; round <= rounds; round++) {
          const aside: Sample = { cpu: 0, count: 0, latencies: [] };
          await measure(server.pid, ours, load, n, round === 0 ? aside : mine);
          n += 2 * measuredRequests;
          await measure(floor.pid, bare, fixed, 0, round === 0 ? aside : least);
        }
        rows.push(
          ...rowsOf(
            `${name}, ${connections} connection${connections === 1 ? "" : "s"}`,
            mine,
            least,
            connections,
          ),
        );
      }
      for (const session of [...ours, ...bare]) session.destroy();
    }
    return rows;
  } finally {
    floor.stop();
    await server.stop();
  }
}

function rowsOf(name: string, mine: Sample, least: Sample, connections: number): Row[] {
  const cpu = (sample: Sample): number => sample.cpu / sample.count;
  const p99 = percentile(mine.latencies, 0.99);
  const latency = ({ latencies }: Sample): string =>
    `${short(percentile(latencies, 0.5))} / ${short(percentile(latencies, 0.99))} ms`;
  return [
    {
      name: `${name}: server CPU each`,
      ours: `${short(cpu(mine))} µs`,
      peer: `${short(cpu(least))} µs`,
      ratio: cpu(mine) / cpu(least),
    },
    {
      name: `${name}: p50 / p99`,
      ours: latency(mine),
      peer: latency(least),
      ratio: p99 / percentile(least.latencies, 0.99),
      ...(connections === aimConnections ? { aim: `p99 < ${aimP99Ms} ms`, met: p99 < aimP99Ms } : {}),
    },
  ];
}
