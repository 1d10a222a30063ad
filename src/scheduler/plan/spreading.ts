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

/** The constraints that count when a pod names none: hosts to a skew of 3, zones to a skew of 5. */
export const systemConstraints: readonly Pick<Constraint, "topologyKey" | "maxSkew">[] = [
  { topologyKey: "kubernetes.io/hostname", maxSkew: 3 },
  { topologyKey: "topology.kubernetes.io/zone", maxSkew: 5 },
];

/** As the constraints of a pod that the profile's defaults make. */
export const defaultConstraint = (
  { topologyKey, maxSkew }: Pick<Constraint, "topologyKey" | "maxSkew">,
  selector: Selector,
): Constraint => ({
  topologyKey,
  maxSkew,
  minDomains: 1,
  selector,
  honorsAffinity: true,
  honorsTaints: false,
  isHard: false,
});

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
export function prepareSpreads(info: PodInfo, snapshot: Snapshot): Spread[] {
  const hard = info.shape.spread.filter(({ isHard }) => isHard);
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
