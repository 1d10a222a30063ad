// Cluster IPs and node ports of Services: what a Service holds, and how free ones are chosen. Pure.

import type { Claim, ClaimView, StrategyContext } from "#machinery/define-resource.ts";
import type { Service } from "#machinery/gen/types/core-v1.ts";
import { needsClusterIp, needsHealthPort, needsNodePorts } from "./service-types.ts";
import { child, index, invalid, type FieldError } from "#machinery/field-error.ts";

const ipPool = "service-ips";
const portPool = "service-node-ports";
/** Random tries before the range is searched in order. */
const randomTries = 16;

export function ipToNumber(ip: string): number {
  return ip.split(".").reduce((value, part) => value * 256 + Number(part), 0);
}
const numberToIp = (value: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");

/** Usable addresses of a range: without its first and last. */
function rangeOf(cidr: string): { first: number; size: number } {
  const [base = "", bits = "32"] = cidr.split("/");
  const size = 2 ** (32 - Number(bits));
  return { first: ipToNumber(base) + 1, size: Math.max(0, size - 2) };
}

const portClaim = (protocol: string | undefined, port: number): Claim => ({
  pool: portPool,
  value: `${(protocol ?? "TCP").toLowerCase()}-${port}`,
});

export function serviceClaims(service: Service): Claim[] {
  const claims: Claim[] = (service.spec?.clusterIPs ?? [])
    .filter((ip) => ip !== "None" && ip !== "")
    .map((ip) => ({ pool: ipPool, value: ip }));
  const ports = new Map<string, Claim>();
  for (const { protocol, nodePort } of service.spec?.ports ?? []) {
    if (nodePort) ports.set(`${protocol}/${nodePort}`, portClaim(protocol, nodePort));
  }
  const health = service.spec?.healthCheckNodePort;
  if (health) ports.set(`health/${health}`, portClaim("TCP", health));
  return [...claims, ...ports.values()];
}

/** The first free value of a range: some at random first, then in order. */
function choose(size: number, view: ClaimView, free: (offset: number) => boolean): number | undefined {
  for (let tries = 0; tries < Math.min(randomTries, size); tries++) {
    const offset = view.random(size);
    if (free(offset)) return offset;
  }
  for (let offset = 0; offset < size; offset++) if (free(offset)) return offset;
  return undefined;
}

function allocateIp(
  spec: NonNullable<Service["spec"]>,
  view: ClaimView,
  context: StrategyContext,
): FieldError[] {
  const cidrs = context.settings.serviceClusterIpRanges;
  const ranges = cidrs.map(rangeOf);
  const wanted = spec.clusterIP;
  if (wanted === "None") {
    spec.clusterIPs = ["None"];
    return [];
  }
  if (wanted) {
    spec.clusterIPs = [wanted];
    const value = ipToNumber(wanted);
    const isInside = ranges.some(({ first, size }) => value >= first && value < first + size);
    const why = !isInside
      ? `failed to allocate IP ${wanted}: the provided IP (${wanted}) is not in the valid range. The range of valid IPs is ${cidrs.join(",")}`
      : view.taken(ipPool, wanted)
        ? `failed to allocate IP ${wanted}: provided IP is already allocated`
        : undefined;
    return why === undefined ? [] : [invalid("spec.clusterIPs", spec.clusterIPs, why)];
  }
  for (const { first, size } of ranges) {
    const offset = choose(size, view, (candidate) => !view.taken(ipPool, numberToIp(first + candidate)));
    if (offset === undefined) continue;
    spec.clusterIP = numberToIp(first + offset);
    spec.clusterIPs = [spec.clusterIP];
    return [];
  }
  return [invalid("spec.clusterIPs", [], `failed to allocate a serviceIP: range is full`)];
}

function allocatePorts(service: Service, view: ClaimView, context: StrategyContext): FieldError[] {
  const errors: FieldError[] = [];
  const { from, to } = context.settings.serviceNodePortRange;
  const given = new Set<string>();
  const isTaken = (protocol: string | undefined, port: number): boolean => {
    const { pool, value } = portClaim(protocol, port);
    return given.has(value) || view.taken(pool, value);
  };
  const ports = service.spec?.ports ?? [];
  ports.forEach((port, at) => {
    if (!port.nodePort) return;
    const path = child(index("spec.ports", at), "nodePort");
    if (port.nodePort < from || port.nodePort > to)
      errors.push(
        invalid(
          path,
          port.nodePort,
          `provided port is not in the valid range. The range of valid ports is ${from}-${to}`,
        ),
      );
    else if (view.taken(portPool, portClaim(port.protocol, port.nodePort).value))
      errors.push(invalid(path, port.nodePort, "provided port is already allocated"));
    given.add(portClaim(port.protocol, port.nodePort).value);
  });
  const pick = (protocol: string | undefined, path: string): number => {
    const offset = choose(to - from + 1, view, (candidate) => !isTaken(protocol, from + candidate));
    if (offset === undefined) {
      errors.push(invalid(path, 0, "failed to allocate a nodePort: range is full"));
      return 0;
    }
    given.add(portClaim(protocol, from + offset).value);
    return from + offset;
  };
  ports.forEach((port, at) => {
    if (!port.nodePort) port.nodePort = pick(port.protocol, child(index("spec.ports", at), "nodePort"));
  });
  return errors;
}

function allocateHealthPort(service: Service, view: ClaimView, context: StrategyContext): FieldError[] {
  const spec = service.spec as NonNullable<Service["spec"]>;
  const { from, to } = context.settings.serviceNodePortRange;
  const used = new Set((spec.ports ?? []).map(({ nodePort }) => nodePort));
  const offset = choose(
    to - from + 1,
    view,
    (candidate) =>
      !used.has(from + candidate) && !view.taken(portPool, portClaim("TCP", from + candidate).value),
  );
  if (offset === undefined)
    return [invalid("spec.healthCheckNodePort", 0, "failed to allocate a nodePort: range is full")];
  spec.healthCheckNodePort = from + offset;
  return [];
}

/** Fills in what the Service leaves open, keeps what it has, and lets go of what its type no longer needs. */
export function allocateService(
  draft: Service,
  _old: Service | undefined,
  view: ClaimView,
  context: StrategyContext,
): FieldError[] {
  const spec = draft.spec;
  if (spec === undefined) return [];
  const errors: FieldError[] = [];
  if (needsClusterIp(spec)) errors.push(...allocateIp(spec, view, context));
  else {
    delete spec.clusterIP;
    delete spec.clusterIPs;
  }
  if (needsNodePorts(spec)) errors.push(...allocatePorts(draft, view, context));
  if (needsHealthPort(spec) && !spec.healthCheckNodePort)
    errors.push(...allocateHealthPort(draft, view, context));
  return errors;
}
