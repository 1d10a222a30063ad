// Randomness as a parameter: real in production, seeded in tests and simulation.

import { randomInt as cryptoInt, randomUUID } from "node:crypto";

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform integer in [0, bound). */
  integer(bound: number): number;
  /** A version 4 UUID. */
  uuid(): string;
}

export const realRandom: Random = {
  next: () => Math.random(),
  integer: (bound) => cryptoInt(bound),
  uuid: () => randomUUID(),
};

/** Three to five quarters of it: what begins at the same moment does not go on so. */
export const spread = (ms: number, random: Random): number => ms * (0.75 + random.next() / 2);

/** Deterministic generator (mulberry32): the same seed gives the same sequence. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const integer = (bound: number): number => Math.floor(next() * bound);
  const hex = (digits: number): string =>
    Array.from({ length: digits }, () => integer(16).toString(16)).join("");
  return {
    next,
    integer,
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-${(8 + integer(4)).toString(16)}${hex(3)}-${hex(12)}`,
  };
}

// No vowels and no look-alikes, so that generated names spell nothing.
const nameAlphabet = "bcdfghjklmnpqrstvwxz2456789";

/** A suffix as `metadata.generateName` appends: `length` characters, safe in a DNS label. */
export function nameSuffix(random: Random, length = 5): string {
  return Array.from({ length }, () => nameAlphabet[random.integer(nameAlphabet.length)]).join("");
}
