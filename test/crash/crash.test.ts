// A short form of `npm run test:crash`: the store killed again and again while it is written.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { seededRandom } from "#base/random.ts";
import { emptyJournal } from "./journal.ts";
import { killWriters, verify } from "./round.ts";

const rounds = 6;

test("kill -9 of the store's writers: what was acknowledged is there", async () => {
  const dir = await mkdtemp(join(tmpdir(), "leme-crash-"));
  const journal = emptyJournal();
  let revision = 0;
  try {
    for (let round = 0; round < rounds; round++) {
      await killWriters(dir, journal, seededRandom(round));
      const result = await verify(dir, journal, revision);
      assert.deepEqual(result.problems, [], `round ${round}`);
      revision = result.revision;
    }
    assert.ok(journal.acknowledgements > 0);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
