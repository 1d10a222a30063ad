// What a Job's podFailurePolicy makes of a failed pod: the first rule that matches says. Pure.

import type { PodFailurePolicyRule } from "#machinery/gen/types/batch-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import type { ReadPod } from "../pod-state.ts";
import type { ReadJob } from "./job-pod.ts";

export type FailureAction = "Count" | "FailIndex" | "FailJob" | "Ignore";

export interface Verdict {
  readonly action: FailureAction;
  /** What a Job that fails by it says. */
  readonly message: string;
}

const counted: Verdict = { action: "Count", message: "" };

type ReadRule = DeepReadonly<PodFailurePolicyRule>;

export function judge(job: ReadJob, pod: ReadPod): Verdict {
  const rules = job.spec?.podFailurePolicy?.rules ?? [];
  // Of a pod that is still going nothing can be said: it counts.
  if (rules.length === 0 || pod.status?.phase !== "Failed") return counted;
  for (const [at, rule] of rules.entries()) {
    const found = exitMatch(rule, pod) ?? conditionMatch(rule, pod);
    if (found === undefined) continue;
    return {
      action: rule.action as FailureAction,
      message: `${found} matching ${rule.action} rule at index ${at}`,
    };
  }
  return counted;
}

const nameOf = ({ metadata }: ReadPod): string => `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`;

function exitMatch({ onExitCodes }: ReadRule, pod: ReadPod): string | undefined {
  if (onExitCodes === undefined) return undefined;
  const { containerName, operator, values } = onExitCodes;
  const containers = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
  for (const { name, state } of containers) {
    const code = state?.terminated?.exitCode ?? 0;
    if (code === 0 || (containerName !== undefined && containerName !== name)) continue;
    const isIn = values.includes(code);
    if ((operator === "In" && isIn) || (operator === "NotIn" && !isIn))
      return `Container ${name} for pod ${nameOf(pod)} failed with exit code ${code}`;
  }
  return undefined;
}

function conditionMatch({ onPodConditions = [] }: ReadRule, pod: ReadPod): string | undefined {
  const found = (pod.status?.conditions ?? []).find((condition) =>
    onPodConditions.some(
      ({ type, status }) => type === condition.type && (status ?? "True") === condition.status,
    ),
  );
  return found === undefined ? undefined : `Pod ${nameOf(pod)} has condition ${found.type}`;
}
