// Why nodes cannot take a pod.

import type { NodeInfo } from "./snapshot.ts";

/** `NodeName` refuses nobody: a pod that names its node is never in the queue. */
export const filterNames = [
  "NodeUnschedulable",
  "NodeName",
  "TaintToleration",
  "NodeAffinity",
  "NodePorts",
  "NodeResourcesFit",
  "PodTopologySpread",
  "InterPodAffinity",
] as const;

/** Who refuses nodes: the filters, and extenders. */
export type FilterName = (typeof filterNames)[number] | "Extender";

export interface Refusal {
  readonly filter: FilterName;
  readonly reasons: readonly string[];
  /** Evicting other pods from the node could help. */
  readonly resolvable: boolean;
}

export const unresolvable = (filter: FilterName, reason: string): Refusal => ({
  filter,
  reasons: [reason],
  resolvable: false,
});

export const resolvable = (filter: FilterName, reason: string): Refusal => ({
  filter,
  reasons: [reason],
  resolvable: true,
});

/** `3 Insufficient cpu, 1 node(s) were unschedulable`: by text. */
export function histogram(counted: Iterable<readonly [reason: string, count: number]>): string {
  const counts = new Map<string, number>();
  for (const [reason, count] of counted) counts.set(reason, (counts.get(reason) ?? 0) + count);
  return [...counts]
    .map(([reason, count]) => `${count} ${reason}`)
    .sort()
    .join(", ");
}

/** How often each is there. Mostly the same one follows itself, so that runs are counted. */
function countRuns(refusals: readonly Refusal[]): Map<Refusal, number> {
  const counts = new Map<Refusal, number>();
  let from = 0;
  for (let at = 0; at < refusals.length; at++) {
    const refusal = refusals[at] as Refusal;
    if (refusals[at + 1] === refusal) continue;
    counts.set(refusal, (counts.get(refusal) ?? 0) + at + 1 - from);
    from = at + 1;
  }
  return counts;
}

/** Why each of the nodes refuses a pod: most refusals are the same few objects, which are counted. */
export class Refusals {
  readonly #nodes: NodeInfo[] = [];
  readonly #refusals: Refusal[] = [];
  #counts: Map<Refusal, number> | undefined;

  get size(): number {
    return this.#nodes.length;
  }

  add(node: NodeInfo, refusal: Refusal): void {
    this.#nodes.push(node);
    this.#refusals.push(refusal);
  }

  get(node: NodeInfo): Refusal | undefined {
    const at = this.#nodes.indexOf(node);
    return at < 0 ? undefined : this.#refusals[at];
  }

  get counts(): ReadonlyMap<Refusal, number> {
    this.#counts ??= countRuns(this.#refusals);
    return this.#counts;
  }

  get filters(): ReadonlySet<FilterName> {
    return new Set([...this.counts.keys()].map(({ filter }) => filter));
  }

  /** Nodes where evicting others could help. */
  resolvable(): readonly NodeInfo[] {
    return this.#nodes.filter((_, at) => this.#refusals[at]?.resolvable === true);
  }

  *[Symbol.iterator](): Iterator<readonly [NodeInfo, Refusal]> {
    for (const [at, node] of this.#nodes.entries()) yield [node, this.#refusals[at] as Refusal];
  }

  /** All reasons of all nodes, counted. */
  toString(): string {
    return histogram(
      [...this.counts].flatMap(([{ reasons }, count]) => reasons.map((reason) => [reason, count] as const)),
    );
  }
}
