// Get, list, create, patch and apply: throughput, latency and the server's CPU per operation, beside a bare TLS server that answers
// with the same bytes. Both take turns within one run.

import type { ClientHttp2Session } from "node:http2";
import { startFloor } from "./floor.ts";
import { accountOf, ask, openSession, run, type Load } from "./load.ts";
import { boat, boatDefinition, boats, configMap, configMaps, pod, pods } from "./objects.ts";
import { cpuMicroseconds, startServer } from "./processes.ts";
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

const appliedMaps = 100;
const appliedName = (n: number): string => `a-${Math.abs(n) % appliedMaps}`;
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
    name: "create a custom resource with rules",
    count: 1_000,
    load: {
      method: "POST",
      path: () => boats,
      body: (n) => JSON.stringify(boat(`b-${n}`)),
      expect: 201,
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

/** Resolves when the server serves the kind. */
async function defineBoats(session: ClientHttp2Session): Promise<void> {
  const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  const { status, text } = await ask(session, "POST", definitions, JSON.stringify(boatDefinition));
  if (status !== 201) throw new Error(text);
  while ((await ask(session, "GET", boats)).status !== 200)
    await new Promise((resolve) => setTimeout(resolve, 10));
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
  const server = await startServer();
  const ours: Side = { pid: server.pid, session: openSession(server.access) };
  await accountOf(ours.session, "default");
  const body = (n: number): string => JSON.stringify(pod(`p-${n}`));
  await run(ours.session, { method: "POST", path: () => pods, body, expect: 201 }, 0, listedPods, inFlight);
  for (let n = 0; n < appliedMaps; n++) {
    const path = `${configMaps}/${appliedName(n)}?fieldManager=bench`;
    const body = JSON.stringify(configMap(appliedName(n)));
    await ask(ours.session, "PATCH", path, body, "application/apply-patch+yaml");
  }
  await defineBoats(ours.session);
  const bare = await startFloor(await recordAnswers(ours.session));
  try {
    const floor: Side = { pid: bare.pid, session: openSession(bare.access) };
    const rows = [];
    for (const one of cases) rows.push(await compareCase(one, ours, floor, progress));
    floor.session.destroy();
    return rows.flat();
  } finally {
    ours.session.destroy();
    bare.stop();
    await server.stop();
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
