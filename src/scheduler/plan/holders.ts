// Pods that are placed and have terms of affinity themselves: per term, how many of them each topology domain has.
// So a new pod finds who refuses or wants it without looking at any of them.

import { assert } from "#base/assert.ts";
import { matches, type Labels } from "#machinery/selectors.ts";
import type { PodShape, PodTerm } from "./pod-info.ts";
import type { NodeInfo } from "./snapshot.ts";

export type TermKind = "required" | "refused" | "preferred";

/** A term of one kind and weight, and who holds it. */
export interface Held {
  readonly kind: TermKind;
  /** Of preferred terms; negative when it is to be avoided. */
  readonly weight: number;
  readonly term: PodTerm;
  readonly perDomain: ReadonlyMap<string, number>;
}

interface MutableHeld extends Held {
  readonly perDomain: Map<string, number>;
  pods: number;
}

const everywhere = "";

export class Holders {
  /** By the one namespace that a term means; others are under the empty name. */
  readonly #held = new Map<string, Map<string, MutableHeld>>();
  #refusing = 0;

  /** Is any pod placed that refuses others? */
  get hasRefusing(): boolean {
    return this.#refusing > 0;
  }

  count(shape: PodShape, node: NodeInfo, sign: 1 | -1): void {
    for (const term of shape.antiAffinity) this.#count("refused", 0, term, node, sign);
    for (const term of shape.affinity) this.#count("required", 0, term, node, sign);
    for (const { term, weight } of shape.preferredAffinity)
      this.#count("preferred", weight, term, node, sign);
    for (const { term, weight } of shape.preferredAntiAffinity)
      this.#count("preferred", -weight, term, node, sign);
  }

  /** Terms that mean a pod of this namespace with these labels. */
  meaning(namespace: string, labels: Labels, namespaceLabels: Labels): Held[] {
    const found: Held[] = [];
    for (const scope of [namespace, everywhere])
      for (const held of this.#held.get(scope)?.values() ?? []) {
        const { selector, namespaces, namespaceSelector } = held.term;
        if (selector === undefined || !matches(selector, labels)) continue;
        const isMeant =
          namespaces.includes(namespace) ||
          (namespaceSelector !== undefined && matches(namespaceSelector, namespaceLabels));
        if (isMeant) found.push(held);
      }
    return found;
  }

  assertSame(other: Holders): void {
    const told = ({ perDomain, pods }: MutableHeld): string => JSON.stringify([pods, [...perDomain].sort()]);
    for (const [scope, held] of this.#held)
      for (const [id, one] of held) {
        const same = other.#held.get(scope)?.get(id);
        assert(same !== undefined && told(same) === told(one), `holders of ${id}: other counts`);
      }
    assert(this.#refusing === other.#refusing, "other refusing pods");
  }

  #count(kind: TermKind, weight: number, term: PodTerm, node: NodeInfo, sign: 1 | -1): void {
    const [only = everywhere, ...more] = term.namespaces;
    const scope = more.length > 0 || term.namespaceSelector !== undefined ? everywhere : only;
    let terms = this.#held.get(scope);
    if (terms === undefined) this.#held.set(scope, (terms = new Map()));
    const id = `${kind} ${weight} ${term.id}`;
    let held = terms.get(id);
    if (held === undefined) terms.set(id, (held = { kind, weight, term, perDomain: new Map(), pods: 0 }));
    held.pods += sign;
    if (kind === "refused") this.#refusing += sign;
    const domain = node.labels?.[term.topologyKey];
    if (domain !== undefined) {
      const count = (held.perDomain.get(domain) ?? 0) + sign;
      if (count > 0) held.perDomain.set(domain, count);
      else held.perDomain.delete(domain);
    }
    if (held.pods > 0) return;
    terms.delete(id);
    if (terms.size === 0) this.#held.delete(scope);
  }
}
