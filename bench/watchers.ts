// One change, 100 and 1,000 watchers: the server's CPU for each delivery and when the watchers have it, beside a bare TLS
// writer that sends the same bytes to as many. Ours makes the change durable first, which the writer does not: what a
// change costs that nobody watches is measured as well, and told apart.

import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import { startFloor } from "./floor.ts";
import { ask, openSession } from "./load.ts";
import { configMap, configMaps } from "./objects.ts";
import { cpuMicroseconds, startServer } from "./processes.ts";
import { percentile, short, type Row } from "./stats.ts";

const watcherCounts = [100, 1_000] as const;
const streamsPerConnection = 50;
const changes = 200;
const warmChanges = 3_000;
const aimCpu = 1.3;
const aimP99 = 1.5;
const watched = `${configMaps}/watched`;

interface Side {
  readonly pid: number;
  readonly session: ClientHttp2Session;
  readonly open: () => ClientHttp2Session;
  /** Makes one change. */
  readonly change: (n: number) => Promise<string>;
  /** The path of a watch that begins after the newest change. */
  readonly now: () => Promise<string>;
}

/** Streams that count what comes: each event ends its line, and carries the mark of its change. */
class Watchers {
  readonly sessions: ClientHttp2Session[] = [];
  readonly streams: ClientHttp2Stream[] = [];
  #got = 0;
  #times: number[] = [];
  #done: (() => void) | undefined;

  async start(open: () => ClientHttp2Session, path: string, count: number): Promise<void> {
    const answered: Promise<unknown>[] = [];
    for (let n = 0; n < count; n++) {
      if (n % streamsPerConnection === 0) this.sessions.push(open());
      const stream = (this.sessions.at(-1) as ClientHttp2Session).request({ ":path": path });
      answered.push(new Promise((resolve) => stream.once("response", resolve)));
      stream.on("error", () => undefined);
      stream.on("data", (chunk: Buffer) => this.#count(chunk));
      this.streams.push(stream);
    }
    await Promise.all(answered);
  }

  #count(chunk: Buffer): void {
    if (chunk.at(-1) !== 10) return;
    this.#times.push(performance.now());
    if (++this.#got === this.streams.length) this.#done?.();
  }

  /** Milliseconds from `change` until each watcher has the event. */
  async deliver(change: () => Promise<unknown>): Promise<{ all: number[]; first: number }> {
    this.#got = 0;
    this.#times = [];
    const done = new Promise<void>((resolve) => (this.#done = resolve));
    const from = performance.now();
    let answered = Infinity;
    await Promise.all([change().then(() => (answered = performance.now())), done]);
    const all = this.#times.map((time) => time - from);
    return { all, first: Math.min(answered - from, ...all) };
  }

  stop(): void {
    for (const session of this.sessions) session.destroy();
  }
}

interface Measured {
  /** Microseconds for each delivery, the change itself included. */
  readonly cpu: number;
  /** The same without the change: what as many changes cost that nobody watches is taken off. */
  readonly delivery: number;
  /** Milliseconds from the request. */
  readonly latencies: readonly number[];
  /** Milliseconds from when the first of all, the writer among them, knows of it. */
  readonly spread: readonly number[];
}

async function measure(side: Side, count: number): Promise<Measured> {
  let next = 0;
  const cpuOf = async (run: () => Promise<unknown>): Promise<number> => {
    const before = cpuMicroseconds(side.pid);
    for (let n = 0; n < changes; n++) await run();
    return cpuMicroseconds(side.pid) - before;
  };
  const alone = await cpuOf(() => side.change(++next));
  // What is watched from here on begins after the newest change.
  const watchers = new Watchers();
  await watchers.start(side.open, await side.now(), count);
  const latencies: number[] = [];
  const spread: number[] = [];
  const deliver = async (): Promise<void> => {
    const times = await watchers.deliver(() => side.change(++next));
    latencies.push(...times.all);
    spread.push(...times.all.map((time) => time - times.first));
  };
  for (let n = 0; n < 10; n++) await deliver();
  latencies.length = spread.length = 0;
  const cpu = await cpuOf(deliver);
  watchers.stop();
  return { cpu: cpu / changes / count, delivery: (cpu - alone) / changes / count, latencies, spread };
}

const patch = (n: number): string => JSON.stringify({ data: { step: `step ${n}` } });

export async function watcherRows(progress: (text: string) => void): Promise<Row[]> {
  const server = await startServer();
  const session = openSession(server.access);
  await ask(session, "POST", configMaps, JSON.stringify(configMap("watched")));
  const change = async (n: number): Promise<string> =>
    (await ask(session, "PATCH", watched, patch(n), "application/merge-patch+json")).text;
  const event = `{"type":"MODIFIED","object":${await change(0)}}\n`;
  const floor = await startFloor({});
  const ours: Side = {
    pid: server.pid,
    session,
    open: () => openSession(server.access),
    change,
    now: async () =>
      `${configMaps}?watch=true&fieldSelector=metadata.name%3Dwatched&resourceVersion=${versionOf(await change(-1))}`,
  };
  const writer = openSession(floor.access);
  const bare: Side = {
    pid: floor.pid,
    session: writer,
    open: () => openSession(floor.access),
    now: () => Promise.resolve("/watch"),
    change: async () => (await ask(writer, "POST", "/emit", event)).text,
  };
  const rows: Row[] = [];
  try {
    // Before that, what is measured is V8 compiling.
    for (let n = 0; n < warmChanges; n++) await Promise.all([ours.change(n), bare.change(n)]);
    for (const count of watcherCounts) {
      progress(`${count} watchers`);
      const mine = await measure(ours, count);
      const least = await measure(bare, count);
      rows.push(...rowsOf(count, mine, least));
    }
    return rows;
  } finally {
    session.destroy();
    writer.destroy();
    floor.stop();
    await server.stop();
  }
}

const versionOf = (event: string): string => /"resourceVersion":"(\d+)"/.exec(event)?.[1] ?? "";

function rowsOf(count: number, mine: Measured, least: Measured): Row[] {
  const told = `a change to ${count.toLocaleString("en")} watchers`;
  const p99 = ({ spread }: Measured): number => percentile(spread, 0.99);
  const text = (all: readonly number[]): string =>
    `${short(percentile(all, 0.5))} / ${short(percentile(all, 0.99))} ms`;
  return [
    {
      name: `${told}: server CPU for each, with the change`,
      ours: `${short(mine.cpu)} µs`,
      peer: `${short(least.cpu)} µs`,
      ratio: mine.cpu / least.cpu,
    },
    {
      name: `${told}: server CPU for each delivery`,
      ours: `${short(mine.delivery)} µs`,
      peer: `${short(least.delivery)} µs`,
      ratio: mine.delivery / least.delivery,
      aim: `≤ ${aimCpu}×`,
      met: mine.delivery <= aimCpu * least.delivery,
    },
    {
      name: `${told}: p50 / p99 from the request`,
      ours: text(mine.latencies),
      peer: text(least.latencies),
      ratio: percentile(mine.latencies, 0.99) / percentile(least.latencies, 0.99),
    },
    {
      name: `${told}: p50 / p99 from when anybody knows`,
      ours: text(mine.spread),
      peer: text(least.spread),
      ratio: p99(mine) / p99(least),
      aim: `p99 ≤ ${aimP99}×`,
      met: p99(mine) <= aimP99 * p99(least),
    },
  ];
}
