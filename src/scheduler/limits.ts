// The bounds of the scheduler; units last.

/** Bindings and reports under way at once. */
export const writesInFlightMax = 64;
/** Planning gives way to others after this long. */
export const turnMs = 8;
