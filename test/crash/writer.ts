// The process that is killed: sixteen writers on one embedded store, which say on stdout what they try, and what was
// acknowledged once it was. Arguments: the directory, a seed, a word that makes this run's values unique.

import { writeSync } from "node:fs";
import { seededRandom, type Random } from "#base/random.ts";
import { openStore } from "#store/open.ts";
import type { Operation, Store } from "#store/store.ts";
import type { JournalLine, Write } from "./journal.ts";

const writers = 16;
const keysPerWriter = 40;
const writesMax = 4;
const valueBytesMin = 100;
const valueBytesMax = 2_000;
const historyKept = 2_000;
const compactEvery = 40;

/** Written before it returns: a kill right after loses nothing of it. */
function say(line: JournalLine): void {
  const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
  for (let done = 0; done < bytes.length;) {
    try {
      done += writeSync(1, bytes, done);
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== "EAGAIN") throw thrown;
      // The reader is slow, and the pipe does not block.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

/** One transaction on keys of this writer: puts and deletions, of one to four keys. */
function chooseWrites(writer: number, random: Random, token: () => string): Write[] {
  const keys = new Set<string>();
  const count = 1 + random.integer(writesMax);
  while (keys.size < count) keys.add(`/crash/${writer}/${random.integer(keysPerWriter)}`);
  return [...keys].map((key) => (random.next() < 0.2 ? { key } : { key, token: token() }));
}

/** The token, filling, and the token again: the log may cut one of them in two, where a block of it ends. */
const valueOf = (token: string, random: Random): Buffer =>
  Buffer.from(`${token} ${"x".repeat(valueBytesMin + random.integer(valueBytesMax))} ${token} `);

async function write(store: Store, writer: number, word: string, random: Random): Promise<never> {
  for (let turn = 0; ; turn++) {
    let part = 0;
    const writes = chooseWrites(writer, random, () => `${word}-${writer}-${turn}-${part++}`);
    if (writes.every(({ token }) => token === undefined)) continue;
    say({ kind: "try", writer, writes });
    const operations = writes.map(({ key, token }): Operation =>
      token === undefined ? { delete: key } : { put: key, value: valueOf(token, random) },
    );
    const { revision } = await store.txn([], operations);
    const token = writes.find((one) => one.token !== undefined)?.token ?? "";
    say({ kind: "ack", writer, revision, token });
    const upTo = revision - historyKept;
    if (writer === 0 && turn % compactEvery === compactEvery - 1 && upTo > store.compactedRevision)
      await store.compact(upTo);
  }
}

const [dir = "", seed = "0", word = ""] = process.argv.slice(2);
const store = await openStore({ engine: "embedded", dir });
await Promise.all(
  Array.from({ length: writers }, (_, writer) =>
    write(store, writer, word, seededRandom(Number(seed) * writers + writer)),
  ),
);
