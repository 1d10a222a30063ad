// Which successes of an indexed Job are enough: the first rule of its successPolicy that holds. Pure.

import { countInBoth, countOf, parseIndexes, type IndexSet } from "./index-set.ts";
import type { ReadJob } from "./job-pod.ts";

/** The index of the rule that is met. */
export function matches(job: ReadJob, completed: IndexSet): number | undefined {
  const rules = job.spec?.successPolicy?.rules ?? [];
  const at = rules.findIndex(({ succeededIndexes, succeededCount }) => {
    if (succeededIndexes === undefined)
      return succeededCount !== undefined && countOf(completed) >= succeededCount;
    const wanted = parseIndexes(succeededIndexes, job.spec?.completions ?? 0);
    return countInBoth(completed, wanted) >= (succeededCount ?? countOf(wanted));
  });
  return at < 0 ? undefined : at;
}
