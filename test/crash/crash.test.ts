// A short form of `npm run test:crash`: the store killed again and again while it is written.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { seededRandom } from "#base/random.ts";
import { emptyJournal } from "./journal.ts";
import { killWriters, verify, writeUntilItFails } from "./round.ts";

const rounds = 6;

test("kill -9 of the store's writers: what was acknowledged is there", async () => {
  const dir = await mkdtemp(join(tmpdir(), "leme-crash-"));
  const journal = emptyJournal();
  try {
    for (let round = 0; round < rounds; round++) {
      await killWriters(dir, journal, seededRandom(round));
      const { problems } = await verify(dir, journal);
      assert.deepEqual(problems, [], `round ${round}`);
    }
    assert.ok(journal.acknowledgements > 0);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});

test("a full disk: writes fail, nothing is acknowledged any more, and nothing is lost", async () => {
  const dir = await mkdtemp(join(tmpdir(), "leme-crash-"));
  const journal = emptyJournal();
  try {
    for (const [round, blocks] of [600, 1200, 2000].entries()) {
      // A limit on the size of each file fails writes as a full disk does, in the middle of what is written.
      const limited = ["sh", "-c", `ulimit -f ${blocks}; exec "$@"`, "sh"];
      await writeUntilItFails(dir, journal, seededRandom(100 + round), limited);
      assert.deepEqual((await verify(dir, journal)).problems, [], `with ${blocks} blocks`);
    }
    assert.ok(journal.acknowledgements > 0);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
