// Every bound of this folder in one place; units last.

/** Objects per page of a list. */
export const listPageObjects = 500;
/** A watch asks the server to end it after a time in this range, so that load spreads. */
export const watchSecondsMin = 300;
export const watchSecondsMax = 600;
/** Beyond the time asked for, a silent stream is taken for dead. */
export const watchGraceMs = 30_000;
/** A watch that ends sooner than this without an event counts as a failure. */
export const watchShortMs = 1000;
/** Retries of list and watch. */
export const reflectorBackoff = { initialMs: 200, maxMs: 30_000 } as const;

/** Keys are deduplicated, so only a fault can reach this many. */
export const queueKeysMax = 1_000_000;
/** Retries of one key. */
export const keyBackoff = { initialMs: 5, maxMs: 60_000 } as const;

/** A key waits this long at most for the cache to show its own writes. */
export const holdMsMax = 10_000;

/** Writes under way at once for one key. */
export const writesInFlightMax = 16;

/** Events waiting to be sent; more are dropped and counted. */
export const eventsQueuedMax = 1000;
/** Remembered events, for counting repetitions. */
export const eventsRememberedMax = 4096;
/** Different messages of one reason on one object within the interval, before they are combined. */
export const eventsSimilarMax = 10;
export const eventsSimilarIntervalMs = 600_000;
/** Per (source, object): a burst, then one every `eventsRefillMs`. */
export const eventsBurst = 25;
export const eventsRefillMs = 300_000;
