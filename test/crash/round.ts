// One round: writers at work, SIGKILL at a moment that the seed chooses, and a look at what the store has then.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Random } from "#base/random.ts";
import { openStore } from "#store/open.ts";
import { prefixEnd, type Store } from "#store/store.ts";
import { judge, readJournal, type Held, type Journal, type Write } from "./journal.ts";

const prefix = "/crash/";
const runMsMin = 20;
const runMsSpread = 250;
/** How the writers end when the store says that it failed to write. */
const statusOfFailure = 3;
/** Ends writers whose disk does not fail, which is a failure of the test. */
const failMsMax = 60_000;
const words = new Set<string>();

export interface RoundResult {
  readonly acknowledged: number;
  readonly revision: number;
  readonly problems: readonly string[];
}

/** Starts the writers; `command` stands before the program. Returns when they have said something, or ended. */
async function startWriters(
  dir: string,
  random: Random,
  command: readonly string[],
): Promise<{ child: ChildProcess; ended: Promise<unknown>; said: () => string }> {
  const program = [
    ...command,
    process.execPath,
    "--disable-warning=ExperimentalWarning",
    join(import.meta.dirname, "writer.ts"),
    dir,
    String(random.integer(1e9)),
    uniqueWord(random),
  ];
  // A tracer says much on stderr; that the writers ended by themselves shows in their status.
  const stderr = command[0] === "strace" ? "ignore" : "inherit";
  const child = spawn(program[0] as string, program.slice(1), { stdio: ["ignore", "pipe", stderr] });
  let text = "";
  const ended = once(child, "close");
  const started = new Promise<void>((resolve) =>
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      resolve();
    }),
  );
  await Promise.race([started, ended]);
  return { child, ended, said: () => text };
}

function addTo(journal: Journal, text: string): void {
  const problems = readJournal(journal, text);
  if (problems.length > 0) throw new Error(problems.join("; "));
}

/** Starts the writers, kills them, and adds what they said to the journal. */
export async function killWriters(
  dir: string,
  journal: Journal,
  random: Random,
  command: readonly string[] = [],
): Promise<void> {
  const { child, ended, said } = await startWriters(dir, random, command);
  await Promise.race([
    new Promise((resolve) => setTimeout(resolve, runMsMin + random.integer(runMsSpread))),
    ended,
  ]);
  // Under strace the tracer ends with its child; killing the child is what counts.
  const pid = command.length === 0 ? child.pid : await childOf(child.pid as number);
  if (child.exitCode !== null || pid === undefined)
    throw new Error(`the writers ended by themselves, with ${child.exitCode}`);
  process.kill(pid, "SIGKILL");
  await ended;
  addTo(journal, said());
}

/** Starts writers under a command that makes the disk fail, and adds what they said until they ended because of it. */
export async function writeUntilItFails(
  dir: string,
  journal: Journal,
  random: Random,
  command: readonly string[],
): Promise<void> {
  const { child, ended, said } = await startWriters(dir, random, command);
  const timer = setTimeout(() => child.kill("SIGKILL"), failMsMax);
  await ended;
  clearTimeout(timer);
  if (child.exitCode !== statusOfFailure)
    throw new Error(
      `the writers ended with ${child.exitCode ?? child.signalCode}, not with ${statusOfFailure}`,
    );
  addTo(journal, said());
}

function uniqueWord(random: Random): string {
  for (;;) {
    const word = `r${random.integer(1e9).toString(36)}`;
    if (!words.has(word)) {
      words.add(word);
      return word;
    }
  }
}

async function childOf(pid: number): Promise<number | undefined> {
  const [first] = (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).trim().split(" ");
  return first ? Number(first) : undefined;
}

const tokenOf = (value: Buffer): string => value.toString("latin1").split(" ", 2)[1] ?? "";

/** Opens the store and compares what it shows with the journal. */
export async function verify(dir: string, journal: Journal): Promise<RoundResult> {
  const store = await openStore({ engine: "embedded", dir });
  try {
    store.check();
    const { kvs } = await store.range({ start: prefix, end: prefixEnd(prefix) });
    const held = new Map<string, Held>(
      kvs.map(({ key, value, modRevision }) => [key, { token: tokenOf(value), revision: modRevision }]),
    );
    const { revision, compactedRevision } = store;
    const history = await historyOf(store);
    const problems = judge(journal, { revision, compactedRevision, held, history });
    return { acknowledged: journal.acknowledgements, revision, problems };
  } finally {
    await store.close();
  }
}

/** Everything that a watch from the oldest readable revision replays. */
async function historyOf(store: Store): Promise<Map<number, Write[]>> {
  const history = new Map<number, Write[]>();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const target = store.revision;
  const fromRevision = Math.max(2, store.compactedRevision + 1);
  if (target < fromRevision) return history;
  const watch = store.watch({
    start: prefix,
    end: prefixEnd(prefix),
    fromRevision,
    onEvents(events, revision) {
      const writes = events.map(({ type, kv: { key, value } }) =>
        type === "delete" ? { key } : { key, token: tokenOf(value) },
      );
      if (history.has(revision)) reject(new Error(`a watch showed revision ${revision} twice`));
      history.set(revision, writes);
      if (revision >= target) resolve();
    },
    onClose: (error) => (error === undefined ? resolve() : reject(error)),
  });
  await promise;
  watch.stop();
  return history;
}
