// A question + the cluster's Services and endpoints → the answer. Pure; the records are those of the
// "Kubernetes DNS-Based Service Discovery" specification, version 1.1.0.

import type { DeepReadonly } from "#machinery/meta.ts";
import type { Service } from "#machinery/gen/types/core-v1.ts";
import type { EndpointSlice } from "#machinery/gen/types/discovery-v1.ts";

export type DnsRecord =
  | {
      readonly type: "A" | "AAAA" | "CNAME" | "PTR";
      readonly name: string;
      readonly ttl: number;
      readonly data: string;
    }
  | {
      readonly type: "SRV";
      readonly name: string;
      readonly ttl: number;
      readonly data: {
        readonly priority: number;
        readonly weight: number;
        readonly port: number;
        readonly target: string;
      };
    }
  | { readonly type: "TXT"; readonly name: string; readonly ttl: number; readonly data: string }
  | {
      readonly type: "SOA";
      readonly name: string;
      readonly ttl: number;
      readonly data: {
        readonly mname: string;
        readonly rname: string;
        readonly serial: number;
        readonly refresh: number;
        readonly retry: number;
        readonly expire: number;
        readonly minimum: number;
      };
    };

export interface Answer {
  readonly rcode: "NOERROR" | "NXDOMAIN";
  readonly answers: readonly DnsRecord[];
  /** Records that save the client a second question: addresses of SRV targets. */
  readonly additionals: readonly DnsRecord[];
  /** With no answers: the SOA, so that resolvers know how long to remember that. */
  readonly authorities: readonly DnsRecord[];
}

/** What answers are made from. */
export interface ZoneView {
  service(namespace: string, name: string): DeepReadonly<Service> | undefined;
  slices(namespace: string, name: string): readonly DeepReadonly<EndpointSlice>[];
  namespaceExists(namespace: string): boolean;
  /** The Service with this cluster IP, or the endpoint with this address: for reverse questions. */
  serviceByIp(ip: string): { namespace: string; name: string } | undefined;
  endpointByIp(ip: string): { namespace: string; service: string; hostname: string } | undefined;
}

export const ttlSeconds = 5;

interface Endpoint {
  readonly ip: string;
  readonly hostname: string;
  readonly ports: readonly { readonly name: string; readonly protocol: string; readonly port: number }[];
}

const isIpv6 = (ip: string): boolean => ip.includes(":");
const addressRecord = (name: string, ip: string): DnsRecord => ({
  type: isIpv6(ip) ? "AAAA" : "A",
  name,
  ttl: ttlSeconds,
  data: ip,
});

/** The label under which an endpoint has a name of its own: its hostname, or its address with dashes. */
export function endpointLabel(endpoint: {
  hostname?: string | undefined;
  addresses: readonly string[];
}): string {
  return endpoint.hostname || (endpoint.addresses[0] ?? "").replace(/[.:]/g, "-");
}

function endpointsOf(slices: readonly DeepReadonly<EndpointSlice>[], publishNotReady: boolean): Endpoint[] {
  const found = new Map<string, Endpoint>();
  for (const slice of slices) {
    const ports = (slice.ports ?? []).map((port) => ({
      name: port.name ?? "",
      protocol: (port.protocol ?? "TCP").toLowerCase(),
      port: port.port ?? 0,
    }));
    for (const endpoint of slice.endpoints ?? []) {
      if (!publishNotReady && endpoint.conditions?.ready === false) continue;
      for (const ip of endpoint.addresses) found.set(ip, { ip, hostname: endpointLabel(endpoint), ports });
    }
  }
  return [...found.values()];
}

function soa(zone: string): DnsRecord {
  const data = {
    mname: `ns.dns.${zone}`,
    rname: `hostmaster.${zone}`,
    serial: 1,
    refresh: 7200,
    retry: 1800,
    expire: 86400,
    minimum: ttlSeconds,
  };
  return { type: "SOA", name: zone, ttl: ttlSeconds, data };
}

const nothing = (zone: string, rcode: "NOERROR" | "NXDOMAIN"): Answer => ({
  rcode,
  answers: [],
  additionals: [],
  authorities: [soa(zone)],
});
const found = (
  answers: readonly DnsRecord[],
  zone: string,
  additionals: readonly DnsRecord[] = [],
): Answer =>
  answers.length === 0
    ? nothing(zone, "NOERROR")
    : { rcode: "NOERROR", answers, additionals, authorities: [] };

const wants = (type: string, record: DnsRecord): boolean => type === "ANY" || record.type === type;

/** The answer to `name` (lower case, no trailing dot) inside `zone`; undefined: not ours, ask upstream. */
export function answer(view: ZoneView, zone: string, name: string, type: string): Answer | undefined {
  if (name.endsWith(".in-addr.arpa") || name.endsWith(".ip6.arpa")) return reverse(view, zone, name, type);
  if (name !== zone && !name.endsWith(`.${zone}`)) return undefined;
  const labels = name === zone ? [] : name.slice(0, -zone.length - 1).split(".");
  if (labels.length === 0)
    return type === "SOA" || type === "ANY" ? found([soa(zone)], zone) : nothing(zone, "NOERROR");
  const area = labels.at(-1);
  if (labels.length === 1 && area === "dns-version")
    return type === "TXT" || type === "ANY"
      ? found([{ type: "TXT", name, ttl: ttlSeconds, data: "1.1.0" }], zone)
      : nothing(zone, "NOERROR");
  if (area === "pod") return podAnswer(view, zone, name, type, labels);
  if (area !== "svc")
    return nothing(
      zone,
      labels.length === 2 && labels[0] === "ns" && area === "dns" ? "NOERROR" : "NXDOMAIN",
    );
  if (labels.length === 1) return nothing(zone, "NOERROR");
  const namespace = labels.at(-2) as string;
  if (labels.length === 2) return nothing(zone, view.namespaceExists(namespace) ? "NOERROR" : "NXDOMAIN");
  return serviceAnswer(view, zone, name, type, labels);
}

/** `10-244-1-2.NAMESPACE.pod.ZONE`: the address is in the name; the namespace must exist. */
function podAnswer(
  view: ZoneView,
  zone: string,
  name: string,
  type: string,
  labels: readonly string[],
): Answer {
  if (labels.length === 1) return nothing(zone, "NOERROR");
  const namespace = labels.at(-2) as string;
  if (!view.namespaceExists(namespace)) return nothing(zone, "NXDOMAIN");
  if (labels.length === 2) return nothing(zone, "NOERROR");
  const address = labels[0] as string;
  const ip = /^\d+-\d+-\d+-\d+$/.test(address) ? address.replaceAll("-", ".") : undefined;
  if (labels.length !== 3 || ip === undefined || ip.split(".").some((part) => Number(part) > 255))
    return nothing(zone, "NXDOMAIN");
  return found(
    [addressRecord(name, ip)].filter((record) => wants(type, record)),
    zone,
  );
}

function serviceAnswer(
  view: ZoneView,
  zone: string,
  name: string,
  type: string,
  labels: readonly string[],
): Answer {
  const namespace = labels.at(-2) as string;
  const serviceName = labels.at(-3) as string;
  const service = view.service(namespace, serviceName);
  if (service === undefined) return nothing(zone, "NXDOMAIN");
  const base = `${serviceName}.${namespace}.svc.${zone}`;
  const {
    type: kind,
    clusterIP,
    clusterIPs = [],
    externalName = "",
    ports = [],
    publishNotReadyAddresses = false,
  } = service.spec ?? {};
  const rest = labels.slice(0, -3);

  if (kind === "ExternalName") {
    if (rest.length > 0) return nothing(zone, "NXDOMAIN");
    return found([{ type: "CNAME", name, ttl: ttlSeconds, data: externalName }], zone);
  }
  if (clusterIP !== "None") {
    const addresses = clusterIPs.map((ip) => addressRecord(name, ip));
    if (rest.length === 0) {
      if (type !== "SRV")
        return found(
          addresses.filter((record) => wants(type, record)),
          zone,
        );
      return srvAnswer(
        zone,
        name,
        ports.map((port) => ({ port: port.port ?? 0, target: base })),
        clusterIPs.map((ip) => addressRecord(base, ip)),
      );
    }
    const matching = ports.filter((port) => matchesPort(rest, port.name ?? "", port.protocol ?? "TCP"));
    if (matching.length === 0) return nothing(zone, "NXDOMAIN");
    if (type !== "SRV" && type !== "ANY") return nothing(zone, "NOERROR");
    return srvAnswer(
      zone,
      name,
      matching.map((port) => ({ port: port.port ?? 0, target: base })),
      clusterIPs.map((ip) => addressRecord(base, ip)),
    );
  }

  const endpoints = endpointsOf(view.slices(namespace, serviceName), publishNotReadyAddresses);
  if (rest.length === 0) {
    if (endpoints.length === 0) return nothing(zone, "NXDOMAIN");
    if (type !== "SRV")
      return found(
        endpoints.map(({ ip }) => addressRecord(name, ip)).filter((record) => wants(type, record)),
        zone,
      );
    return endpointSrv(zone, name, base, endpoints, () => true);
  }
  if (rest.length === 1) {
    const own = endpoints.filter(({ hostname }) => hostname === rest[0]);
    if (own.length === 0) return nothing(zone, "NXDOMAIN");
    return found(
      own.map(({ ip }) => addressRecord(name, ip)).filter((record) => wants(type, record)),
      zone,
    );
  }
  const matches = (port: { name: string; protocol: string }): boolean =>
    matchesPort(rest, port.name, port.protocol);
  if (!endpoints.some((endpoint) => endpoint.ports.some(matches))) return nothing(zone, "NXDOMAIN");
  return type === "SRV" || type === "ANY"
    ? endpointSrv(zone, name, base, endpoints, matches)
    : nothing(zone, "NOERROR");
}

/** `_http._tcp` names the port `http` over TCP. */
function matchesPort(labels: readonly string[], portName: string, protocol: string): boolean {
  return (
    labels.length === 2 &&
    portName !== "" &&
    labels[0] === `_${portName}` &&
    labels[1] === `_${protocol.toLowerCase()}`
  );
}

function srvAnswer(
  zone: string,
  name: string,
  targets: readonly { port: number; target: string }[],
  additionals: readonly DnsRecord[],
): Answer {
  const weight = Math.max(1, Math.floor(100 / Math.max(1, targets.length)));
  const records = targets.map(({ port, target }): DnsRecord => ({
    type: "SRV",
    name,
    ttl: ttlSeconds,
    data: { priority: 0, weight, port, target },
  }));
  return found(records, zone, additionals);
}

function endpointSrv(
  zone: string,
  name: string,
  base: string,
  endpoints: readonly Endpoint[],
  matches: (port: { name: string; protocol: string }) => boolean,
): Answer {
  const targets = endpoints.flatMap(({ hostname, ports }) =>
    ports.filter(matches).map(({ port }) => ({ port, target: `${hostname}.${base}` })),
  );
  return srvAnswer(
    zone,
    name,
    targets,
    endpoints.map(({ ip, hostname }) => addressRecord(`${hostname}.${base}`, ip)),
  );
}

function reverse(view: ZoneView, zone: string, name: string, type: string): Answer | undefined {
  const ip = reverseAddress(name);
  if (ip === undefined) return undefined;
  const service = view.serviceByIp(ip);
  const endpoint = service === undefined ? view.endpointByIp(ip) : undefined;
  const target =
    service !== undefined
      ? `${service.name}.${service.namespace}.svc.${zone}`
      : endpoint !== undefined
        ? `${endpoint.hostname}.${endpoint.service}.${endpoint.namespace}.svc.${zone}`
        : undefined;
  if (target === undefined) return undefined;
  return type === "PTR" || type === "ANY"
    ? found([{ type: "PTR", name, ttl: ttlSeconds, data: target }], zone)
    : nothing(zone, "NOERROR");
}

function reverseAddress(name: string): string | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\.in-addr\.arpa$/.exec(name);
  return match === null ? undefined : `${match[4]}.${match[3]}.${match[2]}.${match[1]}`;
}
