// The process that is killed: sixteen writers on one embedded store, which say on stdout what they try, and what was
// acknowledged once it was. Arguments: the directory, a seed, a word that makes this run's values unique.
// Ends with status 3 when the store says that it failed to write.

import { writeSync } from "node:fs";
import { seededRandom, type Random } from "#base/random.ts";
import { openStore } from "#store/open.ts";
import { prefixEnd, StoreClosedError, type Compare, type Operation, type Store } from "#store/store.ts";
import type { JournalLine, Write } from "./journal.ts";

const writers = 16;
const keysPerWriter = 40;
const sharedKeys = 6;
const writesMax = 4;
const valueBytesMin = 100;
const valueBytesMax = 2_000;
const historyKept = 500;
const compactEvery = 15;
const deletesShare = 0.2;
const sharedShare = 0.3;
const staleShare = 0.1;
const unknownShare = 0.2;

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

/**
 * The token, the revision that was compared, filling, and the token again. Blanks part them from what is around them in
 * the log; where a block of the log ends, one of the two tokens may be cut in two.
 */
const valueOf = ({ token, after }: Write, random: Random): Buffer =>
  Buffer.from(
    ` ${token} ${after ?? "-"} ${"x".repeat(valueBytesMin + random.integer(valueBytesMax))} ${token} `,
  );

interface Turn {
  readonly writes: readonly Write[];
  readonly compares: readonly Compare[];
  /** One of the compares names a revision that is not the newest. */
  readonly stale: boolean;
}

/**
 * One transaction: puts and deletions of one to four keys of this writer, and now and then of a key that all writers
 * write. Most writes compare with what this writer knows of the key.
 */
async function chooseTurn(
  store: Store,
  writer: number,
  known: ReadonlyMap<string, number>,
  random: Random,
  token: () => string,
): Promise<Turn> {
  const own = new Set<string>();
  const count = 1 + random.integer(writesMax);
  while (own.size < count) own.add(`/crash/${writer}/${random.integer(keysPerWriter)}`);
  const compares: Compare[] = [];
  const writes: Write[] = [];
  for (const key of own) {
    const modRevision = known.get(key) ?? 0;
    const compared = random.next() >= unknownShare;
    if (compared) compares.push({ key, modRevision });
    if (writes.length > 0 && random.next() < deletesShare) writes.push({ key });
    else writes.push({ key, token: token(), ...(compared ? { after: modRevision } : {}) });
  }
  if (random.next() < sharedShare) {
    const key = `/crash/shared/${random.integer(sharedKeys)}`;
    const modRevision = (await store.get(key))?.modRevision ?? 0;
    compares.push({ key, modRevision });
    writes.push({ key, token: token(), after: modRevision });
  }
  const [first] = own;
  const stale = random.next() < staleShare;
  if (stale) compares.push({ key: first as string, modRevision: (known.get(first as string) ?? 0) + 1 });
  return { writes, compares, stale };
}

async function write(store: Store, writer: number, word: string, random: Random): Promise<never> {
  const startRevision = store.revision;
  const prefix = `/crash/${writer}/`;
  const { kvs } = await store.range({ start: prefix, end: prefixEnd(prefix), keysOnly: true });
  const known = new Map(kvs.map(({ key, modRevision }) => [key, modRevision]));
  for (let turn = 0; ; turn++) {
    let part = 0;
    const token = (): string => `${word}-${writer}-${turn}-${part++}`;
    const { writes, compares, stale } = await chooseTurn(store, writer, known, random, token);
    say({ kind: "try", writer, writes });
    const operations = writes.map((one): Operation =>
      one.token === undefined ? { delete: one.key } : { put: one.key, value: valueOf(one, random) },
    );
    const { ok, revision } = await store.txn(compares, operations);
    if (!ok) say({ kind: "refused", writer });
    else {
      if (stale) throw new Error(`a transaction with a stale compare was done at ${revision}`);
      say({ kind: "ack", writer, revision, tokens: writes.flatMap((one) => one.token ?? []) });
      for (const one of writes) {
        if (one.token === undefined) known.delete(one.key);
        else known.set(one.key, revision);
      }
    }
    // What this run writes stays, so that all of it can be looked at.
    const upTo = Math.min(store.revision - historyKept, startRevision);
    if (
      writer === 0 &&
      turn % compactEvery === compactEvery - 1 &&
      upTo > Math.max(1, store.compactedRevision)
    )
      await store.compact(upTo);
  }
}

const [dir = "", seed = "0", word = ""] = process.argv.slice(2);
const store = await openStore({ engine: "embedded", dir });
const running = Array.from({ length: writers }, (_, writer) =>
  write(store, writer, word, seededRandom(Number(seed) * writers + writer)),
);
for (const one of await Promise.allSettled(running)) {
  if (one.status === "rejected" && one.reason instanceof StoreClosedError) continue;
  console.error(one.status === "rejected" ? one.reason : "a writer ended");
  process.exit(1);
}
process.exitCode = 3;
