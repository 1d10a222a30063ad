// What a Job's status may say: numbers that fit together, and an end that is told once and whole. What was already
// there is not held against a change of something else. Pure.

import { isDeepStrictEqual } from "node:util";
import { invalid, omittedValue, required, type FieldError } from "#machinery/field-error.ts";
import type { Job, JobStatus } from "#machinery/gen/types/batch-v1.ts";
import { validateStatusNumbers } from "../workload.ts";

const has = (status: JobStatus, type: string): boolean =>
  status.conditions?.some((one) => one.type === type && one.status === "True") ?? false;
const isFinished = (status: JobStatus): boolean => has(status, "Complete") || has(status, "Failed");

export function validateJobStatus(next: Job, old: Job): FieldError[] {
  const [now, before] = [next.status ?? {}, old.status ?? {}];
  return [
    ...validateStatusNumbers(now, ["active", "succeeded", "failed", "ready", "terminating"]),
    ...validateUncounted(now),
    ...validateConditions(now, before),
    ...validateEnd(now, before),
    ...validateTimes(next, old),
    ...validateCounters(next, old),
  ];
}

/** Pods that ended and are not in the counters yet, each once. */
function validateUncounted({ uncountedTerminatedPods }: JobStatus): FieldError[] {
  const seen = new Set<string>();
  return (["succeeded", "failed"] as const).flatMap((list) =>
    (uncountedTerminatedPods?.[list] ?? []).flatMap((uid, at): FieldError[] => {
      const path = `status.uncountedTerminatedPods.${list}[${at}]`;
      if (uid === "") return [invalid(path, uid, "must not be empty")];
      if (seen.has(uid)) return [{ type: "FieldValueDuplicate", field: path, value: uid, detail: "" }];
      seen.add(uid);
      return [];
    }),
  );
}

/** Success and failure exclude each other; each is announced before it is final, and what is final stays. */
function validateConditions(now: JobStatus, before: JobStatus): FieldError[] {
  const errors: FieldError[] = [];
  const tell = (detail: string): number => errors.push(invalid("status.conditions", omittedValue, detail));
  const changed = (...types: string[]): boolean => types.some((type) => has(now, type) !== has(before, type));
  const refuse = (one: string, other: string): void => {
    if (changed(one, other) && has(now, one) && has(now, other))
      tell(`cannot set ${one}=True and ${other}=true conditions`);
  };
  const announce = (end: string, first: string): void => {
    if (changed(end, first) && has(now, end) && !has(now, first))
      tell(`cannot set ${end}=True condition without the ${first}=true condition`);
  };
  refuse("Complete", "Failed");
  refuse("Complete", "FailureTarget");
  refuse("SuccessCriteriaMet", "Failed");
  refuse("SuccessCriteriaMet", "FailureTarget");
  announce("Failed", "FailureTarget");
  announce("Complete", "SuccessCriteriaMet");
  for (const type of ["Failed", "Complete", "FailureTarget", "SuccessCriteriaMet"])
    if (has(before, type) && !has(now, type)) tell(`cannot disable the terminal ${type}=True condition`);
  return errors;
}

/** At its end a Job has started, has no pods left, and everything is counted. */
function validateEnd(now: JobStatus, before: JobStatus): FieldError[] {
  const errors: FieldError[] = [];
  const isNew = isFinished(now) !== isFinished(before);
  const look = (field: keyof JobStatus): boolean => isNew || !isDeepStrictEqual(now[field], before[field]);
  if (isFinished(now)) {
    for (const field of ["active", "terminating"] as const)
      if (look(field) && (now[field] ?? 0) > 0)
        errors.push(invalid(`status.${field}`, now[field], `${field}>0 is invalid for finished job`));
    if (look("startTime") && now.startTime === undefined)
      errors.push(required("status.startTime", "startTime is required for finished job"));
    const { succeeded = [], failed = [] } = now.uncountedTerminatedPods ?? {};
    if (look("uncountedTerminatedPods") && succeeded.length + failed.length > 0)
      errors.push(
        invalid(
          "status.uncountedTerminatedPods",
          now.uncountedTerminatedPods,
          "uncountedTerminatedPods needs to be empty for finished job",
        ),
      );
  }
  const { ready = 0, active = 0 } = now;
  if ((ready !== (before.ready ?? 0) || active !== (before.active ?? 0)) && ready > active)
    errors.push(invalid("status.ready", ready, "cannot set more ready pods than active"));
  return errors;
}

function validateTimes({ status: now = {}, spec }: Job, { status: before = {} }: Job): FieldError[] {
  const errors: FieldError[] = [];
  const { startTime, completionTime } = now;
  const path = "status.completionTime";
  const isMoved = completionTime !== before.completionTime;
  if (has(now, "Complete") !== has(before, "Complete") || isMoved) {
    if (completionTime !== undefined && !has(now, "Complete"))
      errors.push(
        invalid(path, completionTime, "cannot set completionTime when there is no Complete=True condition"),
      );
    if (completionTime === undefined && has(now, "Complete"))
      errors.push(required(path, "completionTime is required for Complete jobs"));
  }
  if (before.completionTime !== undefined && isMoved)
    errors.push(invalid(path, completionTime, "field is immutable"));
  if (startTime !== undefined && completionTime !== undefined && completionTime < startTime)
    errors.push(invalid(path, completionTime, "completionTime cannot be set before startTime"));
  // A Job that has just been resumed starts anew.
  const isRunning = spec?.suspend !== true && !has(before, "Suspended");
  if (before.startTime !== undefined && startTime !== before.startTime && isRunning)
    errors.push(
      startTime === undefined
        ? required("status.startTime", "startTime cannot be removed for unsuspended job")
        : invalid("status.startTime", startTime, "startTime cannot be updated for unsuspended job"),
    );
  return errors;
}

/** What has been counted stays so; only an indexed Job that was scaled down forgets successes. */
function validateCounters({ status: now = {}, spec }: Job, { status: before = {} }: Job): FieldError[] {
  const errors: FieldError[] = [];
  const scales = spec?.completionMode === "Indexed" && spec.completions === spec.parallelism;
  for (const counter of ["succeeded", "failed"] as const)
    if ((now[counter] ?? 0) < (before[counter] ?? 0) && !(counter === "succeeded" && scales))
      errors.push(invalid(`status.${counter}`, now[counter] ?? 0, `cannot decrease the ${counter} counter`));
  if (
    now.completedIndexes &&
    now.completedIndexes !== before.completedIndexes &&
    spec?.completionMode !== "Indexed"
  )
    errors.push(
      invalid(
        "status.completedIndexes",
        now.completedIndexes,
        "cannot set non-empty completedIndexes when non-indexed completion mode",
      ),
    );
  if (
    now.failedIndexes !== undefined &&
    now.failedIndexes !== before.failedIndexes &&
    spec?.backoffLimitPerIndex === undefined
  )
    errors.push(
      invalid(
        "status.failedIndexes",
        now.failedIndexes,
        "cannot set non-null failedIndexes when backoffLimitPerIndex is null",
      ),
    );
  return errors;
}
