// A short name for the contents of a template, as labels and names carry it. Pure.

import type { DeepReadonly } from "#machinery/meta.ts";

/** As generated names have them: no vowels, nothing that looks like something else. */
const alphabet = "bcdfghjklmnpqrstvwxz2456789";
const offsetBasis = 0x811c9dc5;
const prime = 0x01000193;

/** The text of a value in which the order of its keys does not matter. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** FNV-1a, 32 bits, written with the letters of generated names. Another collision count gives another hash. */
export function templateHash(template: DeepReadonly<object> | undefined, collisionCount?: number): string {
  let hash = offsetBasis;
  const text = `${canonical(template ?? {})}${collisionCount ?? ""}`;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, prime) >>> 0;
  return [...String(hash)].map((digit) => alphabet[digit.charCodeAt(0) % alphabet.length]).join("");
}
