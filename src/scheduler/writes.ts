// What the scheduler writes: bindings, why a pod goes nowhere, and evictions for pods that are more important.

import { toError } from "#base/assert.ts";
import { timestamp, type Clock } from "#base/clock.ts";
import type { Logger } from "#base/log.ts";
import type { Client } from "#client/client.ts";
import { Pods } from "#client/refs.ts";
import { ApiError } from "#machinery/status.ts";
import type { ObjectRef } from "#reconcile/action.ts";
import type { EventRecorder } from "#reconcile/events.ts";
import { keyOf, type PodInfo, type ReadPod } from "./plan/pod-info.ts";
import type { Preemption } from "./plan/preemption.ts";

export interface WriteDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
  /** By the name of the scheduler that events are from. */
  readonly events: (schedulerName: string) => EventRecorder;
}

const about = ({ namespace, name, uid }: PodInfo): ObjectRef => ({
  apiVersion: "v1",
  kind: "Pod",
  namespace,
  name,
  uid,
});

const isStale = (error: Error): boolean =>
  error instanceof ApiError && (error.code === 404 || error.code === 409);

export function tellBound(info: PodInfo, node: string, deps: WriteDeps): void {
  const text = `Successfully assigned ${keyOf(info)} to ${node}`;
  deps.events(info.schedulerName).event(about(info), "Normal", "Scheduled", text);
}

/** True when the pod is bound. */
export async function bindPod(info: PodInfo, node: string, deps: WriteDeps): Promise<boolean> {
  const { name, namespace, uid } = info;
  const binding = {
    apiVersion: "v1",
    kind: "Binding",
    metadata: { name, namespace, uid },
    target: { kind: "Node", name: node },
  };
  try {
    await deps.client.createSub(Pods, namespace, name, "binding", binding);
  } catch (thrown) {
    const error = toError(thrown);
    deps.log[isStale(error) ? "debug" : "warn"]("a pod was not bound", { pod: keyOf(info), node, error });
    return false;
  }
  tellBound(info, node, deps);
  return true;
}

async function patchStatus(info: PodInfo, status: object, deps: WriteDeps): Promise<boolean> {
  const { name, namespace, uid } = info;
  try {
    await deps.client.patch(Pods, namespace, name, "strategic", { metadata: { uid }, status }, "status");
    return true;
  } catch (thrown) {
    const error = toError(thrown);
    deps.log[isStale(error) ? "debug" : "warn"]("a pod's status was not written", {
      pod: keyOf(info),
      error,
    });
    return false;
  }
}

/** Whether it may wait for a node: a name, or "" for none any longer; undefined changes nothing. */
export type Nomination = string | undefined;

export interface UnschedulableReport {
  readonly message: string;
  readonly nomination: Nomination;
  readonly now: ReadPod | undefined;
  /** `SchedulerError` when it could not be found out whether a node takes it. */
  readonly reason?: "Unschedulable" | "SchedulerError";
}

/** Tells in an event and in the pod's condition why it goes nowhere. `now` is the pod as the cache has it. */
export async function reportUnschedulable(
  info: PodInfo,
  { message, nomination, now, reason = "Unschedulable" }: UnschedulableReport,
  deps: WriteDeps,
): Promise<void> {
  deps.events(info.schedulerName).event(about(info), "Warning", "FailedScheduling", message);
  const held = (now?.status?.conditions ?? []).find(({ type }) => type === "PodScheduled");
  const isTold = held?.status === "False" && held.reason === reason && held.message === message;
  const isNominated = nomination === undefined || nomination === (now?.status?.nominatedNodeName ?? "");
  if (isTold && isNominated) return;
  const lastTransitionTime =
    held?.status === "False" && held.lastTransitionTime != null
      ? held.lastTransitionTime
      : timestamp(deps.clock.now());
  const condition = {
    type: "PodScheduled",
    status: "False",
    reason,
    message,
    lastTransitionTime,
    lastProbeTime: null,
  };
  const nominated = isNominated ? {} : { nominatedNodeName: nomination === "" ? null : nomination };
  await patchStatus(info, { conditions: [condition], ...nominated }, deps);
}

/** Takes back what a less important pod was promised. */
export async function clearNomination(info: PodInfo, deps: WriteDeps): Promise<void> {
  await patchStatus(info, { nominatedNodeName: null }, deps);
}

/** Evicts one pod for another: first says why in its condition, then deletes it. */
async function evict(victim: PodInfo, preemptor: PodInfo, node: string, deps: WriteDeps): Promise<void> {
  const { schedulerName } = preemptor;
  const now = timestamp(deps.clock.now());
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    reason: "PreemptionByScheduler",
    message: `${schedulerName}: preempting to accommodate a higher priority pod`,
    lastTransitionTime: now,
    lastProbeTime: null,
  };
  if (!(await patchStatus(victim, { conditions: [condition] }, deps))) return;
  try {
    await deps.client.delete(Pods, victim.namespace, victim.name, { preconditions: { uid: victim.uid } });
  } catch (thrown) {
    const error = toError(thrown);
    deps.log[isStale(error) ? "debug" : "warn"]("a pod was not preempted", { pod: keyOf(victim), error });
    return;
  }
  const text = `Preempted by pod ${preemptor.uid} on node ${node}`;
  deps.events(schedulerName).event(about(victim), "Normal", "Preempted", text);
}

export async function evictVictims(
  { node, victims }: Preemption,
  preemptor: PodInfo,
  deps: WriteDeps,
): Promise<void> {
  await Promise.all(victims.map((victim) => evict(victim, preemptor, node, deps)));
}
