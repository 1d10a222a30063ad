// Every bound of the kubelet in one place; units last.

/** How often everything is looked at anew, though nothing has told of a change; on average, so that not all is at once. */
export interface LookPace {
  /** Of the whole runtime, while its events flow: finds what they missed. */
  readonly relistMs: number;
  /** Of each pod: planned again at least this often. */
  readonly resyncMs: number;
}
export const realPace: LookPace = { relistMs: 10_000, resyncMs: 60_000 };
/** Nothing happens behind the back of a simulated runtime. */
export const hollowPace: LookPace = { relistMs: 300_000, resyncMs: 300_000 };
/** Of the whole runtime, while no events flow. */
export const relistBlindMs = 1_000;

/** A container's end is announced before the runtime's lists show it: looks in between, each twice as far apart. */
export const endLookMsMin = 5;
export const endLookMsMax = 500;
export const endLooksMax = 12;
export const endLooksUnknownMax = 2;

/** Pauses after a failed sandbox, mount or container creation. */
export const podRetry = { initialMs: 500, maxMs: 60_000 } as const;
/** Pauses between image pulls that failed. */
export const imageRetry = { initialMs: 10_000, maxMs: 300_000 } as const;
/** A failed pull shows as itself for this long, then as the pause that follows it. */
export const imageErrorShownMs = 5_000;
/** Different images pulled at once. */
export const pullsAtOnceMax = 3;

export const statusRetry = { initialMs: 200, maxMs: 10_000 } as const;

/** ConfigMaps and Secrets: how old an answer may be for a container that starts, and for a mounted volume. */
export const objectFreshMs = 1_000;
export const objectStaleMs = 30_000;
export const objectsCachedMax = 4096;
/** Mounted volumes are compared with their sources this often. */
export const volumeRefreshMs = 30_000;

/** Events waiting to be sent; more are dropped and counted. */
export const eventsQueuedMax = 1000;
/** Events remembered, to count repetitions. */
export const eventsRememberedMax = 4096;

export const terminationMessageBytesMax = 4096;
export const terminationLogBytesMax = 2048;
export const terminationLogLinesMax = 80;

/** What a probe or hook reads of an HTTP answer. */
export const probeBodyBytesMax = 10 * 1024;
export const probeOutputBytesMax = 10 * 1024;

export const logBytesMax = 10 * 1024 * 1024;
export const logFilesMax = 5;
export const logCheckMs = 10_000;

export const leaseDurationSeconds = 40;
export const leaseRenewMs = 10_000;
export const nodeStatusCheckMs = 10_000;
export const nodeStatusReportMs = 5 * 60_000;
export const nodeImagesMax = 50;
export const nodeImageNamesMax = 5;
export const podsMax = 110;

/** After the last try of a hook nothing waits longer than the grace period; this is the least left to a container. */
export const graceSecondsMin = 2;
export const hookSecondsMax = 3600;

/** Services tokens are renewed after this share of their life, or after a day. */
export const tokenRenewShare = 0.8;
export const tokenRenewMsMax = 24 * 3600 * 1000;
