// One look at a Deployment: adopt and release, record the revision, then scale or take the next step of the rollout, and
// tell how far it has come. Pure.

import { Deployments, ReplicaSets } from "#client/refs.ts";
import { selectorFromObject } from "#machinery/selectors.ts";
import { createAction, deleteAction, statusAction, updateAction, type Action } from "#reconcile/action.ts";
import type { Plan, PlanContext } from "#reconcile/controller.ts";
import type { Failure } from "#reconcile/execute.ts";
import { ApiError } from "#machinery/status.ts";
import { claimObjects } from "../ownership.ts";
import { isPodTerminal, type ReadPod } from "../pod-state.ts";
import {
  desiredOf,
  findNew,
  isActive,
  newSet as makeSet,
  newSetName,
  nextRevision,
  replicasOf,
  resize,
  revisionAnnotations,
  scaled,
  settleNew,
  shownRevision,
  type ReadDeployment,
  type ReadSet,
} from "./replica-sets.ts";
import { newSize, planRolling } from "./rolling.ts";
import { beyondHistory, isScaling, planScaling } from "./scaling.ts";
import {
  conditionOf,
  countedStatus,
  deadlineMs,
  hasDeadline,
  isComplete,
  rolloutStatus,
  sameStatus,
  withCondition,
  type ReadStatus,
} from "./status.ts";

export interface DeploymentInput {
  readonly deployment: ReadDeployment;
  /** ReplicaSets of its namespace that it controls, or that nobody does. */
  readonly sets: readonly ReadSet[];
  /** Pods of its ReplicaSets: only a Deployment that recreates looks at them. */
  readonly pods: readonly ReadPod[];
}

interface Look {
  readonly deployment: ReadDeployment;
  readonly newSet: ReadSet | undefined;
  readonly old: readonly ReadSet[];
  readonly all: readonly ReadSet[];
  readonly pods: readonly ReadPod[];
  readonly nowMs: number;
}

/** The status is written with the revision, which is an annotation; nothing when both are as they were. */
function writeStatus({ deployment }: Look, status: ReadStatus, revision?: string): Action[] {
  const isSameRevision = revision === undefined || revision === "" || shownRevision(deployment) === revision;
  if (sameStatus(deployment.status, status) && isSameRevision) return [];
  const annotations = isSameRevision
    ? deployment.metadata?.annotations
    : { ...deployment.metadata?.annotations, ...revisionAnnotations(revision) };
  const metadata = { ...deployment.metadata, ...(annotations === undefined ? {} : { annotations }) };
  return [statusAction(Deployments, { ...deployment, metadata, status })];
}

const planned = (look: Look, actions: readonly Action[], status: ReadStatus): Plan => {
  const due = deadlineMs(look.deployment, status);
  // One second later, so that the deadline is over when it is looked at.
  return due === undefined ? { actions } : { actions, againAfterMs: Math.max(1000, due - look.nowMs + 1000) };
};

/** As far as things are now; `steps` come before it. */
function tell(look: Look, steps: readonly Action[], status: ReadStatus, revision?: string): Plan {
  return planned(look, [...steps, ...writeStatus(look, status, revision)], status);
}

const tellRollout = (look: Look, steps: readonly Action[], revision?: string): Plan =>
  tell(look, steps, rolloutStatus(look.deployment, look.all, look.newSet, look.nowMs), revision);

/** Paused and resumed are told once; the deadline does not run while it is paused. */
function pauseTold({ deployment, nowMs }: Look): ReadStatus | undefined {
  if (!hasDeadline(deployment)) return undefined;
  const held = conditionOf(deployment.status, "Progressing");
  if (held?.reason === "ProgressDeadlineExceeded") return undefined;
  const isPaused = deployment.spec?.paused === true;
  const isTold = held?.reason === "DeploymentPaused";
  if (isPaused === isTold) return undefined;
  const word = isPaused ? "paused" : "resumed";
  const condition = {
    type: "Progressing",
    status: "Unknown",
    reason: isPaused ? "DeploymentPaused" : "DeploymentResumed",
    message: `Deployment is ${word}`,
  };
  return withCondition(deployment.status ?? {}, condition, nowMs);
}

/** Today's ReplicaSet is there: its annotations and the Deployment's revision first. */
function settle(look: Look, newSet: ReadSet): Plan | undefined {
  const { deployment, nowMs, old } = look;
  const settled = settleNew(deployment, newSet, nextRevision(old));
  if (settled !== undefined) return { actions: [updateAction(ReplicaSets, settled)] };
  const name = newSet.metadata?.name ?? "";
  const isNews = hasDeadline(deployment) && conditionOf(deployment.status, "Progressing") === undefined;
  const told = isNews
    ? withCondition(
        deployment.status ?? {},
        {
          type: "Progressing",
          status: "True",
          reason: "FoundNewReplicaSet",
          message: `Found new replica set "${name}"`,
        },
        nowMs,
      )
    : (deployment.status ?? {});
  const actions = writeStatus(look, told, shownRevision(newSet));
  return actions.length === 0 ? undefined : { actions };
}

function createNew(look: Look): Plan {
  const { deployment, old, nowMs } = look;
  const revision = nextRevision(old);
  const replicas = newSize(deployment, old, 0);
  const set = makeSet(deployment, revision, replicas);
  const name = set.metadata?.name ?? "";
  const steps: Action[] = [createAction(ReplicaSets, set)];
  if (replicas > 0) steps.push(scaled(deployment, set, 0, replicas));
  const counted = countedStatus(deployment, look.all, undefined, nowMs);
  const status = hasDeadline(deployment)
    ? withCondition(
        counted,
        {
          type: "Progressing",
          status: "True",
          reason: "NewReplicaSetCreated",
          message: `Created new replica set "${name}"`,
        },
        nowMs,
      )
    : counted;
  return tell(look, steps, status, String(revision));
}

const cleanUp = ({ deployment, old }: Look): Action[] =>
  beyondHistory(deployment, old).map((set) => deleteAction(ReplicaSets, set));

/** Paused, or of another size than before: no step of a rollout is taken. */
function planSync(look: Look): Plan {
  const { deployment, newSet, old, all, nowMs } = look;
  const settled = newSet === undefined ? undefined : settle(look, newSet);
  if (settled !== undefined) return settled;
  const steps = planScaling(deployment, newSet, old);
  if (deployment.spec?.paused === true) steps.push(...cleanUp(look));
  return tell(look, steps, countedStatus(deployment, all, newSet, nowMs));
}

function planRollingUpdate(look: Look): Plan {
  const { deployment, newSet, old } = look;
  if (newSet === undefined) return createNew(look);
  const settled = settle(look, newSet);
  if (settled !== undefined) return settled;
  const steps = planRolling(deployment, newSet, old);
  if (steps.length === 0 && isComplete(deployment, deployment.status)) steps.push(...cleanUp(look));
  return tellRollout(look, steps);
}

/** No new pod before the last old one is gone. */
function planRecreate(look: Look): Plan {
  const { deployment, newSet, old, pods } = look;
  const settled = newSet === undefined ? undefined : settle(look, newSet);
  if (settled !== undefined) return settled;
  const active = old.filter(isActive);
  if (active.length > 0)
    return tellRollout(
      look,
      active.flatMap((set) => resize(deployment, set, 0)),
    );
  const newUid = newSet?.metadata?.uid;
  const isOldRunning =
    old.some(({ status }) => (status?.replicas ?? 0) > 0) ||
    pods.some(
      (pod) =>
        !isPodTerminal(pod) && !(pod.metadata?.ownerReferences ?? []).some(({ uid }) => uid === newUid),
    );
  if (isOldRunning) return tellRollout(look, []);
  if (newSet === undefined) return createNew(look);
  const desired = desiredOf(deployment);
  if (replicasOf(newSet) !== desired) return tellRollout(look, resize(deployment, newSet, desired));
  return tellRollout(look, isComplete(deployment, deployment.status) ? cleanUp(look) : []);
}

export function planDeployment({ deployment, sets, pods }: DeploymentInput, { nowMs }: PlanContext): Plan {
  const selector = selectorFromObject(deployment.spec?.selector) ?? [];
  const claimed = claimObjects(sets, { ref: Deployments, owner: deployment, selector, of: ReplicaSets });
  // What was just claimed is looked at when the caches show it as ours.
  if (claimed.patches.length > 0) return { actions: claimed.patches };
  const all = claimed.mine;
  const newSet = findNew(deployment, all);
  const old = all.filter((set) => set !== newSet);
  const look: Look = { deployment, newSet, old, all, pods, nowMs };
  if (deployment.metadata?.deletionTimestamp !== undefined)
    return tell(look, [], countedStatus(deployment, all, newSet, nowMs));
  const paused = pauseTold(look);
  if (paused !== undefined) return { actions: writeStatus(look, paused) };
  if (deployment.spec?.paused === true || isScaling(deployment, all)) return planSync(look);
  return deployment.spec?.strategy?.type === "Recreate" ? planRecreate(look) : planRollingUpdate(look);
}

/** A ReplicaSet could not be created: another one has its name, or it was refused. */
export function planDeploymentFailure(
  { deployment }: DeploymentInput,
  { action, error }: Failure,
  { nowMs }: PlanContext,
): Action[] {
  if (action.do !== "create") return [];
  if (error instanceof ApiError && error.reason === "AlreadyExists") {
    const collisionCount = (deployment.status?.collisionCount ?? 0) + 1;
    return [statusAction(Deployments, { ...deployment, status: { ...deployment.status, collisionCount } })];
  }
  if (!hasDeadline(deployment)) return [];
  const message = `Failed to create new replica set "${newSetName(deployment)}": ${error.message}`;
  const condition = { type: "Progressing", status: "False", reason: "ReplicaSetCreateError", message };
  const status = withCondition(deployment.status ?? {}, condition, nowMs);
  return sameStatus(deployment.status, status) ? [] : [statusAction(Deployments, { ...deployment, status })];
}
