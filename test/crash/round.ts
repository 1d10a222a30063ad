// One round: writers at work, SIGKILL at a moment that the seed chooses, and a look at what the store has then.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Random } from "#base/random.ts";
import { openStore } from "#store/open.ts";
import { prefixEnd, type Store } from "#store/store.ts";
import { checkHistory, readJournal, settle, type Held, type Journal, type Write } from "./journal.ts";

const prefix = "/crash/";
const runMsMin = 20;
const runMsSpread = 250;
const words = new Set<string>();

export interface RoundResult {
  readonly acknowledged: number;
  readonly revision: number;
  readonly problems: readonly string[];
}

/** Starts the writers, kills them, and adds what they said to the journal. `command` stands before the program. */
export async function killWriters(
  dir: string,
  journal: Journal,
  random: Random,
  command: readonly string[] = [],
): Promise<void> {
  const word = uniqueWord(random);
  const program = [
    ...command,
    process.execPath,
    "--disable-warning=ExperimentalWarning",
    join(import.meta.dirname, "writer.ts"),
    dir,
    String(random.integer(1e9)),
    word,
  ];
  // A tracer says much on stderr; that the writers ended by themselves shows in their status.
  const stderr = command.length === 0 ? "inherit" : "ignore";
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
  readJournal(journal, text);
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

/** Opens the store and compares it with the journal. `watchFrom`: replay history from there too. */
export async function verify(dir: string, journal: Journal, revisionBefore: number): Promise<RoundResult> {
  const store = await openStore({ engine: "embedded", dir });
  try {
    store.check();
    const { kvs } = await store.range({ start: prefix, end: prefixEnd(prefix) });
    const held = new Map<string, Held>(
      kvs.map(({ key, value, modRevision }) => [
        key,
        { token: value.toString().split(" ")[0] as string, revision: modRevision },
      ]),
    );
    const problems = settle(journal, held);
    if (store.revision < journal.newest)
      problems.push(`the store is at ${store.revision}, ${journal.newest} was acknowledged`);
    if (store.revision < revisionBefore)
      problems.push(`the store is at ${store.revision}, it was at ${revisionBefore}`);
    problems.push(...checkHistory(journal, await historyOf(store)));
    return { acknowledged: journal.acknowledgements, revision: store.revision, problems };
  } finally {
    await store.close();
  }
}

/** Everything that a watch from the oldest readable revision replays. */
async function historyOf(store: Store): Promise<Map<number, Write[]>> {
  const history = new Map<number, Write[]>();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const target = store.revision;
  const watch = store.watch({
    start: prefix,
    end: prefixEnd(prefix),
    fromRevision: Math.max(2, store.compactedRevision + 1),
    onEvents(events, revision) {
      history.set(
        revision,
        events.map(({ type, kv }) =>
          type === "delete"
            ? { key: kv.key }
            : { key: kv.key, token: kv.value.toString().split(" ")[0] as string },
        ),
      );
      if (revision >= target) resolve();
    },
    onProgress(revision) {
      if (revision >= target) resolve();
    },
    onClose: (error) => (error === undefined ? resolve() : reject(error)),
  });
  if (target > Math.max(1, store.compactedRevision)) await promise;
  watch.stop();
  return history;
}
