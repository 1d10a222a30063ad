// Service ports → the content of one nftables table, as data. Pure; diff.ts turns two of them into a transaction.
//
//   packet to VIP.proto.port ──@services──► goto svc-… (inside) or ext-… (outside) ──► dnat to a backend
//   packet to any local address ──@nodeports──► goto ext-…
//   VIP without backends ──@refused (filter hooks)──► reject, or drop where a Local policy has none here
//
// One dispatch map, one chain for a Service port: what a change costs does not grow with the cluster.

import { createHash } from "node:crypto";
import type { Backend, ServicePortPlan } from "./backends.ts";

export interface Ruleset {
  /** Chain → its rules, in order. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Affinity sets: name → timeout in seconds. */
  readonly affinity: ReadonlyMap<string, number>;
  /** Elements of the named maps and sets: container → key → value ("" in sets). */
  readonly elements: Readonly<Record<Container, ReadonlyMap<string, string>>>;
}

export type Container = "services" | "nodeports" | "refused" | "refused_nodeports" | "hairpin";
export const containers: readonly Container[] = [
  "services",
  "nodeports",
  "refused",
  "refused_nodeports",
  "hairpin",
];

export interface RulesetOptions {
  /** Sources inside the cluster: their traffic to cluster IPs keeps its source address. */
  readonly clusterCidr: string;
}

/** The packet mark that asks for masquerading, as kube-proxy's documentation names it. */
export const masqueradeMark = "0x4000";

/** A short stable name for a chain: nft names are limited, Service names are not. */
export function chainName(prefix: string, id: string): string {
  const readable = id.replace(/[^A-Za-z0-9]/g, "_").slice(0, 40);
  return `${prefix}_${createHash("sha256").update(id).digest("hex").slice(0, 10)}_${readable}`;
}

const mark = `meta mark set meta mark or ${masqueradeMark}`;

function dnat(protocol: string, backends: readonly Backend[]): string {
  const [only] = backends;
  if (backends.length === 1 && only !== undefined)
    return `meta l4proto ${protocol} dnat ip to ${only.ip}:${only.port}`;
  const entries = backends.map(({ ip, port }, at) => `${at} : ${ip} . ${port}`).join(", ");
  return `meta l4proto ${protocol} dnat ip to numgen random mod ${backends.length} map { ${entries} }`;
}

class Builder {
  readonly chains = new Map<string, readonly string[]>();
  readonly affinity = new Map<string, number>();
  readonly elements: Record<Container, Map<string, string>> = {
    services: new Map(),
    nodeports: new Map(),
    refused: new Map(),
    refused_nodeports: new Map(),
    hairpin: new Map(),
  };

  /** A chain that sends its packets to one of the backends; with affinity, the one that the client had before. */
  backendsChain(
    name: string,
    port: ServicePortPlan,
    backends: readonly Backend[],
    before: readonly string[],
  ): void {
    for (const { ip } of backends) this.elements.hairpin.set(`${ip} . ${ip}`, "");
    if (port.affinitySeconds === 0) {
      this.chains.set(name, [...before, dnat(port.protocol, backends)]);
      return;
    }
    const targets = backends.map((backend) => {
      const id = `${port.id}|${backend.ip}:${backend.port}`;
      const set = chainName("aff", id);
      const chain = chainName("ep", id);
      this.affinity.set(set, port.affinitySeconds);
      this.chains.set(chain, [`update @${set} { ip saddr }`, dnat(port.protocol, [backend])]);
      return { set, chain };
    });
    const sticky = targets.map(({ set, chain }) => `ip saddr @${set} goto ${chain}`);
    const choice = targets.map(({ chain }, at) => `${at} : goto ${chain}`).join(", ");
    this.chains.set(name, [...before, ...sticky, `numgen random mod ${targets.length} vmap { ${choice} }`]);
  }
}

function addPort(builder: Builder, port: ServicePortPlan, { clusterCidr }: RulesetOptions): void {
  const at = (ip: string): string => `${ip} . ${port.protocol} . ${port.port}`;
  const refusal = port.anyEndpoints ? "drop" : "goto reject_chain";

  if (port.internal.length > 0) {
    const chain = chainName("svc", port.id);
    builder.backendsChain(chain, port, port.internal, [`ip saddr != ${clusterCidr} ${mark}`]);
    for (const ip of port.clusterIps) builder.elements.services.set(at(ip), `goto ${chain}`);
  } else {
    for (const ip of port.clusterIps) builder.elements.refused.set(at(ip), refusal);
  }

  const outside = [...port.externalIps, ...port.loadBalancerIps];
  if (outside.length === 0 && port.nodePort === 0) return;
  // Callers inside the cluster reach every backend, whatever the external policy says about outsiders.
  const inside =
    port.preserveClientIp && port.internal.length > 0
      ? [`ip saddr ${clusterCidr} goto ${chainName("svc", port.id)}`]
      : [];
  if (port.external.length === 0) {
    if (inside.length > 0) {
      const chain = chainName("ext", port.id);
      builder.chains.set(chain, inside);
      for (const ip of outside) builder.elements.services.set(at(ip), `goto ${chain}`);
    }
    for (const ip of outside) builder.elements.refused.set(at(ip), refusal);
    if (port.nodePort !== 0)
      builder.elements.refused_nodeports.set(`${port.protocol} . ${port.nodePort}`, refusal);
    return;
  }
  const chain = chainName("ext", port.id);
  builder.backendsChain(chain, port, port.external, [...inside, ...(port.preserveClientIp ? [] : [mark])]);
  for (const ip of port.externalIps) builder.elements.services.set(at(ip), `goto ${chain}`);
  if (port.nodePort !== 0)
    builder.elements.nodeports.set(`${port.protocol} . ${port.nodePort}`, `goto ${chain}`);
  let entry = chain;
  if (port.sourceRanges.length > 0 && port.loadBalancerIps.length > 0) {
    entry = chainName("fw", port.id);
    builder.chains.set(entry, [`ip saddr != { ${port.sourceRanges.join(", ")} } drop`, `goto ${chain}`]);
  }
  for (const ip of port.loadBalancerIps) builder.elements.services.set(at(ip), `goto ${entry}`);
}

export function planRuleset(ports: readonly ServicePortPlan[], options: RulesetOptions): Ruleset {
  const builder = new Builder();
  for (const port of ports) addPort(builder, port, options);
  return { chains: builder.chains, affinity: builder.affinity, elements: builder.elements };
}
