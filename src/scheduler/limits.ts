// The bounds of the scheduler; units last.

/** Bindings and reports under way at once. */
export const writesInFlightMax = 64;
/** Planning gives way to others after this long. */
export const turnMs = 8;
/** Of one extender's answer. */
export const extenderAnswerBytesMax = 64 * 1024 * 1024;
/** Connections to one extender. */
export const extenderSocketsMax = 16;
