// Required affinity and anti-affinity between pods, from counts per topology domain.

import { matches } from "#machinery/selectors.ts";
import type { PodInfo, PodTerm } from "./pod-info.ts";
import type { NodeInfo, Snapshot } from "./snapshot.ts";

/** Topology key and value of a domain. */
const domainId = (key: string, value: string): string => `${key}\n${value}`;

export interface Neighbours {
  /** Per affinity term: the domains where a matching pod is. */
  readonly wanted: readonly { readonly term: PodTerm; readonly domains: ReadonlySet<string> }[];
  /** No pod matches any affinity term yet, and the pod matches its own: it may be the first. */
  readonly mayBeFirst: boolean;
  /** Per anti-affinity term: the domains where a matching pod is. */
  readonly avoided: readonly { readonly term: PodTerm; readonly domains: ReadonlySet<string> }[];
  /** Domains where a pod is that refuses this one. */
  readonly refused: ReadonlySet<string>;
  /** The topology keys of `refused`. */
  readonly refusedKeys: readonly string[];
}

function domainsOf(perNode: ReadonlyMap<string, number>, key: string, snapshot: Snapshot): Set<string> {
  const domains = new Set<string>();
  for (const name of perNode.keys()) {
    const value = snapshot.node(name)?.labels?.[key];
    if (value !== undefined) domains.add(domainId(key, value));
  }
  return domains;
}

const termMatchesPod = (term: PodTerm, namespace: string, labels: PodInfo["labels"]): boolean =>
  term.namespaces.includes(namespace) && term.selector !== undefined && matches(term.selector, labels);

/** Undefined when neither the pod nor anyone it could meet has such terms. */
export function prepareNeighbours(info: PodInfo, snapshot: Snapshot): Neighbours | undefined {
  const { affinity, antiAffinity } = info;
  if (affinity.length === 0 && antiAffinity.length === 0 && snapshot.refusing.size === 0) return undefined;
  const locate = (term: PodTerm): { term: PodTerm; domains: Set<string> } => ({
    term,
    domains: domainsOf(snapshot.countPods(term.namespaces, term.selector), term.topologyKey, snapshot),
  });
  const wanted = affinity.map(locate);
  const refused = new Set<string>();
  const refusedKeys = new Set<string>();
  for (const group of snapshot.refusing) {
    for (const term of group.antiAffinity) {
      if (!termMatchesPod(term, info.namespace, info.labels)) continue;
      refusedKeys.add(term.topologyKey);
      for (const domain of domainsOf(group.perNode, term.topologyKey, snapshot)) refused.add(domain);
    }
  }
  return {
    wanted,
    mayBeFirst:
      wanted.every(({ domains }) => domains.size === 0) &&
      affinity.every((term) => termMatchesPod(term, info.namespace, info.labels)),
    avoided: antiAffinity.map(locate),
    refused,
    refusedKeys: [...refusedKeys],
  };
}

export function refusalByNeighbours(
  neighbours: Neighbours,
  node: NodeInfo,
): { reasons: string[]; resolvable: boolean } | undefined {
  const at = (key: string): string | undefined => {
    const value = node.labels?.[key];
    return value === undefined ? undefined : domainId(key, value);
  };
  for (const { term, domains } of neighbours.wanted) {
    const domain = at(term.topologyKey);
    const isSatisfied = domain !== undefined && (domains.has(domain) || neighbours.mayBeFirst);
    if (!isSatisfied) return { reasons: ["node(s) didn't match pod affinity rules"], resolvable: false };
  }
  for (const { term, domains } of neighbours.avoided)
    if (domains.has(at(term.topologyKey) ?? ""))
      return { reasons: ["node(s) didn't match pod anti-affinity rules"], resolvable: true };
  for (const key of neighbours.refusedKeys)
    if (neighbours.refused.has(at(key) ?? ""))
      return { reasons: ["node(s) didn't satisfy existing pods anti-affinity rules"], resolvable: true };
  return undefined;
}
