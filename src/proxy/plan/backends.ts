// Which endpoints serve each port of each Service, seen from one node. Pure.
// Rules: KEP-1669 (terminating endpoints), KEP-2086 (internal traffic policy), and the Service documentation.

import type { DeepReadonly } from "#machinery/meta.ts";
import type { Service, ServicePort } from "#machinery/gen/types/core-v1.ts";
import type { EndpointSlice } from "#machinery/gen/types/discovery-v1.ts";

export interface Backend {
  readonly ip: string;
  readonly port: number;
}

/** One port of one Service, with everything that the rules need. */
export interface ServicePortPlan {
  /** `namespace/name:port`, unique and stable. */
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly port: number;
  readonly nodePort: number;
  readonly clusterIps: readonly string[];
  /** Addresses that outsiders use: external and load-balancer IPs. */
  readonly externalIps: readonly string[];
  /** Clients that load-balancer addresses accept; empty accepts all. */
  readonly sourceRanges: readonly string[];
  /** Load-balancer addresses only: sourceRanges holds for these. */
  readonly loadBalancerIps: readonly string[];
  readonly affinitySeconds: number;
  /** For traffic from inside the cluster. */
  readonly internal: readonly Backend[];
  /** For traffic from outside. */
  readonly external: readonly Backend[];
  /** externalTrafficPolicy Local: the client's address is kept. */
  readonly preserveClientIp: boolean;
  /** There are endpoints in the cluster, though none here: drop instead of reject (Local policies). */
  readonly anyEndpoints: boolean;
}

interface Candidate extends Backend {
  readonly ready: boolean;
  readonly servingTerminating: boolean;
  readonly local: boolean;
}

function candidates(
  slices: readonly DeepReadonly<EndpointSlice>[],
  portName: string,
  nodeName: string,
): Candidate[] {
  const found = new Map<string, Candidate>();
  for (const slice of slices) {
    if (slice.addressType !== "IPv4") continue;
    const port = slice.ports?.find((one) => (one.name ?? "") === portName)?.port;
    if (port === undefined || port === null) continue;
    for (const { addresses, conditions, nodeName: on } of slice.endpoints ?? []) {
      const ip = addresses?.[0];
      if (ip === undefined) continue;
      const ready = conditions?.ready ?? true;
      const servingTerminating = (conditions?.serving ?? ready) && (conditions?.terminating ?? false);
      const candidate = { ip, port, ready, servingTerminating, local: on === nodeName };
      const known = found.get(`${ip}:${port}`);
      if (known === undefined || (!known.ready && ready)) found.set(`${ip}:${port}`, candidate);
    }
  }
  return [...found.values()].sort((a, b) => (a.ip === b.ip ? a.port - b.port : a.ip < b.ip ? -1 : 1));
}

/** Ready ones; if there are none, those that still serve while they terminate. */
function usable(all: readonly Candidate[]): Candidate[] {
  const ready = all.filter((one) => one.ready);
  return ready.length > 0 ? ready : all.filter((one) => one.servingTerminating);
}

const bare = (all: readonly Candidate[]): Backend[] => all.map(({ ip, port }) => ({ ip, port }));
const isIpv4 = (address: string): boolean => /^\d+\.\d+\.\d+\.\d+$/.test(address);

function planPort(
  service: DeepReadonly<Service>,
  port: DeepReadonly<ServicePort>,
  slices: readonly DeepReadonly<EndpointSlice>[],
  nodeName: string,
): ServicePortPlan {
  const { namespace = "", name = "" } = service.metadata ?? {};
  const spec = service.spec ?? {};
  const all = candidates(slices, port.name ?? "", nodeName);
  const local = usable(all.filter((one) => one.local));
  const anywhere = usable(all);
  const keepsClientIp = spec.externalTrafficPolicy === "Local";
  const loadBalancerIps = (service.status?.loadBalancer?.ingress ?? [])
    .filter((one) => (one.ipMode ?? "VIP") === "VIP")
    .map((one) => one.ip ?? "")
    .filter(isIpv4);
  return {
    id: `${namespace}/${name}:${port.name ?? ""}`,
    namespace,
    name,
    protocol: (port.protocol ?? "TCP").toLowerCase() as "tcp" | "udp" | "sctp",
    port: port.port ?? 0,
    nodePort: port.nodePort ?? 0,
    clusterIps: (spec.clusterIPs ?? [spec.clusterIP ?? ""]).filter(isIpv4),
    externalIps: (spec.externalIPs ?? []).filter(isIpv4),
    sourceRanges: (spec.loadBalancerSourceRanges ?? []).filter((range) => range !== "0.0.0.0/0"),
    loadBalancerIps,
    affinitySeconds:
      spec.sessionAffinity === "ClientIP"
        ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10800)
        : 0,
    internal: bare(spec.internalTrafficPolicy === "Local" ? local : anywhere),
    external: bare(keepsClientIp ? local : anywhere),
    preserveClientIp: keepsClientIp,
    anyEndpoints: anywhere.length > 0,
  };
}

/** The label by which slices name their Service. */
export const serviceNameLabel = "kubernetes.io/service-name";

/** All ports of one Service. Headless and external-name Services have none: they need no rules. */
export function planService(
  service: DeepReadonly<Service>,
  slices: readonly DeepReadonly<EndpointSlice>[],
  nodeName: string,
): ServicePortPlan[] {
  const { clusterIP, type, ports = [] } = service.spec ?? {};
  if (type === "ExternalName" || !clusterIP || clusterIP === "None") return [];
  if (service.metadata?.labels?.["service.kubernetes.io/service-proxy-name"] !== undefined) return [];
  return ports.map((port) => planPort(service, port, slices, nodeName));
}
