// Does a node carry the labels (and the name) that a pod asks for?

import { matches } from "#machinery/selectors.ts";
import type { NodeTerm, PodInfo } from "./pod-info.ts";
import type { NodeInfo } from "./snapshot.ts";

export function termMatches(term: NodeTerm, node: NodeInfo): boolean {
  return matches(term.labels, node.labels) && matches(term.fields, { "metadata.name": node.name });
}

/** Node selector and required node affinity together. */
export function nodeMatches(info: PodInfo, node: NodeInfo): boolean {
  if (!matches(info.nodeSelector, node.labels)) return false;
  return info.requiredNodes === undefined || info.requiredNodes.some((term) => termMatches(term, node));
}
