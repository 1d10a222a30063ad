// How much CPU and memory a container gets, in the runtime's terms, and which quality of service its pod has.

import type { LinuxContainerResources } from "#cri/messages.ts";
import { milliCpu, wholeUnits } from "./amounts.ts";
import type { ReadonlyContainer, ReadonlyPod } from "./model.ts";

export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

const systemCriticalPriority = 2_000_000_000;
const guaranteedOomScore = -997;
const bestEffortOomScore = 1000;
const cpuPeriodMicros = 100_000;
const cpuSharesMin = 2;
const cpuSharesMax = 262_144;
const cpuQuotaMin = 1000;

export function qosClass(pod: ReadonlyPod): QosClass {
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  let any = false;
  let guaranteed = true;
  for (const { resources } of containers) {
    for (const name of ["cpu", "memory"]) {
      const limit = resources?.limits?.[name];
      const request = resources?.requests?.[name] ?? limit;
      if (wholeOrZero(request) > 0 || wholeOrZero(limit) > 0) any = true;
      if (limit === undefined || wholeOrZero(limit) === 0 || milliCpu(request ?? limit) !== milliCpu(limit))
        guaranteed = false;
    }
  }
  if (!any) return "BestEffort";
  return guaranteed ? "Guaranteed" : "Burstable";
}

const wholeOrZero = (quantity: string | undefined): number =>
  quantity === undefined ? 0 : milliCpu(quantity);

export function cpuShares(milli: number): number {
  return Math.min(cpuSharesMax, Math.max(cpuSharesMin, Math.floor((milli * 1024) / 1000)));
}

function oomScoreAdj(pod: ReadonlyPod, container: ReadonlyContainer, memoryCapacity: number): number {
  if ((pod.spec?.priority ?? 0) >= systemCriticalPriority) return guaranteedOomScore;
  switch (qosClass(pod)) {
    case "Guaranteed":
      return guaranteedOomScore;
    case "BestEffort":
      return bestEffortOomScore;
    case "Burstable": {
      const request = container.resources?.requests?.["memory"];
      const share = request === undefined ? 0 : wholeUnits(request) / memoryCapacity;
      // The more of the machine it asked for, the later it is killed; always between the other two classes.
      return Math.min(bestEffortOomScore - 1, Math.max(3, Math.floor(1000 - 1000 * share)));
    }
  }
}

export function containerResources(
  pod: ReadonlyPod,
  container: ReadonlyContainer,
  memoryCapacity: number,
): LinuxContainerResources {
  const { limits, requests } = container.resources ?? {};
  const cpuLimit = limits?.["cpu"];
  const cpuRequest = requests?.["cpu"] ?? cpuLimit;
  const memoryLimit = limits?.["memory"];
  const quota = cpuLimit === undefined ? 0 : milliCpu(cpuLimit);
  return {
    cpuShares: cpuShares(cpuRequest === undefined ? 0 : milliCpu(cpuRequest)),
    ...(quota > 0
      ? {
          cpuPeriod: cpuPeriodMicros,
          cpuQuota: Math.max(cpuQuotaMin, Math.floor((quota * cpuPeriodMicros) / 1000)),
        }
      : {}),
    ...(memoryLimit === undefined ? {} : { memoryLimitInBytes: wholeUnits(memoryLimit) }),
    oomScoreAdj: oomScoreAdj(pod, container, memoryCapacity),
  };
}

/** The pod's cgroup below the node's: by quality of service, as on any node. */
export function podCgroup(nodeCgroup: string, pod: ReadonlyPod): string {
  const qos = (pod.status?.qosClass as QosClass | undefined) ?? qosClass(pod);
  return groupOf(nodeCgroup, pod.metadata?.uid ?? "", qos);
}

function groupOf(nodeCgroup: string, uid: string, qos: QosClass): string {
  const root = `/${nodeCgroup.replace(/^\/+/, "")}`;
  return qos === "Guaranteed" ? `${root}/pod${uid}` : `${root}/${qos.toLowerCase()}/pod${uid}`;
}

/** Every place where the pod's group can be, for a pod of which only the uid is known. */
export function possiblePodCgroups(nodeCgroup: string, uid: string): string[] {
  return (["Guaranteed", "Burstable", "BestEffort"] as const).map((qos) => groupOf(nodeCgroup, uid, qos));
}
