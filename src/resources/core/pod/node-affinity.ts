// Node selector terms: what they ask of a node's labels and name. Shared by the scheduler, DaemonSets and volumes.

import type { NodeSelectorRequirement, NodeSelectorTerm } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { matches, type Labels, type Selector } from "#machinery/selectors.ts";

/** One term: its requirements on labels and on the node's name; both must hold. */
export interface NodeTerm {
  readonly labels: Selector;
  readonly fields: Selector;
}

const operators: Readonly<Record<string, Selector[number]["operator"]>> = {
  In: "In",
  NotIn: "NotIn",
  Exists: "Exists",
  DoesNotExist: "DoesNotExist",
  Gt: "GreaterThan",
  Lt: "LessThan",
};

function requirements(list: readonly DeepReadonly<NodeSelectorRequirement>[] | undefined): Selector {
  return (list ?? []).flatMap(({ key, operator, values = [] }) => {
    const known = operators[operator];
    return known === undefined ? [] : [{ key, operator: known, values }];
  });
}

/** A term without requirements matches nothing, so it is left out. */
export function nodeTerms(terms: readonly DeepReadonly<NodeSelectorTerm>[]): NodeTerm[] {
  return terms
    .map((term) => ({ labels: requirements(term.matchExpressions), fields: requirements(term.matchFields) }))
    .filter(({ labels, fields }) => labels.length + fields.length > 0);
}

export function termMatches(
  term: NodeTerm,
  node: { readonly name: string; readonly labels: Labels },
): boolean {
  return (
    matches(term.labels, node.labels) &&
    (term.fields.length === 0 || matches(term.fields, { "metadata.name": node.name }))
  );
}
