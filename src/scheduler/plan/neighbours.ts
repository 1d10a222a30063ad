// Required affinity and anti-affinity between pods, by the counts of topology domains.

import { matches } from "#machinery/selectors.ts";
import type { Held } from "./holders.ts";
import type { PodInfo, PodTerm } from "./pod-info.ts";
import { resolvable, unresolvable } from "./refusal.ts";
import type { Refusal } from "./refusal.ts";
import type { NodeInfo, Snapshot } from "./snapshot.ts";
import type { Tally } from "./tally.ts";

export interface Neighbours {
  /** Per affinity term, where matching pods are. */
  readonly wanted: readonly Tally[];
  /** No pod matches any affinity term yet, and the pod matches its own: it may be the first. */
  readonly mayBeFirst: boolean;
  /** Per anti-affinity term, where matching pods are. */
  readonly avoided: readonly Tally[];
  /** Terms of placed pods that refuse this one. */
  readonly refusing: readonly Held[];
}

/** Where the pods that a term means are. */
export function tallyOf(term: PodTerm, snapshot: Snapshot): Tally {
  const { namespaces, namespaceSelector, selector, topologyKey } = term;
  return snapshot.tally({
    id: `term ${term.id}`,
    topologyKey,
    selector,
    inNamespace: (namespace) => snapshot.isAmong(namespace, namespaces, namespaceSelector),
    dependsOnNamespaces: namespaceSelector !== undefined,
    countsTerminating: true,
    counts: () => true,
  });
}

const meansItself = (term: PodTerm, { namespace, shape }: PodInfo, snapshot: Snapshot): boolean =>
  term.selector !== undefined &&
  snapshot.isAmong(namespace, term.namespaces, term.namespaceSelector) &&
  matches(term.selector, shape.labels);

/** Undefined when neither the pod nor anyone it could meet has such terms. */
export function prepareNeighbours(info: PodInfo, snapshot: Snapshot): Neighbours | undefined {
  const { affinity, antiAffinity, labels } = info.shape;
  const { holders } = snapshot;
  if (affinity.length === 0 && antiAffinity.length === 0 && !holders.hasRefusing) return undefined;
  const wanted = affinity.map((term) => tallyOf(term, snapshot));
  const refusing = holders.hasRefusing
    ? holders
        .meaning(info.namespace, labels, snapshot.namespaceLabels(info.namespace))
        .filter(({ kind }) => kind === "refused")
    : [];
  if (wanted.length === 0 && antiAffinity.length === 0 && refusing.length === 0) return undefined;
  return {
    wanted,
    mayBeFirst:
      wanted.every(({ total }) => total === 0) && affinity.every((term) => meansItself(term, info, snapshot)),
    avoided: antiAffinity.map((term) => tallyOf(term, snapshot)),
    refusing,
  };
}

const lacksWanted = unresolvable("InterPodAffinity", "node(s) didn't match pod affinity rules");
const hasAvoided = resolvable("InterPodAffinity", "node(s) didn't match pod anti-affinity rules");
const isRefused = resolvable("InterPodAffinity", "node(s) didn't satisfy existing pods anti-affinity rules");

export function refusalByNeighbours(
  { wanted, mayBeFirst, avoided, refusing }: Neighbours,
  { labels }: NodeInfo,
): Refusal | undefined {
  for (const tally of wanted) {
    const domain = labels?.[tally.spec.topologyKey];
    if (domain === undefined || (!mayBeFirst && (tally.at(domain) ?? 0) === 0)) return lacksWanted;
  }
  for (const tally of avoided) {
    const domain = labels?.[tally.spec.topologyKey];
    if (domain !== undefined && (tally.at(domain) ?? 0) > 0) return hasAvoided;
  }
  for (const { term, perDomain } of refusing) {
    const domain = labels?.[term.topologyKey];
    if (domain !== undefined && perDomain.has(domain)) return isRefused;
  }
  return undefined;
}
