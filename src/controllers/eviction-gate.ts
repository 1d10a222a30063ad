// Lets nodes be tainted NoExecute one by one, at the rate of their zone; never when all are silent at once. What it knows
// of zones follows the nodes as they change. Pure but for its memory; time is passed in.

import { evictionRate, nodeCondition, zoneState, type EvictionRates, type ReadNode } from "./node-health.ts";

interface Zone {
  ready: number;
  notReady: number;
  /** Which node was let through last, and when the next one may be. */
  last?: { readonly name: string; readonly nextMs: number };
}

export interface GateOptions {
  readonly rates: EvictionRates;
  readonly unhealthyZoneThreshold: number;
}

export const isNodeReady = (node: ReadNode): boolean => nodeCondition(node, "Ready")?.status === "True";

function zoneOf({ metadata }: ReadNode): string {
  const region = metadata?.labels?.["topology.kubernetes.io/region"] ?? "";
  return `${region}:${metadata?.labels?.["topology.kubernetes.io/zone"] ?? ""}`;
}

export class EvictionGate {
  readonly #options: GateOptions;
  /** As many as there are zones, and nodes. */
  readonly #zones = new Map<string, Zone>();
  readonly #nodes = new Map<string, { readonly zone: string; readonly isReady: boolean }>();

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** How a node is now; undefined when it is gone. */
  note(name: string, node: ReadNode | undefined): void {
    const old = this.#nodes.get(name);
    const now = node === undefined ? undefined : { zone: zoneOf(node), isReady: isNodeReady(node) };
    if (old?.zone === now?.zone && old?.isReady === now?.isReady) return;
    if (old !== undefined) this.#count(old, -1);
    if (now === undefined) this.#nodes.delete(name);
    else {
      this.#nodes.set(name, now);
      this.#count(now, 1);
    }
  }

  #count({ zone, isReady }: { zone: string; isReady: boolean }, by: 1 | -1): void {
    const counts = this.#zones.get(zone) ?? { ready: 0, notReady: 0 };
    if (isReady) counts.ready += by;
    else counts.notReady += by;
    if (counts.ready + counts.notReady === 0) this.#zones.delete(zone);
    else this.#zones.set(zone, counts);
  }

  /** Whether a node that is not ready may be emptied now. */
  mayEvict(node: ReadNode, nowMs: number): boolean {
    const name = node.metadata?.name ?? "";
    this.note(name, node);
    const own = this.#zones.get(zoneOf(node));
    if (own === undefined) return false;
    const { rates, unhealthyZoneThreshold } = this.#options;
    let areAllDown = true;
    for (const { ready } of this.#zones.values()) areAllDown &&= ready === 0;
    const state = zoneState(own.ready, own.notReady, unhealthyZoneThreshold);
    const rate = evictionRate(state, own.ready + own.notReady, areAllDown, rates);
    if (rate <= 0) return false;
    if (own.last !== undefined && nowMs < own.last.nextMs) return own.last.name === name;
    own.last = { name, nextMs: nowMs + 1000 / rate };
    return true;
  }
}
