// Topology spread constraints of a pod, and the counts that they compare: worked out once per pod.

import type { TopologySpreadConstraint } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { matches, selectorFromObject, type Selector } from "#machinery/selectors.ts";
import { isTolerated } from "#resources/core/pod/tolerations.ts";
import { nodeMatches } from "./node-matching.ts";
import type { PodInfo } from "./pod-info.ts";
import type { NodeInfo, Snapshot } from "./snapshot.ts";

export interface Constraint {
  readonly topologyKey: string;
  readonly maxSkew: number;
  readonly minDomains: number;
  readonly selector: Selector | undefined;
  readonly honorsAffinity: boolean;
  readonly honorsTaints: boolean;
}

/** A constraint with how many matching pods each domain (value of the topology key) has. */
export interface Spread {
  readonly constraint: Constraint;
  readonly perDomain: ReadonlyMap<string, number>;
  /** The count of the emptiest eligible domain. */
  readonly least: number;
  /** 1 when the pod itself matches the selector. */
  readonly self: number;
}

function constraintOf(one: DeepReadonly<TopologySpreadConstraint>, info: PodInfo): Constraint {
  const selector = selectorFromObject(one.labelSelector);
  const extra = (one.matchLabelKeys ?? [])
    .filter((key) => info.labels?.[key] !== undefined)
    .map((key) => ({ key, operator: "In" as const, values: [info.labels?.[key] as string] }));
  return {
    topologyKey: one.topologyKey,
    maxSkew: one.maxSkew,
    minDomains: one.minDomains ?? 1,
    selector: selector === undefined ? undefined : [...selector, ...extra],
    honorsAffinity: one.nodeAffinityPolicy !== "Ignore",
    honorsTaints: one.nodeTaintsPolicy === "Honor",
  };
}

export function constraintsOf(
  info: PodInfo,
  whenUnsatisfiable: "DoNotSchedule" | "ScheduleAnyway",
): Constraint[] {
  return (info.pod.spec?.topologySpreadConstraints ?? [])
    .filter((one) => one.whenUnsatisfiable === whenUnsatisfiable)
    .map((one) => constraintOf(one, info));
}

function isEligible(constraint: Constraint, info: PodInfo, node: NodeInfo): boolean {
  if (constraint.honorsAffinity && !nodeMatches(info, node)) return false;
  if (!constraint.honorsTaints) return true;
  return node.taints.every(
    (taint) => taint.effect === "PreferNoSchedule" || isTolerated(taint, info.tolerations),
  );
}

/** Counts for several constraints together: only nodes that have all of their keys take part. */
export function spreadsOf(constraints: readonly Constraint[], info: PodInfo, snapshot: Snapshot): Spread[] {
  const nodes = snapshot.nodes.filter((node) =>
    constraints.every(({ topologyKey }) => node.labels?.[topologyKey] !== undefined),
  );
  return constraints.map((constraint) => {
    const counts = snapshot.countPods([info.namespace], constraint.selector);
    const perDomain = new Map<string, number>();
    for (const node of nodes) {
      if (!isEligible(constraint, info, node)) continue;
      const domain = node.labels?.[constraint.topologyKey] as string;
      perDomain.set(domain, (perDomain.get(domain) ?? 0) + (counts.get(node.name) ?? 0));
    }
    const least = perDomain.size < constraint.minDomains ? 0 : Math.min(...perDomain.values(), Infinity);
    const self = constraint.selector !== undefined && matches(constraint.selector, info.labels) ? 1 : 0;
    return { constraint, perDomain, least: least === Infinity ? 0 : least, self };
  });
}
