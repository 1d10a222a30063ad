// On which nodes a DaemonSet runs, and what its pod for a node looks like. Pure.

import type { DaemonSet } from "#machinery/gen/types/apps-v1.ts";
import type { Node, Toleration } from "#machinery/gen/types/core-v1.ts";
import { DaemonSets } from "#client/refs.ts";
import type { DeepReadonly, KubeObject } from "#machinery/meta.ts";
import { matches, selectorFromMap } from "#machinery/selectors.ts";
import { nodeTerms, termMatches } from "#resources/core/pod/node-affinity.ts";
import { isTolerated } from "#resources/core/pod/tolerations.ts";
import { podFromTemplate } from "../pod-from-template.ts";
import type { ReadPod } from "../pod-state.ts";
import { podRevisionLabel, revisionHashLabel, type ReadRevision } from "../revisions.ts";

export type ReadDaemonSet = DeepReadonly<DaemonSet>;
export type ReadNode = DeepReadonly<Node>;

const templateGeneration = "deprecated.daemonset.template.generation";
const nameField = "metadata.name";

const exists = (name: string, effect: string): Toleration => ({
  key: `node.kubernetes.io/${name}`,
  operator: "Exists",
  effect,
});

/** What its pods stand that others do not: they belong to the node. */
const ownTolerations: readonly Toleration[] = [
  exists("not-ready", "NoExecute"),
  exists("unreachable", "NoExecute"),
  exists("disk-pressure", "NoSchedule"),
  exists("memory-pressure", "NoSchedule"),
  exists("pid-pressure", "NoSchedule"),
  exists("unschedulable", "NoSchedule"),
];

export function tolerationsOf({ spec }: ReadDaemonSet): readonly DeepReadonly<Toleration>[] {
  const template = spec?.template?.spec;
  const given = template?.tolerations ?? [];
  const own =
    template?.hostNetwork === true
      ? [...ownTolerations, exists("network-unavailable", "NoSchedule")]
      : ownTolerations;
  const isGiven = ({ key, effect }: Toleration): boolean =>
    given.some((one) => one.key === key && one.effect === effect && one.operator === "Exists");
  return [...given, ...own.filter((one) => !isGiven(one))];
}

export interface Verdict {
  /** A pod is to be made here. */
  readonly shouldRun: boolean;
  /** One that is here may stay. */
  readonly mayStay: boolean;
}

/** A judge of nodes for one DaemonSet: what can be worked out once, is. */
export function placementOf(set: ReadDaemonSet): (node: ReadNode) => Verdict {
  const template = set.spec?.template?.spec;
  const selector = selectorFromMap(template?.nodeSelector);
  const required = template?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const terms = required === undefined ? undefined : nodeTerms(required.nodeSelectorTerms);
  const tolerations = tolerationsOf(set);
  return (node) => {
    const { name = "", labels } = node.metadata ?? {};
    const isMeant =
      (template?.nodeName ?? name) === name &&
      matches(selector, labels) &&
      (terms === undefined || terms.some((term) => termMatches(term, { name, labels })));
    if (!isMeant) return { shouldRun: false, mayStay: false };
    const untolerated = (node.spec?.taints ?? []).filter(
      (taint) => taint.effect !== "PreferNoSchedule" && !isTolerated(taint, tolerations),
    );
    return {
      shouldRun: untolerated.length === 0,
      mayStay: !untolerated.some(({ effect }) => effect === "NoExecute"),
    };
  };
}

/** The node that a pod is on, or is meant for. */
export function targetOf({ spec }: ReadPod): string | undefined {
  if ((spec?.nodeName ?? "") !== "") return spec?.nodeName;
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  for (const { matchFields = [] } of required?.nodeSelectorTerms ?? [])
    for (const { key, operator, values = [] } of matchFields)
      if (key === nameField && operator === "In" && values.length === 1) return values[0];
  return undefined;
}

export const hashOf = ({ metadata }: ReadRevision): string => metadata?.labels?.[revisionHashLabel] ?? "";

export const templateGenerationOf = ({ metadata }: ReadDaemonSet): string =>
  metadata?.annotations?.[templateGeneration] ?? "1";

/** Of today's template: by its hash, or, for pods from before there were hashes, by its number. */
export function isUpdated(set: ReadDaemonSet, pod: ReadPod, revision: ReadRevision): boolean {
  const labels = pod.metadata?.labels ?? {};
  const hash = labels[podRevisionLabel] ?? "";
  return hash === ""
    ? labels["pod-template-generation"] === templateGenerationOf(set)
    : hash === hashOf(revision);
}

/** Whatever else its template asks of nodes was asked before: the scheduler is told the node by its name. */
export function podFor(set: ReadDaemonSet, node: string, revision: ReadRevision): DeepReadonly<KubeObject> {
  const pod = podFromTemplate(set.spec?.template, DaemonSets, set, {
    generateName: `${set.metadata?.name ?? ""}-`,
  });
  const template = set.spec?.template?.spec;
  const nodeAffinity = {
    ...template?.affinity?.nodeAffinity,
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchFields: [{ key: nameField, operator: "In", values: [node] }] }],
    },
  };
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      labels: {
        ...pod.metadata?.labels,
        [podRevisionLabel]: hashOf(revision),
        "pod-template-generation": templateGenerationOf(set),
      },
    },
    spec: {
      ...template,
      affinity: { ...template?.affinity, nodeAffinity },
      tolerations: tolerationsOf(set),
    },
  } as DeepReadonly<KubeObject>;
}
