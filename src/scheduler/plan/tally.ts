// How many of the pods that a selector means each domain of a topology has, kept up to date change by change:
// asked for once per pod and term, and then looked up, whatever the number of pods and nodes.

import { matches, type Labels, type Selector } from "#machinery/selectors.ts";
import type { NodeInfo } from "./snapshot.ts";

/** Pods of one namespace with the same labels, and how many of them each node has. */
export interface Group {
  readonly namespace: string;
  readonly labels: Labels;
  /** On their way out. */
  readonly terminating: boolean;
  readonly perNode: ReadonlyMap<NodeInfo, number>;
}

export interface TallySpec {
  readonly id: string;
  readonly topologyKey: string;
  readonly selector: Selector | undefined;
  readonly inNamespace: (namespace: string) => boolean;
  /** Namespaces are meant by their labels, so that it is out of date when those change. */
  readonly dependsOnNamespaces: boolean;
  readonly countsTerminating: boolean;
  /** Nodes that take part. */
  readonly counts: (node: NodeInfo) => boolean;
}

interface Domain {
  pods: number;
  nodes: number;
}

export class Tally {
  readonly spec: TallySpec;
  readonly #domains = new Map<string, Domain>();
  /** How many domains have how many pods. */
  readonly #histogram = new Map<number, number>();
  #least = 0;
  /** Pods in all domains. */
  #total = 0;

  constructor(spec: TallySpec) {
    this.spec = spec;
  }

  get total(): number {
    return this.#total;
  }

  /** Domains with at least one node that takes part. */
  get domains(): number {
    return this.#domains.size;
  }

  /** Pods in the emptiest domain; 0 without domains. */
  get least(): number {
    return this.#domains.size === 0 ? 0 : this.#least;
  }

  /** Pods in a domain: undefined if no node that takes part is in it. */
  at(domain: string): number | undefined {
    return this.#domains.get(domain)?.pods;
  }

  means({ namespace, labels, terminating }: Group): boolean {
    const { selector, inNamespace, countsTerminating } = this.spec;
    if (selector === undefined || (terminating && !countsTerminating)) return false;
    return inNamespace(namespace) && matches(selector, labels);
  }

  join(node: NodeInfo): void {
    const domain = this.#domainOf(node);
    if (domain === undefined) return;
    const held = this.#domains.get(domain);
    if (held !== undefined) {
      held.nodes++;
      return;
    }
    this.#domains.set(domain, { pods: 0, nodes: 1 });
    this.#histogram.set(0, (this.#histogram.get(0) ?? 0) + 1);
    this.#least = 0;
  }

  leave(node: NodeInfo): void {
    const domain = this.#domainOf(node);
    const held = domain === undefined ? undefined : this.#domains.get(domain);
    if (domain === undefined || held === undefined || --held.nodes > 0) return;
    this.#domains.delete(domain);
    this.#total -= held.pods;
    this.#drop(held.pods);
  }

  /** The node has joined. */
  add(node: NodeInfo, pods: number): void {
    const domain = this.#domainOf(node);
    const held = domain === undefined ? undefined : this.#domains.get(domain);
    if (held === undefined) return;
    const before = held.pods;
    held.pods += pods;
    this.#total += pods;
    this.#histogram.set(held.pods, (this.#histogram.get(held.pods) ?? 0) + 1);
    if (held.pods < this.#least) this.#least = held.pods;
    this.#drop(before);
  }

  /** Where every domain stands: for checks. */
  entries(): [string, number][] {
    return [...this.#domains].map(([domain, { pods }]): [string, number] => [domain, pods]).sort();
  }

  #domainOf(node: NodeInfo): string | undefined {
    const domain = node.labels?.[this.spec.topologyKey];
    return domain !== undefined && this.spec.counts(node) ? domain : undefined;
  }

  /** One domain less has this count. */
  #drop(count: number): void {
    const left = (this.#histogram.get(count) ?? 0) - 1;
    if (left > 0) {
      this.#histogram.set(count, left);
      return;
    }
    this.#histogram.delete(count);
    if (count !== this.#least) return;
    this.#least = this.#histogram.has(count + 1) ? count + 1 : Math.min(...this.#histogram.keys());
  }
}
