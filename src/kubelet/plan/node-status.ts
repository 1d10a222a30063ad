// What a node says about itself: capacity, allocatable, conditions, addresses, versions, images.

import { timestamp } from "#base/clock.ts";
import type { Image } from "#cri/messages.ts";
import type { ContainerImage, Node, NodeCondition, NodeStatus } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { canonicalQuantity } from "#machinery/quantity.ts";
import { sameJson } from "./equality.ts";

export interface MachineFacts {
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly memoryAvailableBytes: number;
  readonly diskBytes: number;
  readonly diskFreeBytes: number;
  readonly pids: number;
  readonly pidsMax: number;
  readonly machineId: string;
  readonly systemUuid: string;
  readonly bootId: string;
  readonly kernelVersion: string;
  readonly osImage: string;
  readonly architecture: string;
}

export interface RuntimeFacts {
  readonly name: string;
  readonly version: string;
  /** Why the runtime is not ready; undefined when it is. */
  readonly problem: string | undefined;
  readonly networkProblem: string | undefined;
}

export interface NodeInput {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly port: number;
  readonly version: string;
  readonly podsMax: number;
  readonly imagesMax: number;
  readonly imageNamesMax: number;
  readonly machine: MachineFacts;
  readonly runtime: RuntimeFacts;
  readonly images: readonly Image[];
  readonly nowMs: number;
  readonly old: DeepReadonly<NodeStatus> | undefined;
}

/** In the form that is stored, so that what is there compares with what is told. */
const kibi = (bytes: number): string => canonicalQuantity(`${Math.floor(bytes / 1024)}Ki`);

/** Memory below which the node counts as under pressure, and the shares of disk and processes likewise. */
const memoryPressureBytes = 100 * 1024 * 1024;
const diskPressureShare = 0.1;
const pidPressureShare = 0.05;
/** Kept from pods: what eviction needs to act before the machine fails. */
const memoryReservedBytes = memoryPressureBytes;

export function nodeCapacity({ machine, podsMax }: NodeInput): Record<string, string> {
  return {
    cpu: String(machine.cpus),
    "ephemeral-storage": kibi(machine.diskBytes),
    memory: kibi(machine.memoryBytes),
    pods: String(podsMax),
  };
}

export function nodeAllocatable(input: NodeInput): Record<string, string> {
  return {
    ...nodeCapacity(input),
    "ephemeral-storage": String(Math.floor(input.machine.diskBytes * (1 - diskPressureShare))),
    memory: kibi(Math.max(0, input.machine.memoryBytes - memoryReservedBytes)),
  };
}

type Finding = Pick<NodeCondition, "type" | "status" | "reason" | "message">;

const pressure = (type: string, under: boolean, what: string, reason: string): Finding => ({
  type,
  status: under ? "True" : "False",
  reason: under ? `KubeletHas${reason.replace("Sufficient", "Insufficient")}` : `KubeletHas${reason}`,
  message: under ? `kubelet has insufficient ${what} available` : `kubelet has sufficient ${what} available`,
});

function findings({ machine, runtime }: NodeInput): Finding[] {
  const disk = machine.diskBytes > 0 && machine.diskFreeBytes < machine.diskBytes * diskPressureShare;
  const problems = [runtime.problem, runtime.networkProblem].filter((problem) => problem !== undefined);
  return [
    pressure(
      "MemoryPressure",
      machine.memoryAvailableBytes < memoryPressureBytes,
      "memory",
      "SufficientMemory",
    ),
    disk
      ? {
          type: "DiskPressure",
          status: "True",
          reason: "KubeletHasDiskPressure",
          message: "kubelet has disk pressure",
        }
      : {
          type: "DiskPressure",
          status: "False",
          reason: "KubeletHasNoDiskPressure",
          message: "kubelet has no disk pressure",
        },
    pressure(
      "PIDPressure",
      machine.pidsMax - machine.pids < machine.pidsMax * pidPressureShare,
      "PID",
      "SufficientPID",
    ),
    problems.length === 0
      ? { type: "Ready", status: "True", reason: "KubeletReady", message: "kubelet is posting ready status" }
      : { type: "Ready", status: "False", reason: "KubeletNotReady", message: problems.join(", ") },
  ];
}

function conditions(input: NodeInput): NodeCondition[] {
  const stamp = timestamp(input.nowMs);
  const own = findings(input).map((finding): NodeCondition => {
    const before = input.old?.conditions?.find(({ type }) => type === finding.type);
    const since = before?.status === finding.status ? before.lastTransitionTime : undefined;
    return { ...finding, lastHeartbeatTime: stamp, lastTransitionTime: since ?? stamp };
  });
  return own;
}

function imageList({ images, imagesMax, imageNamesMax }: NodeInput): ContainerImage[] {
  return [...images]
    .sort((a, b) => b.size - a.size)
    .slice(0, imagesMax)
    .map(({ repoDigests, repoTags, size }) => ({
      names: [...repoDigests, ...repoTags].slice(0, imageNamesMax),
      sizeBytes: size,
    }));
}

export function planNodeStatus(input: NodeInput): NodeStatus {
  const { name, addresses, port, version, machine, runtime } = input;
  const images = imageList(input);
  return {
    capacity: nodeCapacity(input),
    allocatable: nodeAllocatable(input),
    conditions: conditions(input),
    addresses: [
      ...addresses.map((address) => ({ type: "InternalIP", address })),
      { type: "Hostname", address: name },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
    nodeInfo: {
      machineID: machine.machineId,
      systemUUID: machine.systemUuid,
      bootID: machine.bootId,
      kernelVersion: machine.kernelVersion,
      osImage: machine.osImage,
      containerRuntimeVersion: `${runtime.name}://${runtime.version}`,
      kubeletVersion: version,
      kubeProxyVersion: "",
      operatingSystem: "linux",
      architecture: machine.architecture,
    },
    // An empty list is none in what is stored, and would look like a change each time.
    ...(images.length === 0 ? {} : { images }),
  };
}

const withoutHeartbeat = (list: DeepReadonly<NodeCondition[]> | undefined): object[] =>
  (list ?? []).map(({ lastHeartbeatTime: _, ...rest }) => rest);

/** Whether the difference is worth a write before the next report is due. Free memory and disk are no difference. */
export function nodeStatusChanged(old: DeepReadonly<NodeStatus>, next: NodeStatus): boolean {
  const fields = ["capacity", "allocatable", "addresses", "daemonEndpoints", "nodeInfo", "images"] as const;
  if (fields.some((field) => !sameJson(old[field], next[field]))) return true;
  const types = new Set((next.conditions ?? []).map(({ type }) => type));
  const mine = (old.conditions ?? []).filter(({ type }) => types.has(type));
  return !sameJson(withoutHeartbeat(mine), withoutHeartbeat(next.conditions));
}

/** The reason by which an event tells that a condition has changed. */
export function nodeConditionEvent({ type, status }: NodeCondition): string | undefined {
  const bad = status === "True";
  switch (type) {
    case "Ready":
      return status === "True" ? "NodeReady" : "NodeNotReady";
    case "MemoryPressure":
      return bad ? "NodeHasInsufficientMemory" : "NodeHasSufficientMemory";
    case "DiskPressure":
      return bad ? "NodeHasDiskPressure" : "NodeHasNoDiskPressure";
    case "PIDPressure":
      return bad ? "NodeHasInsufficientPID" : "NodeHasSufficientPID";
    default:
      return undefined;
  }
}

/** The labels that a kubelet gives its own node. */
export function nodeLabels(name: string, architecture: string): Record<string, string> {
  return {
    "beta.kubernetes.io/arch": architecture,
    "beta.kubernetes.io/os": "linux",
    "kubernetes.io/arch": architecture,
    "kubernetes.io/hostname": name,
    "kubernetes.io/os": "linux",
  };
}

export function newNode(name: string, labels: Readonly<Record<string, string>>, status: NodeStatus): Node {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: { ...labels },
      annotations: { "volumes.kubernetes.io/controller-managed-attach-detach": "true" },
    },
    status,
  };
}
