// Damages copies of a store whose writers were killed, and opens them: what was not yet synced may be cut away, and all
// that was acknowledged is there; damage to what was acknowledged is refused, with what to do about it.

import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { toError } from "#base/assert.ts";
import type { Random } from "#base/random.ts";
import type { Journal } from "./journal.ts";
import { verify } from "./round.ts";

export interface DamagedLog {
  /** The store's directory, and its newest log. */
  readonly dir: string;
  readonly log: string;
  /** How many bytes of the log were synced for sure. */
  readonly synced: number;
  /** Where the batch ends that holds the newest transaction that the store noted as acknowledged. */
  readonly acknowledged: number;
}

async function withCopy(
  { dir, log }: DamagedLog,
  change: (bytes: Buffer) => Buffer,
  look: (copy: string) => Promise<string[]>,
): Promise<string[]> {
  const copy = `${dir}.copy`;
  cpSync(dir, copy, { recursive: true });
  writeFileSync(join(copy, basename(log)), change(readFileSync(log)));
  const problems = await look(copy);
  rmSync(copy, { recursive: true });
  return problems;
}

/**
 * Cuts the log at random points after its last sync. (`kill -9` alone loses nothing that was written; a power cut may
 * lose all that was not synced, and this is how such a log looks.)
 */
export async function cutAfterSync(
  damaged: DamagedLog,
  journal: Journal,
  random: Random,
  times: number,
): Promise<string[]> {
  const size = readFileSync(damaged.log).length;
  for (let cut = 0; cut < times; cut++) {
    const at = cut === 0 ? damaged.synced : damaged.synced + random.integer(size - damaged.synced + 1);
    const problems = await withCopy(
      damaged,
      (bytes) => bytes.subarray(0, at),
      async (copy) => (await verify(copy, structuredClone(journal))).problems.slice(),
    );
    if (problems.length > 0)
      return [`the log cut at ${at} of ${size} bytes, ${damaged.synced} of them synced:`, ...problems];
  }
  return [];
}

const pageBytes = 4096;

/** Ways to damage the first `end` bytes of a log. */
const damages: readonly ((bytes: Buffer, end: number, random: Random) => [string, Buffer])[] = [
  (bytes, end, random) => {
    const at = random.integer(end);
    return [`cut at ${at}`, bytes.subarray(0, at)];
  },
  (bytes, end, random) => {
    const at = random.integer(end);
    bytes[at] = (bytes[at] as number) ^ (1 << random.integer(8));
    return [`with a flipped bit at ${at}`, bytes];
  },
  (bytes, end, random) => {
    const at = random.integer(end);
    // Zeros where zeros were are no damage.
    const to = Math.min(end, at + pageBytes);
    if (bytes.subarray(at, to).every((byte) => byte === 0)) bytes[at] = 1;
    return [`with zeros from ${at} to ${to}`, bytes.fill(0, at, to)];
  },
];

/** Damages what was acknowledged: the store must refuse to open. */
export async function damageAcknowledged(
  damaged: DamagedLog,
  journal: Journal,
  random: Random,
  times: number,
): Promise<string[]> {
  for (let turn = 0; turn < times; turn++) {
    let what = "";
    const problems = await withCopy(
      damaged,
      (bytes) => {
        const damage = damages[turn % damages.length] as (typeof damages)[0];
        const [text, result] = damage(bytes, damaged.acknowledged, random);
        what = text;
        return result;
      },
      async (copy) => {
        try {
          await verify(copy, structuredClone(journal));
          return [`the log ${what}: the store opened (acknowledged were ${damaged.acknowledged} bytes)`];
        } catch (thrown) {
          const { message } = toError(thrown);
          return message.includes("restore a backup") ? [] : [`the log ${what}: ${message}`];
        }
      },
    );
    if (problems.length > 0) return problems;
  }
  return [];
}
