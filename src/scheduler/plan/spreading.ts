// Topology spread constraints of a pod, and the counts that they compare.

import { matches, type Selector } from "#machinery/selectors.ts";
import { toleratesTaints } from "./node-class.ts";
import { nodeMatches } from "./node-matching.ts";
import type { Constraint, PodInfo } from "./pod-info.ts";
import { resolvable, unresolvable, type Refusal } from "./refusal.ts";
import type { NodeInfo, Snapshot } from "./snapshot.ts";
import type { Tally, TallySpec } from "./tally.ts";

/** A constraint with how many matching pods each domain (value of the topology key) has. */
export interface Spread {
  readonly constraint: Constraint;
  readonly tally: Tally;
  /** The count of the emptiest eligible domain. */
  readonly least: number;
  /** 1 when the pod itself matches the selector. */
  readonly self: number;
}

/** A constraint of every pod that names none; what it selects is the pod's workload. */
export type DefaultConstraint = Omit<Constraint, "selector">;

const preference = { minDomains: 1, honorsAffinity: true, honorsTaints: false, isHard: false };
/** What counts unless the profile says otherwise: hosts to a skew of 3, zones to a skew of 5. */
export const systemConstraints: readonly DefaultConstraint[] = [
  { topologyKey: "kubernetes.io/hostname", maxSkew: 3, ...preference },
  { topologyKey: "topology.kubernetes.io/zone", maxSkew: 5, ...preference },
];

const none: readonly Constraint[] = [];

/** The pod's own constraints that must hold (or that only score), or those that everybody has who names none. */
export function constraintsOf(
  { shape }: PodInfo,
  isHard: boolean,
  { defaultConstraints }: { readonly defaultConstraints: readonly DefaultConstraint[] },
  workload: Selector | undefined,
): readonly Constraint[] {
  if (shape.spread.length > 0) return shape.spread.filter((one) => one.isHard === isHard);
  if (workload === undefined || workload.length === 0) return none;
  const applying = defaultConstraints.filter((one) => one.isHard === isHard);
  return applying.length === 0 ? none : applying.map((one) => ({ ...one, selector: workload }));
}

/** Pods that a constraint means, on the nodes that count for it: those with all `keys`. */
export function spreadTally(
  constraint: Constraint,
  keys: readonly string[],
  info: PodInfo,
  snapshot: Snapshot,
): Tally {
  const { topologyKey, selector, honorsAffinity, honorsTaints } = constraint;
  const { namespace, shape } = info;
  const { demand } = shape;
  const affinityCounts =
    honorsAffinity && (demand.nodeSelector.length > 0 || demand.requiredNodes !== undefined);
  const nodes = affinityCounts || honorsTaints ? demand.id : "";
  const spec: TallySpec = {
    id: `spread ${JSON.stringify([namespace, topologyKey, selector, keys, affinityCounts, honorsTaints])}${nodes}`,
    topologyKey,
    selector,
    inNamespace: (one) => one === namespace,
    dependsOnNamespaces: false,
    countsTerminating: false,
    counts: (node: NodeInfo) =>
      node.exists &&
      keys.every((key) => node.labels?.[key] !== undefined) &&
      (!affinityCounts || nodeMatches(demand, node)) &&
      (!honorsTaints || toleratesTaints(demand, node)),
  };
  return snapshot.tally(spec);
}

/** Of the constraints that must hold: only nodes that have all of their keys take part. */
export function prepareSpreads(info: PodInfo, hard: readonly Constraint[], snapshot: Snapshot): Spread[] {
  if (hard.length === 0) return [];
  const keys = hard.map(({ topologyKey }) => topologyKey).sort();
  return hard.map((constraint) => {
    const tally = spreadTally(constraint, keys, info, snapshot);
    const { selector, minDomains } = constraint;
    return {
      constraint,
      tally,
      least: tally.domains < minDomains ? 0 : tally.least,
      self: selector !== undefined && matches(selector, info.shape.labels) ? 1 : 0,
    };
  });
}

const text = "node(s) didn't match pod topology spread constraints";
const lacksLabel = unresolvable("PodTopologySpread", `${text} (missing required label)`);
const isSkewed = resolvable("PodTopologySpread", text);

export function refusalBySpread(spreads: readonly Spread[], { labels }: NodeInfo): Refusal | undefined {
  for (const { constraint, tally, least, self } of spreads) {
    const domain = labels?.[constraint.topologyKey];
    if (domain === undefined) return lacksLabel;
    if ((tally.at(domain) ?? 0) + self - least > constraint.maxSkew) return isSkewed;
  }
  return undefined;
}
