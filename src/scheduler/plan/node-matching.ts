// Does a node carry the labels (and the name) that a pod asks for?

import { matches, type Selector } from "#machinery/selectors.ts";
import { termMatches } from "#resources/core/pod/node-affinity.ts";
import type { NodeDemand } from "./pod-info.ts";
import type { NodeInfo } from "./snapshot.ts";

/** Node selector and required node affinity together. */
export function nodeMatches({ nodeSelector, requiredNodes }: NodeDemand, node: NodeInfo): boolean {
  if (!matches(nodeSelector, node.labels)) return false;
  return requiredNodes === undefined || requiredNodes.some((term) => termMatches(term, node));
}

const namesIn = (fields: Selector): readonly string[] | undefined =>
  fields.find(({ key, operator }) => key === "metadata.name" && operator === "In")?.values;

/** The only nodes that a demand can mean, if it says so by name: as the pods of DaemonSets do. */
export function namedNodes({ requiredNodes }: NodeDemand): ReadonlySet<string> | undefined {
  if (requiredNodes === undefined || requiredNodes.length === 0) return undefined;
  const names = new Set<string>();
  for (const { fields } of requiredNodes) {
    const named = namesIn(fields);
    if (named === undefined) return undefined;
    for (const name of named) names.add(name);
  }
  return names;
}
