// CrashLoopBackOff: the pause before a container is started again. The first restart is at once, then 10 s,
// doubling to 5 min; ten minutes without a restart start it over.

import type { CrashBackoff } from "./model.ts";

export const crashBackoffMsMin = 10_000;
export const crashBackoffMsMax = 300_000;

export type RestartDecision =
  | { readonly start: true; readonly backoff: CrashBackoff }
  | { readonly start: false; readonly atMs: number; readonly delayMs: number };

const expired = (backoff: CrashBackoff, atMs: number): boolean =>
  atMs - backoff.grantedAtMs > 2 * crashBackoffMsMax;

/** For a container that ended at `finishedAtMs` and is to run again. */
export function decideRestart(
  backoff: CrashBackoff | undefined,
  finishedAtMs: number,
  nowMs: number,
): RestartDecision {
  if (backoff === undefined || expired(backoff, finishedAtMs))
    return { start: true, backoff: { delayMs: crashBackoffMsMin, grantedAtMs: nowMs } };
  const atMs = finishedAtMs + backoff.delayMs;
  if (nowMs < atMs) return { start: false, atMs, delayMs: backoff.delayMs };
  return {
    start: true,
    backoff: { delayMs: Math.min(backoff.delayMs * 2, crashBackoffMsMax), grantedAtMs: nowMs },
  };
}

/** `10s`, `1m20s`, `5m0s`: durations as messages write them. */
export function formatDelay(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${seconds}s` : `${minutes}m${seconds % 60}s`;
}
