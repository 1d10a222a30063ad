// One change, 100 and 1,000 watchers: the server's CPU for each delivery and when the watchers have it, beside a bare TLS
// writer that sends the same bytes to as many.

import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import { startFloor } from "./floor.ts";
import { ask, openSession } from "./load.ts";
import { configMap, configMaps } from "./objects.ts";
import { cpuMicroseconds, startServer } from "./processes.ts";
import { percentile, short, type Row } from "./stats.ts";

const watcherCounts = [100, 1_000] as const;
const streamsPerConnection = 50;
const changes = 100;
const aimCpu = 1.3;
const aimP99 = 1.5;
const watched = `${configMaps}/watched`;

interface Side {
  readonly pid: number;
  readonly session: ClientHttp2Session;
  readonly open: () => ClientHttp2Session;
  readonly watchPath: string;
  /** Makes one change; resolves with what every watcher then reads at the end of its event. */
  readonly change: (n: number) => Promise<string>;
}

/** Streams that count what comes: each event ends its line, and carries the mark of its change. */
class Watchers {
  readonly sessions: ClientHttp2Session[] = [];
  readonly streams: ClientHttp2Stream[] = [];
  #got = 0;
  #times: number[] = [];
  #done: (() => void) | undefined;

  async start(side: Side, count: number): Promise<void> {
    const answered: Promise<unknown>[] = [];
    for (let n = 0; n < count; n++) {
      if (n % streamsPerConnection === 0) this.sessions.push(side.open());
      const stream = (this.sessions.at(-1) as ClientHttp2Session).request({ ":path": side.watchPath });
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
  async deliver(change: () => Promise<unknown>): Promise<number[]> {
    this.#got = 0;
    this.#times = [];
    const all = new Promise<void>((resolve) => (this.#done = resolve));
    const from = performance.now();
    await Promise.all([change(), all]);
    return this.#times.map((time) => time - from);
  }

  stop(): void {
    for (const session of this.sessions) session.destroy();
  }
}

async function measure(side: Side, count: number): Promise<{ cpu: number; latencies: number[] }> {
  const watchers = new Watchers();
  await watchers.start(side, count);
  const latencies: number[] = [];
  for (let n = 0; n < 10; n++) await watchers.deliver(() => side.change(-n));
  const before = cpuMicroseconds(side.pid);
  for (let n = 1; n <= changes; n++) latencies.push(...(await watchers.deliver(() => side.change(n))));
  const cpu = (cpuMicroseconds(side.pid) - before) / changes / count;
  watchers.stop();
  return { cpu, latencies };
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
    watchPath: `${configMaps}?watch=true&fieldSelector=metadata.name%3Dwatched&resourceVersion=${versionOf(event)}`,
    change,
  };
  const writer = openSession(floor.access);
  const bare: Side = {
    pid: floor.pid,
    session: writer,
    open: () => openSession(floor.access),
    watchPath: "/watch",
    change: async () => (await ask(writer, "POST", "/emit", event)).text,
  };
  const rows: Row[] = [];
  try {
    for (const count of watcherCounts) {
      progress(`${count} watchers`);
      // A watch begins after the newest change: what came before is not delivered again.
      const now = `{"type":"MODIFIED","object":${await change(0.5 + count)}}`;
      const mine = await measure(
        { ...ours, watchPath: ours.watchPath.replace(/\d+$/, versionOf(now)) },
        count,
      );
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

function rowsOf(
  count: number,
  mine: { cpu: number; latencies: number[] },
  least: { cpu: number; latencies: number[] },
): Row[] {
  const told = count.toLocaleString("en");
  const [p99, floorP99] = [percentile(mine.latencies, 0.99), percentile(least.latencies, 0.99)];
  const text = (all: readonly number[]): string =>
    `${short(percentile(all, 0.5))} / ${short(percentile(all, 0.99))} ms`;
  return [
    {
      name: `a change to ${told} watchers: server CPU for each`,
      ours: `${short(mine.cpu)} µs`,
      peer: `${short(least.cpu)} µs`,
      ratio: mine.cpu / least.cpu,
      aim: `≤ ${aimCpu}×`,
      met: mine.cpu <= aimCpu * least.cpu,
    },
    {
      name: `a change to ${told} watchers: p50 / p99`,
      ours: text(mine.latencies),
      peer: text(least.latencies),
      ratio: p99 / floorP99,
      aim: `p99 ≤ ${aimP99}×`,
      met: p99 <= aimP99 * floorP99,
    },
  ];
}
