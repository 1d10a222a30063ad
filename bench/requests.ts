// Get, list, create, patch and apply: throughput, latency and the server's CPU per operation, beside a bare TLS server that answers
// with the same bytes. Both take turns within one run.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClientHttp2Session } from "node:http2";
import { createAuthority } from "#pki/certificates.ts";
import { ask, openSession, run, type Load } from "./load.ts";
import { cpuMicroseconds, freePort, repository, startServer } from "./processes.ts";
import { percentile, short, type Row } from "./stats.ts";

const rounds = 4;
const inFlight = 16;
const listedPods = 500;

interface Case {
  readonly name: string;
  readonly count: number;
  readonly aimMicroseconds?: number;
  readonly load: Load;
}

const pods = "/api/v1/namespaces/default/pods";
const configMaps = "/api/v1/namespaces/default/configmaps";

const pod = (name: string): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, labels: { app: "bench", tier: "web" } },
  spec: {
    // No scheduler may take it: what is measured is the API server.
    schedulerName: "nobody",
    containers: [
      {
        name: "web",
        image: "website:v1",
        ports: [{ containerPort: 3000 }],
        env: [{ name: "A", value: "b" }],
        resources: { requests: { cpu: "100m", memory: "64Mi" } },
      },
    ],
  },
});
const appliedMaps = 100;
const appliedName = (n: number): string => `a-${Math.abs(n) % appliedMaps}`;
const configMap = (name: string): object => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  data: { text: "x".repeat(600) },
});

const cases: readonly Case[] = [
  {
    name: "get a pod",
    count: 4_000,
    aimMicroseconds: 60,
    load: { method: "GET", path: () => `${pods}/p-0`, expect: 200 },
  },
  {
    name: "create a ConfigMap",
    count: 2_000,
    aimMicroseconds: 250,
    load: {
      method: "POST",
      path: () => configMaps,
      body: (n) => JSON.stringify(configMap(`c-${n}`)),
      expect: 201,
    },
  },
  {
    name: "create a pod",
    count: 1_000,
    aimMicroseconds: 500,
    load: { method: "POST", path: () => pods, body: (n) => JSON.stringify(pod(`q-${n}`)), expect: 201 },
  },
  {
    name: "merge patch of a pod",
    count: 2_000,
    aimMicroseconds: 320,
    load: {
      method: "PATCH",
      path: (n) => `${pods}/p-${Math.abs(n) % listedPods}`,
      body: (n) => JSON.stringify({ metadata: { labels: { patched: `v${n}` } } }),
      contentType: "application/merge-patch+json",
      expect: 200,
    },
  },
  {
    name: "apply of a ConfigMap",
    count: 2_000,
    load: {
      method: "PATCH",
      path: (n) => `${configMaps}/${appliedName(n)}?fieldManager=bench`,
      body: (n) => JSON.stringify({ ...configMap(appliedName(n)), data: { text: `${"x".repeat(600)}${n}` } }),
      contentType: "application/apply-patch+yaml",
      expect: 200,
    },
  },
  {
    name: `list ${listedPods} pods`,
    count: 60,
    load: { method: "GET", path: () => `${pods}?limit=${listedPods}`, expect: 200 },
  },
];

interface Side {
  readonly pid: number;
  readonly session: ClientHttp2Session;
}

interface Sample {
  cpu: number;
  seconds: number;
  count: number;
  latencies: number[];
}

const emptySample = (): Sample => ({ cpu: 0, seconds: 0, count: 0, latencies: [] });

async function measure(side: Side, load: Load, from: number, count: number, into: Sample): Promise<void> {
  const before = cpuMicroseconds(side.pid);
  const { seconds, latencies } = await run(side.session, load, from, count, inFlight);
  into.cpu += cpuMicroseconds(side.pid) - before;
  into.seconds += seconds;
  into.count += count;
  into.latencies.push(...latencies);
}

/** What our server answers to one request of each case: the bytes that the floor sends. */
async function recordAnswers(session: ClientHttp2Session): Promise<Record<string, object>> {
  const answers: Record<string, object> = {};
  for (const { load } of cases) {
    const path = load.path(-1);
    const { status, text } = await ask(session, load.method, path, load.body?.(-1), load.contentType);
    if (status !== load.expect) throw new Error(`${load.method} ${path}: ${status} ${text.slice(0, 300)}`);
    answers[`${load.method} ${path}`] = { status, body: text };
  }
  return answers;
}

export async function requestRows(progress: (text: string) => void): Promise<Row[]> {
  const dir = mkdtempSync(join(tmpdir(), "leme-bench-floor-"));
  const server = await startServer();
  const ours: Side = { pid: server.pid, session: openSession(server.access) };
  for (let n = 0; n < listedPods; n++) await ask(ours.session, "POST", pods, JSON.stringify(pod(`p-${n}`)));
  for (let n = 0; n < appliedMaps; n++) {
    const path = `${configMaps}/${appliedName(n)}?fieldManager=bench`;
    const body = JSON.stringify(configMap(appliedName(n)));
    await ask(ours.session, "PATCH", path, body, "application/apply-patch+yaml");
  }
  const identity = await createAuthority("floor", Date.now() - 1000, 3_600_000);
  const file = join(dir, "floor.json");
  writeFileSync(
    file,
    JSON.stringify({
      cert: identity.certificate,
      key: identity.key,
      answers: await recordAnswers(ours.session),
    }),
  );
  const port = await freePort();
  const child = spawn(process.execPath, [join(repository, "bench/floor-server.ts"), String(port), file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    await once(child.stdout, "data");
    const floor: Side = {
      pid: child.pid as number,
      session: openSession({ server: `https://127.0.0.1:${port}`, insecureSkipTlsVerify: true }),
    };
    const rows = [];
    for (const one of cases) rows.push(await compareCase(one, ours, floor, progress));
    floor.session.destroy();
    return rows.flat();
  } finally {
    ours.session.destroy();
    child.kill();
    await server.stop();
    rmSync(dir, { recursive: true });
  }
}

async function compareCase(
  { name, count, aimMicroseconds, load }: Case,
  ours: Side,
  floor: Side,
  progress: (text: string) => void,
): Promise<Row[]> {
  progress(name);
  // As many as one round: before that, what is measured is V8 compiling.
  const warm = count;
  let n = 0;
  await run(ours.session, load, n, warm, inFlight);
  await run(floor.session, { ...load, path: () => load.path(-1) }, 0, warm, inFlight);
  n += warm;
  const [mine, bare] = [emptySample(), emptySample()];
  for (let round = 0; round < rounds; round++) {
    await measure(ours, load, n, count, mine);
    n += count;
    await measure(floor, { ...load, path: () => load.path(-1) }, 0, count, bare);
  }
  const each = ({ cpu, count: done }: Sample): number => cpu / done;
  const rate = ({ seconds, count: done }: Sample): number => done / seconds;
  const latency = ({ latencies }: Sample): string =>
    `${short(percentile(latencies, 0.5))} / ${short(percentile(latencies, 0.99))} ms`;
  return [
    {
      name: `${name}: server CPU each`,
      ours: `${short(each(mine))} µs`,
      peer: `${short(each(bare))} µs`,
      ratio: each(mine) / each(bare),
      ...(aimMicroseconds === undefined
        ? {}
        : { aim: `≤ ${aimMicroseconds} µs`, met: each(mine) <= aimMicroseconds }),
    },
    {
      name: `${name}: each second`,
      ours: short(rate(mine)),
      peer: short(rate(bare)),
      ratio: rate(mine) / rate(bare),
    },
    {
      name: `${name}: p50 / p99`,
      ours: latency(mine),
      peer: latency(bare),
      ratio: percentile(mine.latencies, 0.5) / percentile(bare.latencies, 0.5),
    },
  ];
}
