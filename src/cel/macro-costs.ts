// What one round of a macro costs beside its expressions, at run time and in the estimate: the names, calls and
// literals of the loop that the language defines it by.

export const macroCosts = {
  /** `@not_strictly_false(result)`, `result && …` */
  all: { round: 3, result: 1 },
  /** `@not_strictly_false(!result)`, `result || …` */
  exists: { round: 4, result: 1 },
  /** `… ? result + 1 : result`, and `result == 1` at the end */
  existsOne: { taken: 2, skipped: 1, result: 2 },
  /** `… ? result + [x] : result` */
  filter: { taken: 13, skipped: 1 },
  /** `result + […]` */
  map: { taken: 12, skipped: 1 },
  /** An entry more in `result` */
  transformMap: { taken: 2, skipped: 1 },
} as const;
