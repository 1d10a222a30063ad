// Bounds of the CRI client.

/** Calls that only read or write the runtime's own records. */
export const quickCallMsMax = 30_000;
/** Calls that start or stop processes and networks. */
export const slowCallMsMax = 4 * 60_000;
/** Pulls may move gigabytes over slow links. */
export const pullMsMax = 30 * 60_000;
/** A list of every container of a node, or the output of one exec. */
export const messageBytesMax = 32 * 1024 * 1024;
/** After the event stream broke: first and longest pause before subscribing again. */
export const eventRetryMsMin = 100;
export const eventRetryMsMax = 5_000;
/** A subscription that is neither refused nor heard of for this long stands. */
export const eventSilenceMs = 1_000;
