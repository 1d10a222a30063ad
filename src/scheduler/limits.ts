// The bounds of the scheduler; units last.

/** Bindings under way at once. */
export const bindsInFlightMax = 64;
/** Planning gives way to others after this long. */
export const turnMs = 8;
