// What each index of a Job with backoffLimitPerIndex has been through, as its newest pod tells. Pure.

import type { ReadPod } from "../pod-state.ts";
import { judge } from "./failure-policy.ts";
import { endedAtMs, failuresBefore, indexOf, type IndexFailures, type ReadJob } from "./job-pod.ts";

export type IndexHistory = ReadonlyMap<number, { readonly last: ReadPod }>;

const tries = (pod: ReadPod): number => {
  const { counted, ignored } = failuresBefore(pod);
  return counted + ignored;
};

/** Each pod of an index knows of one failure more than the one before it. */
function isNewer(one: ReadPod, other: ReadPod): boolean {
  if (tries(one) !== tries(other)) return tries(one) > tries(other);
  if (endedAtMs(one) !== endedAtMs(other)) return endedAtMs(one) > endedAtMs(other);
  return (one.metadata?.name ?? "") > (other.metadata?.name ?? "");
}

export function indexHistory(pods: readonly ReadPod[]): IndexHistory {
  const history = new Map<number, { last: ReadPod }>();
  for (const pod of pods) {
    const index = indexOf(pod);
    const known = history.get(index);
    if (known === undefined || isNewer(pod, known.last)) history.set(index, { last: pod });
  }
  return history;
}

/** What a pod that replaces `last` carries. */
export function failuresAfter(job: ReadJob, last: ReadPod): IndexFailures {
  const { counted, ignored } = failuresBefore(last);
  return judge(job, last).action === "Ignore"
    ? { counted, ignored: ignored + 1 }
    : { counted: counted + 1, ignored };
}
