// Lists of 1,000, 10,000 and 50,000 pods: whole, in pages, in protobuf, by a selector; the server's CPU for each, beside the
// floor that sends the same bytes. And the memory that 10,000 pods and 14,000 ConfigMaps take.

import type { ClientHttp2Session } from "node:http2";
import { startFloor } from "./floor.ts";
import { accountOf, ask, openSession, receive, run } from "./load.ts";
import { configMap, configMaps, pod } from "./objects.ts";
import { cpuMicroseconds, residentMegabytes, startServer, type MeasuredServer } from "./processes.ts";
import { short, type Row } from "./stats.ts";

const sizes = [1_000, 10_000, 50_000] as const;
const mapsBeside = 14_000;
const memoryPods = 10_000;
const pageSize = 500;
const inFlight = 32;
const warmUps = 3;
const aimListMs = 60;
const aimPageMs = 5;
const aimMegabytes = 300;
const settleMs = 45_000;
const protobuf = "application/vnd.kubernetes.protobuf";

const namespaceOf = (size: number): string => `pods-${size}`;
const listOf = (size: number): string => `/api/v1/namespaces/${namespaceOf(size)}/pods`;

async function fill(session: ClientHttp2Session, size: number): Promise<void> {
  const namespace = namespaceOf(size);
  const made = await ask(
    session,
    "POST",
    "/api/v1/namespaces",
    JSON.stringify({ metadata: { name: namespace } }),
  );
  if (made.status !== 201) throw new Error(made.text);
  await accountOf(session, namespace);
  const body = (n: number): string => JSON.stringify(pod(`p-${String(n).padStart(6, "0")}`, namespace));
  await run(session, { method: "POST", path: () => listOf(size), body, expect: 201 }, 0, size, inFlight);
}

interface Question {
  readonly name: string;
  readonly path: string;
  readonly accept?: string;
  readonly times: number;
  readonly aimMs?: number;
}

const questions = (size: number): Question[] => {
  const times = Math.max(5, Math.round(200_000 / size));
  const told = size.toLocaleString("en");
  return [
    {
      name: `list of ${told} pods`,
      path: listOf(size),
      times,
      ...(size === memoryPods ? { aimMs: aimListMs } : {}),
    },
    {
      name: `a page of ${pageSize} of ${told} pods`,
      path: `${listOf(size)}?limit=${pageSize}`,
      times: 60,
      ...(size === memoryPods ? { aimMs: aimPageMs } : {}),
    },
    { name: `list of ${told} pods, protobuf`, path: listOf(size), accept: protobuf, times },
    {
      name: `list of ${told} pods, 1 in 100 selected`,
      path: `${listOf(size)}?labelSelector=shard%3D07`,
      times,
    },
  ];
};

interface Side {
  readonly pid: number;
  readonly session: ClientHttp2Session;
}

async function cpuOf(
  { pid, session }: Side,
  { path, accept, times }: Question,
): Promise<{ ms: number; bytes: number }> {
  const headers = accept === undefined ? {} : { accept };
  let bytes = 0;
  // A few times for V8 to compile, and for what is made at the first time.
  for (let n = 0; n < warmUps; n++) bytes = (await receive(session, path, headers)).bytes;
  const before = cpuMicroseconds(pid);
  for (let n = 0; n < times; n++) await receive(session, path, headers);
  return { ms: (cpuMicroseconds(pid) - before) / times / 1000, bytes };
}

export async function listRows(progress: (text: string) => void): Promise<Row[]> {
  const server = await startServer();
  const session = openSession(server.access);
  const floor = await startFloor({ "GET /piece": { status: 200, body: "x".repeat(65_536) } });
  const bare: Side = { pid: floor.pid, session: openSession(floor.access) };
  const rows: Row[] = [];
  try {
    for (const size of sizes) {
      progress(`${size} pods`);
      await fill(session, size);
      if (size === memoryPods) rows.push(await memoryRow(server, session, progress));
      for (const question of questions(size))
        rows.push(await compare({ pid: server.pid, session }, bare, question, progress));
    }
    return rows;
  } finally {
    session.destroy();
    bare.session.destroy();
    floor.stop();
    await server.stop();
  }
}

async function compare(
  ours: Side,
  bare: Side,
  question: Question,
  progress: (text: string) => void,
): Promise<Row> {
  progress(question.name);
  const mine = await cpuOf(ours, question);
  const least = await cpuOf(bare, { ...question, path: `/repeat?bytes=${mine.bytes}` });
  const { aimMs } = question;
  return {
    name: `${question.name} (${short(mine.bytes / 1e6)} MB): server CPU`,
    ours: `${short(mine.ms)} ms`,
    peer: `${short(least.ms)} ms`,
    ratio: mine.ms / least.ms,
    ...(aimMs === undefined ? {} : { aim: `≤ ${aimMs} ms`, met: mine.ms <= aimMs }),
  };
}

async function memoryRow(
  server: MeasuredServer,
  session: ClientHttp2Session,
  progress: (text: string) => void,
): Promise<Row> {
  progress(`${mapsBeside} ConfigMaps`);
  const body = (n: number): string => JSON.stringify(configMap(`m-${n}`));
  await run(session, { method: "POST", path: () => configMaps, body, expect: 201 }, 0, mapsBeside, inFlight);
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  const megabytes = residentMegabytes(server.pid);
  return {
    name: `memory with ${(memoryPods + 1_000).toLocaleString("en")} pods and ${mapsBeside.toLocaleString("en")} ConfigMaps`,
    ours: `${short(megabytes)} MB`,
    aim: `≤ ${aimMegabytes} MB`,
    met: megabytes <= aimMegabytes,
  };
}
