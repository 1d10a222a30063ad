// A pod as scheduling sees it. What pods of one workload have in common (all but name, uid and times) is its shape,
// worked out once and shared; 150,000 pods are 150,000 small records and a few shapes.

import type {
  Affinity,
  Pod,
  PodAffinityTerm,
  PodSpec,
  Taint,
  Toleration,
  TopologySpreadConstraint,
} from "#machinery/gen/types/core-v1.ts";
import { controllerOf, type DeepReadonly } from "#machinery/meta.ts";
import { selectorFromMap, selectorFromObject, type Labels, type Selector } from "#machinery/selectors.ts";
import { nodeTerms, type NodeTerm } from "#resources/core/pod/node-affinity.ts";
import { amountsOf, podRequests, type Amounts } from "#resources/core/pod/requests.ts";
import { roomOf, type Room } from "./room.ts";

export type ReadPod = DeepReadonly<Pod>;
export type ReadTaint = DeepReadonly<Taint>;
type ReadSpec = DeepReadonly<PodSpec>;

/** Which other pods, and how near. */
export interface PodTerm {
  /** The same text for the same term, whoever has it. */
  readonly id: string;
  readonly topologyKey: string;
  /** Undefined matches nothing. */
  readonly selector: Selector | undefined;
  readonly namespaces: readonly string[];
  /** Further namespaces, by their labels. */
  readonly namespaceSelector: Selector | undefined;
}

export interface WeightedTerm {
  readonly weight: number;
  readonly term: PodTerm;
}

/** One of `topologySpreadConstraints`. */
export interface Constraint {
  readonly topologyKey: string;
  readonly maxSkew: number;
  readonly minDomains: number;
  readonly selector: Selector | undefined;
  readonly honorsAffinity: boolean;
  readonly honorsTaints: boolean;
  readonly isHard: boolean;
}

export interface HostPort {
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

/** What decides which nodes could ever take a pod, however full they are. */
export interface NodeDemand {
  readonly id: string;
  readonly nodeSelector: Selector;
  /** Undefined: no required node affinity. Empty: matches no node. */
  readonly requiredNodes: readonly NodeTerm[] | undefined;
  readonly tolerations: readonly DeepReadonly<Toleration>[];
}

export interface PodShape {
  readonly namespace: string;
  readonly labels: Labels;
  /** The same text for the same labels. */
  readonly labelsId: string;
  readonly requests: Room;
  /** As requests, but a container that asks for nothing counts for a little, so that such pods spread too. */
  readonly weights: { readonly cpu: number; readonly memory: number };
  readonly isBestEffort: boolean;
  readonly ports: readonly HostPort[];
  readonly demand: NodeDemand;
  readonly preferredNodes: readonly { readonly weight: number; readonly term: NodeTerm }[];
  readonly affinity: readonly PodTerm[];
  readonly antiAffinity: readonly PodTerm[];
  readonly preferredAffinity: readonly WeightedTerm[];
  readonly preferredAntiAffinity: readonly WeightedTerm[];
  readonly spread: readonly Constraint[];
  /** Of its containers, with tags. */
  readonly images: readonly string[];
}

export interface PodInfo {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly shape: PodShape;
  readonly priority: number;
  readonly preempts: boolean;
  /** On its way out. */
  readonly terminating: boolean;
  /** On its way out because a pod of higher priority needs the room. */
  readonly preempted: boolean;
  /** Milliseconds; of pods that have not started, when they were created. */
  readonly startedMs: number;
  /** `kind/name` of its controller. */
  readonly controller: string | undefined;
  readonly nominatedNode: string;
  readonly schedulerName: string;
}

const defaultMilliCpu = 100;
const defaultMemory = 200 * 1024 * 1024;
/** Shapes that are remembered; beyond that, the oldest are worked out again. */
const shapesMax = 16_384;

/** `matchLabelKeys` and `mismatchLabelKeys`: the pod's own values join the selector. */
function withOwnLabels(
  selector: Selector | undefined,
  labels: Labels,
  same: readonly string[] = [],
  other: readonly string[] = [],
): Selector | undefined {
  const own = (operator: "In" | "NotIn") => (key: string) =>
    labels?.[key] === undefined ? [] : [{ key, operator, values: [labels[key]] }];
  return selector && [...selector, ...same.flatMap(own("In")), ...other.flatMap(own("NotIn"))];
}

function podTerm(term: DeepReadonly<PodAffinityTerm>, namespace: string, labels: Labels): PodTerm {
  const { topologyKey, namespaces = [], namespaceSelector } = term;
  const selector = withOwnLabels(
    selectorFromObject(term.labelSelector),
    labels,
    term.matchLabelKeys,
    term.mismatchLabelKeys,
  );
  const isOwn = namespaces.length === 0 && namespaceSelector === undefined;
  const parts = {
    topologyKey,
    selector,
    namespaces: isOwn ? [namespace] : namespaces,
    namespaceSelector: selectorFromObject(namespaceSelector),
  };
  return { id: JSON.stringify(parts), ...parts };
}

function hostPorts({ containers, initContainers = [] }: ReadSpec): HostPort[] {
  const sidecars = initContainers.filter(({ restartPolicy }) => restartPolicy === "Always");
  return [...sidecars, ...containers].flatMap(({ ports = [] }) =>
    ports
      .filter(({ hostPort = 0 }) => hostPort > 0)
      .map(({ hostPort = 0, hostIP = "", protocol = "TCP" }) => ({
        ip: hostIP === "" ? "0.0.0.0" : hostIP,
        protocol,
        port: hostPort,
      })),
  );
}

function constraintOf(one: DeepReadonly<TopologySpreadConstraint>, labels: Labels): Constraint {
  return {
    topologyKey: one.topologyKey,
    maxSkew: one.maxSkew,
    minDomains: one.minDomains ?? 1,
    selector: withOwnLabels(selectorFromObject(one.labelSelector), labels, one.matchLabelKeys),
    honorsAffinity: one.nodeAffinityPolicy !== "Ignore",
    honorsTaints: one.nodeTaintsPolicy === "Honor",
    isHard: one.whenUnsatisfiable === "DoNotSchedule",
  };
}

/** How an image name reads on a node: with a tag. */
function withTag(image: string): string {
  return image.lastIndexOf(":") <= image.lastIndexOf("/") ? `${image}:latest` : image;
}

/** CPU and memory of a pod in which every container asks for something. */
function weightsOf(spec: ReadSpec): { cpu: number; memory: number } {
  const { cpu = 0, memory = 0 } = podRequests(spec, ({ resources }) => {
    const given = amountsOf(resources?.requests);
    return { cpu: given["cpu"] ?? defaultMilliCpu, memory: given["memory"] ?? defaultMemory };
  });
  return { cpu, memory };
}

function shapeOf(pod: ReadPod, labelsId: string): PodShape {
  const spec = pod.spec ?? { containers: [] };
  const { namespace = "", labels } = pod.metadata ?? {};
  const { nodeAffinity, podAffinity, podAntiAffinity }: DeepReadonly<Affinity> = spec.affinity ?? {};
  const required = nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const preferred = nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const terms = (list: readonly DeepReadonly<PodAffinityTerm>[] = []): PodTerm[] =>
    list.map((term) => podTerm(term, namespace, labels));
  const weighted = (
    list: readonly {
      readonly weight: number;
      readonly podAffinityTerm: DeepReadonly<PodAffinityTerm>;
    }[] = [],
  ): WeightedTerm[] =>
    list.map(({ weight, podAffinityTerm }) => ({
      weight,
      term: podTerm(podAffinityTerm, namespace, labels),
    }));
  const demand = {
    nodeSelector: selectorFromMap(spec.nodeSelector),
    requiredNodes: required === undefined ? undefined : nodeTerms(required.nodeSelectorTerms),
    tolerations: spec.tolerations ?? [],
  };
  const amounts: Amounts = podRequests(spec);
  return {
    namespace,
    labels,
    labelsId,
    requests: roomOf(amounts),
    weights: weightsOf(spec),
    isBestEffort: Object.keys(amounts).length === 0,
    ports: hostPorts(spec),
    demand: { id: JSON.stringify(demand), ...demand },
    preferredNodes: preferred.flatMap(({ weight, preference }) =>
      nodeTerms([preference]).map((term) => ({ weight, term })),
    ),
    affinity: terms(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    antiAffinity: terms(podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    preferredAffinity: weighted(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
    preferredAntiAffinity: weighted(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
    spread: (spec.topologySpreadConstraints ?? []).map((one) => constraintOf(one, labels)),
    images: [...(spec.initContainers ?? []), ...spec.containers].map(({ image = "" }) => withTag(image)),
  };
}

const shapes = new Map<string, PodShape>();

function sharedShape(pod: ReadPod): PodShape {
  const { namespace = "", labels = {} } = pod.metadata ?? {};
  const spec = pod.spec ?? { containers: [] };
  const { nodeSelector, affinity, tolerations, topologySpreadConstraints, overhead, resources } = spec;
  const labelsId = JSON.stringify([namespace, Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))]);
  const containers = [spec.containers, spec.initContainers ?? []].map((list) =>
    list.map((one) => [one.image, one.resources, one.ports, one.restartPolicy]),
  );
  const id =
    labelsId +
    JSON.stringify([
      containers,
      nodeSelector,
      affinity,
      tolerations,
      topologySpreadConstraints,
      overhead,
      resources,
    ]);
  const known = shapes.get(id);
  if (known !== undefined) return known;
  const [oldest] = shapes.keys();
  if (shapes.size >= shapesMax && oldest !== undefined) shapes.delete(oldest);
  const shape = shapeOf(pod, labelsId);
  shapes.set(id, shape);
  return shape;
}

export const keyOf = ({ namespace, name }: PodInfo): string => `${namespace}/${name}`;

export function podInfo(pod: ReadPod): PodInfo {
  const { name = "", namespace = "", uid = "", deletionTimestamp, creationTimestamp } = pod.metadata ?? {};
  const owner = controllerOf(pod);
  const { priority = 0, preemptionPolicy, schedulerName = "default-scheduler" } = pod.spec ?? {};
  return {
    uid,
    name,
    namespace,
    shape: sharedShape(pod),
    priority,
    preempts: preemptionPolicy !== "Never",
    terminating: deletionTimestamp !== undefined,
    preempted:
      deletionTimestamp !== undefined &&
      (pod.status?.conditions ?? []).some(
        ({ type, status, reason }) =>
          type === "DisruptionTarget" && status === "True" && reason === "PreemptionByScheduler",
      ),
    startedMs: Date.parse(pod.status?.startTime ?? creationTimestamp ?? "") || 0,
    controller: owner && `${owner.kind}/${owner.name}`,
    nominatedNode: pod.status?.nominatedNodeName ?? "",
    schedulerName,
  };
}
