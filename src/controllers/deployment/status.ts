// What a Deployment tells about itself: counts, and how far it has come. Pure.

import { timestamp } from "#base/clock.ts";
import { sameJson } from "#machinery/apply/equal.ts";
import type { DeploymentCondition, DeploymentStatus } from "#machinery/gen/types/apps-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { byAge, desiredOf, fenceposts, type ReadDeployment, type ReadSet } from "./replica-sets.ts";

export type ReadStatus = DeepReadonly<DeploymentStatus>;
export type ReadCondition = DeepReadonly<DeploymentCondition>;

/** Asked for, this is as good as no deadline. */
const noDeadline = 2 ** 31 - 1;

export const hasDeadline = ({ spec }: ReadDeployment): boolean =>
  spec?.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== noDeadline;

export const conditionOf = (status: ReadStatus | undefined, type: string): ReadCondition | undefined =>
  status?.conditions?.find((condition) => condition.type === type);

/** A condition that says the same as before stays as it is, times included. */
export function withCondition(
  status: ReadStatus,
  {
    type,
    status: value,
    reason,
    message,
  }: Pick<Required<DeploymentCondition>, "type" | "status" | "reason" | "message">,
  nowMs: number,
): ReadStatus {
  const held = conditionOf(status, type);
  if (held?.status === value && held.reason === reason) return status;
  const now = timestamp(nowMs);
  const condition = {
    type,
    status: value,
    lastUpdateTime: now,
    lastTransitionTime: held?.status === value ? (held.lastTransitionTime ?? now) : now,
    reason,
    message,
  };
  return {
    ...status,
    conditions: [...(status.conditions ?? []).filter((other) => other.type !== type), condition],
  };
}

export const withoutCondition = (status: ReadStatus, type: string): ReadStatus => ({
  ...status,
  conditions: (status.conditions ?? []).filter((condition) => condition.type !== type),
});

/** The counts of today, with the conditions of before and the one that says whether enough pods are available. */
export function countedStatus(
  deployment: ReadDeployment,
  sets: readonly ReadSet[],
  newSet: ReadSet | undefined,
  nowMs: number,
): ReadStatus {
  const sum = (of: (status: NonNullable<ReadSet["status"]>) => number | undefined): number =>
    sets.reduce((total, { status }) => total + (status === undefined ? 0 : (of(status) ?? 0)), 0);
  const availableReplicas = sum((status) => status.availableReplicas);
  const wanted = sets.reduce((total, { spec }) => total + (spec?.replicas ?? 1), 0);
  const { collisionCount, conditions } = deployment.status ?? {};
  const counts = {
    observedGeneration: deployment.metadata?.generation ?? 0,
    replicas: sum((status) => status.replicas),
    updatedReplicas: newSet?.status?.replicas ?? 0,
    readyReplicas: sum((status) => status.readyReplicas),
    availableReplicas,
    unavailableReplicas: Math.max(0, wanted - availableReplicas),
  };
  const status: ReadStatus = {
    ...Object.fromEntries(Object.entries(counts).filter(([, value]) => value !== 0)),
    terminatingReplicas: sum(({ terminatingReplicas }) => terminatingReplicas),
    ...(collisionCount === undefined ? {} : { collisionCount }),
    ...(conditions === undefined ? {} : { conditions }),
  };
  const isAvailable = availableReplicas >= desiredOf(deployment) - fenceposts(deployment).maxUnavailable;
  return withCondition(
    status,
    isAvailable
      ? {
          type: "Available",
          status: "True",
          reason: "MinimumReplicasAvailable",
          message: "Deployment has minimum availability.",
        }
      : {
          type: "Available",
          status: "False",
          reason: "MinimumReplicasUnavailable",
          message: "Deployment does not have minimum availability.",
        },
    nowMs,
  );
}

export function isComplete(deployment: ReadDeployment, status: ReadStatus | undefined): boolean {
  const desired = desiredOf(deployment);
  return (
    (status?.updatedReplicas ?? 0) === desired &&
    (status?.replicas ?? 0) === desired &&
    (status?.availableReplicas ?? 0) === desired &&
    (status?.observedGeneration ?? 0) >= (deployment.metadata?.generation ?? 0)
  );
}

function hasProgressed({ status: before }: ReadDeployment, status: ReadStatus): boolean {
  const old = (one: ReadStatus | undefined): number => (one?.replicas ?? 0) - (one?.updatedReplicas ?? 0);
  return (
    (status.updatedReplicas ?? 0) > (before?.updatedReplicas ?? 0) ||
    old(status) < old(before) ||
    (status.readyReplicas ?? 0) > (before?.readyReplicas ?? 0) ||
    (status.availableReplicas ?? 0) > (before?.availableReplicas ?? 0)
  );
}

/** When the deadline is over; undefined when nothing is waited for. */
export function deadlineMs(deployment: ReadDeployment, status: ReadStatus | undefined): number | undefined {
  const progressing = conditionOf(status, "Progressing");
  if (!hasDeadline(deployment) || progressing === undefined) return undefined;
  const isOver = ["NewReplicaSetAvailable", "ProgressDeadlineExceeded"].includes(progressing.reason ?? "");
  if (isOver || deployment.spec?.paused === true) return undefined;
  const seconds = deployment.spec?.progressDeadlineSeconds ?? 0;
  return Date.parse(progressing.lastUpdateTime ?? "") + seconds * 1000;
}

/** Failures of ReplicaSets are the Deployment's: today's first. */
function withFailure(status: ReadStatus, sets: readonly ReadSet[], newSet: ReadSet | undefined): ReadStatus {
  const [failure] = [...(newSet === undefined ? [] : [newSet]), ...sets.toSorted(byAge)].flatMap(
    (set) => set.status?.conditions?.filter(({ type }) => type === "ReplicaFailure") ?? [],
  );
  const rest = withoutCondition(status, "ReplicaFailure");
  if (failure === undefined) return conditionOf(status, "ReplicaFailure") === undefined ? status : rest;
  const condition: ReadCondition = {
    type: "ReplicaFailure",
    status: failure.status,
    ...(failure.reason === undefined ? {} : { reason: failure.reason }),
    ...(failure.message === undefined ? {} : { message: failure.message }),
    lastTransitionTime: failure.lastTransitionTime ?? "",
    lastUpdateTime: failure.lastTransitionTime ?? "",
  };
  return { ...rest, conditions: [...(rest.conditions ?? []), condition] };
}

/** With how far the rollout has come: progressing, done, or over its deadline. */
export function rolloutStatus(
  deployment: ReadDeployment,
  sets: readonly ReadSet[],
  newSet: ReadSet | undefined,
  nowMs: number,
): ReadStatus {
  let status = countedStatus(deployment, sets, newSet, nowMs);
  if (!hasDeadline(deployment)) status = withoutCondition(status, "Progressing");
  const current = conditionOf(deployment.status, "Progressing");
  const wasComplete =
    (status.replicas ?? 0) === (status.updatedReplicas ?? 0) && current?.reason === "NewReplicaSetAvailable";
  const subject =
    newSet === undefined
      ? `Deployment "${deployment.metadata?.name ?? ""}"`
      : `ReplicaSet "${newSet.metadata?.name ?? ""}"`;
  if (hasDeadline(deployment) && !wasComplete) {
    const due = deadlineMs(deployment, status);
    const told = (value: string, reason: string, message: string): ReadStatus =>
      withCondition(
        status,
        { type: "Progressing", status: value, reason, message: `${subject} ${message}` },
        nowMs,
      );
    if (isComplete(deployment, status))
      status = told("True", "NewReplicaSetAvailable", "has successfully progressed.");
    else if (hasProgressed(deployment, status)) {
      // Each step counts as one: the deadline runs from the last.
      const since = current?.status === "True" ? current.lastTransitionTime : undefined;
      status = withoutCondition(status, "Progressing");
      status = told("True", "ReplicaSetUpdated", "is progressing.");
      if (since !== undefined)
        status = {
          ...status,
          conditions: (status.conditions ?? []).map((one) =>
            one.type === "Progressing" ? { ...one, lastTransitionTime: since } : one,
          ),
        };
    } else if (due !== undefined && due <= nowMs)
      status = told("False", "ProgressDeadlineExceeded", "has timed out progressing.");
  }
  return withFailure(status, sets, newSet);
}

export const sameStatus = (a: ReadStatus | undefined, b: ReadStatus): boolean => sameJson(a ?? {}, b);
