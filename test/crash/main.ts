// `npm run test:crash`: the embedded store under kill -9, for long. Ends with status 1 at the first lie.
//   --rounds N   how many kills (200)
//   --seed N     repeats a run (printed at its start; when a kill falls is up to the machine)
// 1. Writers are killed again and again on one growing directory; after each kill everything is looked at.
// 2. Under strace: every acknowledgement comes after an fdatasync that began after all of its transaction was written.
// 3. The log is cut at random points after what was synced: everything acknowledged is still there.
// 4. What was acknowledged is damaged in the log: the store refuses to open.
// 5. One fdatasync fails (strace makes it fail), later ones would not: nothing is acknowledged after it.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { seededRandom, type Random } from "#base/random.ts";
import { acknowledgedFile, decodeAcknowledged } from "#store/embedded/acknowledged.ts";
import { cutAfterSync, damageAcknowledged, type DamagedLog } from "./damage.ts";
import { emptyJournal, type Journal } from "./journal.ts";
import { killWriters, verify, writeUntilItFails } from "./round.ts";
import { checkAcknowledgements, readTrace, syncedBytes, writtenTokens } from "./trace.ts";

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
const damagesPerRound = 15;
/** Which call fails, of each thread; the first few are those of opening. */
const failingSyncs = [8, 15, 30];
const progressEvery = 20;
const root = mkdtempSync(join(tmpdir(), "leme-crash-"));
const strace = ["strace", "-f", "-y", "-s", "70000", "-e", "trace=write,fdatasync,fsync"];

function check(where: string, problems: readonly string[]): void {
  if (problems.length === 0) return;
  console.error(`${where}: ${problems.length} problems (seed ${seed}; the store is left in ${root})`);
  for (const problem of problems.slice(0, 20)) console.error(`  ${problem}`);
  process.exit(1);
}

async function killRounds(): Promise<void> {
  const dir = join(root, "kills");
  const journal = emptyJournal();
  for (let round = 1; round <= roundsWanted; round++) {
    await killWriters(dir, journal, seededRandom(seed * 1000 + round));
    const { problems, acknowledged, revision } = await verify(dir, journal);
    check(`round ${round}`, problems);
    if (round % progressEvery === 0 || round === roundsWanted)
      console.log(
        `  ${round} of ${roundsWanted} kills: ${acknowledged} transactions acknowledged, all there; revision ${revision}`,
      );
  }
}

/** Kills writers under strace, whose syncs take 15 ms longer so that kills fall between write and sync. */
async function tracedKill(dir: string, journal: Journal, random: Random): Promise<DamagedLog | undefined> {
  const trace = `${dir}.trace`;
  await killWriters(dir, journal, random, [
    ...strace,
    "-e",
    "inject=fdatasync:delay_enter=15000",
    "-o",
    trace,
  ]);
  const calls = readTrace(readFileSync(trace, "latin1"));
  check("under strace", checkAcknowledgements(calls).problems);
  const [log, synced] = [...syncedBytes(calls)].at(-1) ?? [];
  // The store can only miss what its file of acknowledged revisions has: that is a moment behind.
  const noted = decodeAcknowledged(readFileSync(join(dir, acknowledgedFile), "latin1"));
  const newest = Math.max(...[...journal.acknowledged.keys()].filter((revision) => revision <= noted));
  const sample = journal.acknowledged.get(newest)?.find(({ token }) => token !== undefined);
  const batch = writtenTokens(calls).get(sample?.token ?? "");
  return log === undefined || synced === undefined || batch?.path !== log
    ? undefined
    : { dir, log, synced, acknowledged: batch.end };
}

async function traceRounds(): Promise<void> {
  let acknowledgements = 0;
  let looked = 0;
  for (let round = 1; round <= tracedRounds; round++) {
    const journal = emptyJournal();
    const random = seededRandom(seed * 7 + round);
    const damaged = await tracedKill(join(root, `traced-${round}`), journal, random);
    acknowledgements += journal.acknowledgements;
    if (damaged === undefined) continue;
    looked++;
    check("a cut after the last sync", await cutAfterSync(damaged, journal, random, cutsPerRound));
    check("damage", await damageAcknowledged(damaged, journal, random, damagesPerRound));
  }
  if (looked === 0) check("under strace", ["in no round anything was acknowledged before the kill"]);
  console.log(
    `  under strace: ${acknowledgements} acknowledgements, each after a sync that began after its write`,
  );
  console.log(`  ${looked * cutsPerRound} logs cut after their last sync: everything acknowledged is there`);
  console.log(
    `  ${looked * damagesPerRound} logs damaged where something was acknowledged: all refused to open`,
  );
}

async function failedSyncs(): Promise<void> {
  for (const [index, when] of failingSyncs.entries()) {
    const dir = join(root, `failing-${index}`);
    const trace = `${dir}.trace`;
    const journal = emptyJournal();
    const inject = `inject=fdatasync:error=EIO:when=${when}`;
    await writeUntilItFails(dir, journal, seededRandom(seed * 11 + index), [
      ...strace,
      "-e",
      inject,
      "-o",
      trace,
    ]);
    const calls = readTrace(readFileSync(trace, "latin1"));
    check(`fdatasync number ${when} of a thread failed`, checkAcknowledgements(calls).problems);
    check(`after fdatasync number ${when} of a thread failed`, (await verify(dir, journal)).problems);
  }
  console.log(
    `  ${failingSyncs.length} stores with a sync that failed: nothing was acknowledged after it, and nothing lost`,
  );
}

console.log(`Crash test of the embedded store, seed ${seed}`);
await killRounds();
if (spawnSync("strace", ["-o", "/dev/null", "true"]).status !== 0) {
  console.error(
    "strace is not installed, or may not trace here: the proof of syncs is left out, and so this test failed\n" +
      "  run `apt-get install strace`, or this script as root; in a container, allow ptrace (CAP_SYS_PTRACE)",
  );
  process.exit(1);
}
await traceRounds();
await failedSyncs();
rmSync(root, { recursive: true });
