// Resource versions are opaque unless both are decimal numbers, as they are here and in Kubernetes from 1.35 on.

const decimal = /^(0|[1-9][0-9]*)$/;

/** Negative, zero or positive as `a` is older than, the same as or newer than `b`; undefined when nobody can tell. */
export function compareResourceVersions(a: string, b: string): number | undefined {
  if (a === b) return 0;
  if (!decimal.test(a) || !decimal.test(b)) return undefined;
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : 1;
}

/** True when `seen` is `wanted` or surely newer. */
export function hasReached(seen: string, wanted: string): boolean {
  const order = compareResourceVersions(seen, wanted);
  return order !== undefined && order >= 0;
}
