// `npm run test:crash`: the embedded store under kill -9, for long. Ends with status 1 at the first lie.
//   --rounds N   how many kills (200)
//   --seed N     repeats a run (printed at its start)
// 1. Writers are killed again and again on one growing directory; after each kill everything is looked at.
// 2. Under strace: every acknowledgement comes after an fdatasync that began after its write.
// 3. The log is cut at random points after what was synced: everything acknowledged is still there.

import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { seededRandom, type Random } from "#base/random.ts";
import { emptyJournal } from "./journal.ts";
import { killWriters, verify } from "./round.ts";
import { checkAcknowledgements, readTrace, syncedBytes } from "./trace.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "200" }, seed: { type: "string" } },
});
const roundsWanted = Number(values.rounds);
const seed = Number(values.seed ?? Date.now() % 1_000_000);
if (!Number.isInteger(roundsWanted) || roundsWanted < 1 || !Number.isInteger(seed)) {
  console.error("usage: npm run test:crash -- [--rounds N] [--seed N]");
  process.exit(2);
}
const tracedRounds = 5;
const cutsPerRound = 20;
const progressEvery = 20;
const root = mkdtempSync(join(tmpdir(), "leme-crash-"));

function fail(where: string, problems: readonly string[]): never {
  console.error(`${where}: ${problems.length} problems (seed ${seed}; the store is left in ${root})`);
  for (const problem of problems.slice(0, 20)) console.error(`  ${problem}`);
  process.exit(1);
}

async function killRounds(): Promise<void> {
  const dir = join(root, "kills");
  const journal = emptyJournal();
  let revision = 0;
  for (let round = 1; round <= roundsWanted; round++) {
    await killWriters(dir, journal, seededRandom(seed * 1000 + round));
    const result = await verify(dir, journal, revision);
    if (result.problems.length > 0) fail(`round ${round}`, result.problems);
    revision = result.revision;
    if (round % progressEvery === 0 || round === roundsWanted)
      console.log(
        `  ${round} of ${roundsWanted} kills: ${result.acknowledged} transactions acknowledged, all there; revision ${revision}`,
      );
  }
}

/** Kills writers under strace, whose syncs take 15 ms longer so that kills fall between write and sync. */
async function tracedKill(dir: string, random: Random): Promise<{ cuts: number; acknowledgements: number }> {
  const journal = emptyJournal();
  const trace = `${dir}.trace`;
  const calls = ["-e", "trace=write,fdatasync,fsync", "-e", "inject=fdatasync:delay_enter=15000"];
  await killWriters(dir, journal, random, ["strace", "-f", "-y", "-s", "70000", ...calls, "-o", trace]);
  const seen = readTrace(readFileSync(trace, "latin1"));
  const { acknowledgements, problems } = checkAcknowledgements(seen);
  if (problems.length > 0) fail("under strace", problems);
  const cuts = await cutLogs(dir, journal, syncedBytes(seen), random);
  return { cuts, acknowledgements };
}

async function cutLogs(
  dir: string,
  journal: ReturnType<typeof emptyJournal>,
  synced: ReadonlyMap<string, number>,
  random: Random,
): Promise<number> {
  const [log, bytes] = [...synced].at(-1) ?? [];
  if (log === undefined || bytes === undefined) return 0;
  const size = statSync(log).size;
  for (let cut = 0; cut < cutsPerRound; cut++) {
    const copy = `${dir}.cut`;
    const at = cut === 0 ? bytes : bytes + random.integer(size - bytes + 1);
    cpSync(dir, copy, { recursive: true });
    truncateSync(join(copy, basename(log)), at);
    const result = await verify(copy, structuredClone(journal), 0);
    if (result.problems.length > 0)
      fail(`the log cut at ${at} of ${size} bytes, ${bytes} of them synced`, result.problems);
    rmSync(copy, { recursive: true });
  }
  return cutsPerRound;
}

console.log(`Crash test of the embedded store, seed ${seed}`);
await killRounds();
if (spawnSync("strace", ["-V"]).status !== 0) {
  console.error("strace is not installed: run `apt-get install strace`, or this script as root");
  process.exit(1);
}
let cuts = 0;
let acknowledgements = 0;
for (let round = 1; round <= tracedRounds; round++) {
  const result = await tracedKill(join(root, `traced-${round}`), seededRandom(seed * 7 + round));
  cuts += result.cuts;
  acknowledgements += result.acknowledgements;
}
console.log(
  `  under strace: ${acknowledgements} acknowledgements, each after a sync that began after its write`,
);
console.log(`  ${cuts} logs cut after their last sync: everything acknowledged is there`);
rmSync(root, { recursive: true });
