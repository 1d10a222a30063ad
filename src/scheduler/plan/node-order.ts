// The order in which nodes are looked at: zones in turns, so that a search that ends early has seen all of them.

import type { NodeInfo } from "./snapshot.ts";

function zoneOf({ labels }: NodeInfo): string {
  const region = labels?.["topology.kubernetes.io/region"] ?? "";
  const zone = labels?.["topology.kubernetes.io/zone"] ?? "";
  return `${region}\n${zone}`;
}

export function inZoneOrder<T extends NodeInfo>(nodes: readonly T[]): readonly T[] {
  const zones = [...Map.groupBy(nodes, zoneOf).values()];
  if (zones.length <= 1) return nodes;
  const longest = Math.max(...zones.map((zone) => zone.length));
  return Array.from({ length: longest }, (_, at) => zones.flatMap((zone) => zone[at] ?? [])).flat();
}
