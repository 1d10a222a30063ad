// The status of a pod: phase, conditions, addresses, container statuses, from the same facts as the pod's plan.

import { timestamp } from "#base/clock.ts";
import type { ContainerStatus, PodCondition, PodStatus } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { planContainerStatuses, type ContainerStatuses } from "./container-statuses.ts";
import { isSidecar } from "./containers.ts";
import type { ObservedPod, PodMemory, PodPlan, ReadonlyPod } from "./model.ts";

export interface StatusInput {
  readonly pod: ReadonlyPod;
  readonly observed: ObservedPod;
  readonly memory: PodMemory;
  readonly nowMs: number;
  readonly hostIps: readonly string[];
}

export function planStatus(input: StatusInput, plan: PodPlan): PodStatus {
  const { pod, observed, memory } = input;
  const containers = planContainerStatuses(input, plan);
  const failure = plan.failure ?? memory.failure;
  const phase = planPhase(pod, containers, plan, failure !== undefined);
  const ips = podIps(input);
  const old = pod.status;
  const reason = failure?.reason ?? (phase === "Failed" ? old?.reason : undefined);
  const message = failure?.message ?? (phase === "Failed" ? old?.message : undefined);
  return {
    ...(pod.metadata?.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    phase,
    conditions: planConditions(input, plan, containers, phase),
    ...(message === undefined ? {} : { message }),
    ...(reason === undefined ? {} : { reason }),
    ...(input.hostIps.length === 0
      ? {}
      : { hostIP: input.hostIps[0] as string, hostIPs: input.hostIps.map((ip) => ({ ip })) }),
    ...(ips.length === 0 ? {} : { podIP: ips[0] as string, podIPs: ips.map((ip) => ({ ip })) }),
    startTime: old?.startTime ?? timestamp(input.nowMs),
    ...(containers.init.length === 0 ? {} : { initContainerStatuses: containers.init }),
    containerStatuses: containers.app,
    ...(containers.ephemeral.length === 0 ? {} : { ephemeralContainerStatuses: containers.ephemeral }),
    ...(old?.qosClass === undefined ? {} : { qosClass: old.qosClass }),
    ...(observed.sandboxes.length === 0 && old?.nominatedNodeName !== undefined
      ? { nominatedNodeName: old.nominatedNodeName }
      : {}),
  };
}

function podIps({ pod, observed, hostIps }: StatusInput): readonly string[] {
  const sandbox = observed.sandboxes[0];
  if (pod.spec?.hostNetwork === true) return sandbox === undefined ? [] : hostIps.slice(0, 1);
  if (sandbox !== undefined && sandbox.ips.length > 0) return sandbox.ips;
  // An ended pod keeps the addresses that it had.
  const ended = sandbox === undefined || !sandbox.ready;
  return ended ? (pod.status?.podIPs ?? []).map(({ ip }) => ip) : [];
}

interface Counts {
  running: number;
  waiting: number;
  stopped: number;
  succeeded: number;
}

function countStates(statuses: readonly ContainerStatus[]): Counts {
  const counts: Counts = { running: 0, waiting: 0, stopped: 0, succeeded: 0 };
  for (const { state, lastState } of statuses) {
    if (state?.running !== undefined) counts.running += 1;
    else if (state?.terminated !== undefined) {
      counts.stopped += 1;
      if (state.terminated.exitCode === 0) counts.succeeded += 1;
      // A container that waits for its restart is not a pod that is still pending.
    } else if (lastState?.terminated !== undefined) counts.stopped += 1;
    else counts.waiting += 1;
  }
  return counts;
}

/** How far initialization is: done, still going, or failed for good. */
function initState(pod: ReadonlyPod, containers: ContainerStatuses): "done" | "pending" | "failed" {
  if (containers.app.some(({ state }) => state?.running !== undefined || state?.terminated !== undefined))
    return "done";
  for (const [at, status] of containers.init.entries()) {
    const spec = pod.spec?.initContainers?.[at];
    if (spec !== undefined && isSidecar(spec)) {
      if (status.started !== true) return "pending";
      continue;
    }
    const ended = status.state?.terminated;
    if (ended === undefined) return "pending";
    if (ended.exitCode !== 0)
      return (spec?.restartPolicy ?? pod.spec?.restartPolicy) === "Never" ? "failed" : "pending";
  }
  return "done";
}

function planPhase(pod: ReadonlyPod, containers: ContainerStatuses, plan: PodPlan, failed: boolean): string {
  const old = pod.status?.phase;
  if (old === "Failed" || old === "Succeeded") return old;
  if (failed) return "Failed";
  const init = initState(pod, containers);
  if (init === "failed") return "Failed";
  const counts = countStates(containers.app);
  if (plan.terminated)
    return init === "done" && counts.succeeded === containers.app.length ? "Succeeded" : "Failed";
  if (init === "pending" || counts.waiting > 0) return "Pending";
  if (counts.running > 0) return "Running";
  const policy = pod.spec?.restartPolicy ?? "Always";
  if (policy === "Always") return "Running";
  if (counts.stopped === counts.succeeded) return plan.actions.some(endsSidecar) ? "Running" : "Succeeded";
  return policy === "Never" ? "Failed" : "Running";
}

const endsSidecar = ({ type }: PodPlan["actions"][number]): boolean => type === "killContainer";

type Finding = Pick<PodCondition, "status" | "reason" | "message">;
const yes: Finding = { status: "True" };

const no = (reason: string, message?: string): Finding => ({
  status: "False",
  reason,
  ...(message === undefined ? {} : { message }),
});

function initialized(pod: ReadonlyPod, containers: ContainerStatuses, phase: string): Finding {
  if (phase === "Succeeded" && containers.init.length > 0) return { status: "True", reason: "PodCompleted" };
  if (initState(pod, containers) === "done") return yes;
  const incomplete = containers.init
    .filter(({ ready, started }, at) => {
      const spec = pod.spec?.initContainers?.[at];
      return spec !== undefined && isSidecar(spec) ? started !== true : !ready;
    })
    .map(({ name }) => name);
  return no("ContainersNotInitialized", `containers with incomplete status: [${incomplete.join(" ")}]`);
}

function containersReady(pod: ReadonlyPod, containers: ContainerStatuses, phase: string): Finding {
  if (phase === "Succeeded") return no("PodCompleted");
  if (phase === "Failed") return no("PodFailed");
  const sidecars = containers.init.filter((_, at) => {
    const spec = pod.spec?.initContainers?.[at];
    return spec !== undefined && isSidecar(spec);
  });
  const unready = [...sidecars, ...containers.app].filter(({ ready }) => !ready).map(({ name }) => name);
  if (unready.length === 0) return yes;
  return no("ContainersNotReady", `containers with unready status: [${unready.join(" ")}]`);
}

function podReady(pod: ReadonlyPod, containers: Finding): Finding {
  if (containers.status !== "True") return containers;
  const messages: string[] = [];
  for (const { conditionType } of pod.spec?.readinessGates ?? []) {
    const gate = pod.status?.conditions?.find(({ type }) => type === conditionType);
    if (gate === undefined)
      messages.push(`corresponding condition of pod readiness gate "${conditionType}" does not exist.`);
    else if (gate.status !== "True")
      messages.push(`the status of pod readiness gate "${conditionType}" is not "True", but ${gate.status}`);
  }
  return messages.length === 0 ? yes : no("ReadinessGatesNotReady", messages.join(", "));
}

function planConditions(
  input: StatusInput,
  plan: PodPlan,
  containers: ContainerStatuses,
  phase: string,
): PodCondition[] {
  const { pod, observed, nowMs } = input;
  const sandbox = observed.sandboxes[0];
  const network =
    sandbox !== undefined && sandbox.ready && (pod.spec?.hostNetwork === true || sandbox.ips.length > 0);
  const allReady = containersReady(pod, containers, phase);
  const findings: [string, Finding][] = [
    ["PodReadyToStartContainers", network && !plan.terminated ? yes : { status: "False" }],
    ["Initialized", initialized(pod, containers, phase)],
    ["Ready", podReady(pod, allReady)],
    ["ContainersReady", allReady],
  ];
  const old = pod.status?.conditions ?? [];
  if (!old.some(({ type }) => type === "PodScheduled")) findings.push(["PodScheduled", yes]);
  return findings.map(([type, finding]) =>
    keepTransition(
      old.find((condition) => condition.type === type),
      {
        type,
        ...(pod.metadata?.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
        ...finding,
      },
      nowMs,
    ),
  );
}

/** The time of the last change of `status` stays, unless it changes now. */
function keepTransition(
  old: DeepReadonly<PodCondition> | undefined,
  next: PodCondition,
  nowMs: number,
): PodCondition {
  const since = old?.status === next.status ? old.lastTransitionTime : undefined;
  return { ...next, lastTransitionTime: since ?? timestamp(nowMs) };
}
