// A pod as scheduling sees it, worked out once: amounts, ports, selectors. Immutable.

import type {
  Affinity,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  Pod,
  PodAffinityTerm,
  Taint,
  Toleration,
} from "#machinery/gen/types/core-v1.ts";
import { objectKey, type DeepReadonly } from "#machinery/meta.ts";
import { selectorFromMap, selectorFromObject, type Labels, type Selector } from "#machinery/selectors.ts";
import { amountsOf, podRequests, type Amounts } from "#resources/core/pod/requests.ts";

export type ReadPod = DeepReadonly<Pod>;

/** One term of a node selector: its requirements on labels and on the node's name; both must hold. */
export interface NodeTerm {
  readonly labels: Selector;
  readonly fields: Selector;
}

export interface PodTerm {
  readonly topologyKey: string;
  /** Undefined matches nothing. */
  readonly selector: Selector | undefined;
  readonly namespaces: readonly string[];
}

export interface HostPort {
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

export interface PodInfo {
  readonly pod: ReadPod;
  readonly key: string;
  readonly uid: string;
  readonly namespace: string;
  readonly labels: Labels;
  readonly priority: number;
  readonly requests: Amounts;
  /** As requests, but a container that asks for nothing counts for a little, so that such pods spread too. */
  readonly weights: { readonly cpu: number; readonly memory: number };
  readonly ports: readonly HostPort[];
  readonly nodeSelector: Selector;
  /** Undefined: no required node affinity. Empty: matches no node. */
  readonly requiredNodes: readonly NodeTerm[] | undefined;
  readonly preferredNodes: readonly { readonly weight: number; readonly term: NodeTerm }[];
  readonly tolerations: readonly DeepReadonly<Toleration>[];
  readonly affinity: readonly PodTerm[];
  readonly antiAffinity: readonly PodTerm[];
  /** Does not count for spreading: it is on its way out. */
  readonly terminating: boolean;
}

const defaultMilliCpu = 100;
const defaultMemory = 200 * 1024 * 1024;

const nodeOperators: Readonly<Record<string, Selector[number]["operator"]>> = {
  In: "In",
  NotIn: "NotIn",
  Exists: "Exists",
  DoesNotExist: "DoesNotExist",
  Gt: "GreaterThan",
  Lt: "LessThan",
};

function requirements(list: readonly DeepReadonly<NodeSelectorRequirement>[] | undefined): Selector {
  return (list ?? []).flatMap(({ key, operator, values = [] }) => {
    const known = nodeOperators[operator];
    return known === undefined ? [] : [{ key, operator: known, values }];
  });
}

/** A term without requirements matches nothing, so it is left out. */
export function nodeTerms(terms: readonly DeepReadonly<NodeSelectorTerm>[]): NodeTerm[] {
  return terms
    .map((term) => ({ labels: requirements(term.matchExpressions), fields: requirements(term.matchFields) }))
    .filter(({ labels, fields }) => labels.length + fields.length > 0);
}

function podTerms(
  terms: readonly DeepReadonly<PodAffinityTerm>[] | undefined,
  namespace: string,
  labels: Labels,
): PodTerm[] {
  return (terms ?? []).map((term) => {
    const selector = selectorFromObject(term.labelSelector);
    const same = (term.matchLabelKeys ?? []).filter((key) => labels?.[key] !== undefined);
    const extra = same.map((key) => ({ key, operator: "In" as const, values: [labels?.[key] as string] }));
    return {
      topologyKey: term.topologyKey,
      selector: selector === undefined ? undefined : [...selector, ...extra],
      namespaces:
        term.namespaces === undefined || term.namespaces.length === 0 ? [namespace] : term.namespaces,
    };
  });
}

function hostPorts(pod: ReadPod): HostPort[] {
  return (pod.spec?.containers ?? []).flatMap(({ ports = [] }) =>
    ports
      .filter(({ hostPort = 0 }) => hostPort > 0)
      .map(({ hostPort = 0, hostIP = "", protocol = "TCP" }) => ({
        ip: hostIP === "" ? "0.0.0.0" : hostIP,
        protocol,
        port: hostPort,
      })),
  );
}

export function podInfo(pod: ReadPod): PodInfo {
  const spec = pod.spec ?? { containers: [] };
  const { namespace = "", uid = "", labels, deletionTimestamp } = pod.metadata ?? {};
  const affinity: DeepReadonly<Affinity> = spec.affinity ?? {};
  const required = affinity.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const preferred = affinity.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const weights = podRequests(spec, ({ resources }) => {
    const { cpu, memory } = amountsOf(resources?.requests);
    return { cpu: cpu ?? defaultMilliCpu, memory: memory ?? defaultMemory };
  });
  return {
    pod,
    key: objectKey(pod),
    uid,
    namespace,
    labels,
    priority: spec.priority ?? 0,
    requests: podRequests(spec),
    weights: { cpu: weights["cpu"] ?? 0, memory: weights["memory"] ?? 0 },
    ports: hostPorts(pod),
    nodeSelector: selectorFromMap(spec.nodeSelector),
    requiredNodes: required === undefined ? undefined : nodeTerms(required.nodeSelectorTerms),
    preferredNodes: preferred.flatMap(({ weight, preference }) =>
      nodeTerms([preference]).map((term) => ({ weight, term })),
    ),
    tolerations: spec.tolerations ?? [],
    affinity: podTerms(
      affinity.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution,
      namespace,
      labels,
    ),
    antiAffinity: podTerms(
      affinity.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution,
      namespace,
      labels,
    ),
    terminating: deletionTimestamp !== undefined,
  };
}

export type ReadTaint = DeepReadonly<Taint>;
