// Amounts that are a number or a share of another: `maxSurge: 25%`. Pure.

/** Percentages are of `total`, and rounded. */
export function resolveAmount(
  value: number | string | undefined,
  total: number,
  round: "up" | "down",
): number {
  if (value === undefined) return 0;
  if (typeof value === "number") return value;
  const share = (Number.parseInt(value, 10) * total) / 100;
  return round === "up" ? Math.ceil(share) : Math.floor(share);
}

/** How many pods a rolling update may have too many and too few. Both 0 would never end: then one may be missing. */
export function resolveFenceposts(
  surge: number | string | undefined,
  unavailable: number | string | undefined,
  desired: number,
): { maxSurge: number; maxUnavailable: number } {
  const maxSurge = resolveAmount(surge, desired, "up");
  const maxUnavailable = resolveAmount(unavailable, desired, "down");
  return maxSurge === 0 && maxUnavailable === 0
    ? { maxSurge, maxUnavailable: 1 }
    : { maxSurge, maxUnavailable };
}
