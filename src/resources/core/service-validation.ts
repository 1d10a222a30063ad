// What is a valid Service, new and changed. Pure.

import { parseCidr, parseIp } from "#base/ip.ts";
import { sameJson } from "#machinery/apply/equal.ts";
import {
  child,
  duplicate,
  forbidden,
  index,
  invalid,
  keyed,
  notSupported,
  required,
  type FieldError,
} from "#machinery/field-error.ts";
import type { LoadBalancerIngress, Service, ServicePort, ServiceSpec } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import {
  checkDnsLabel,
  checkDnsSubdomain,
  checkLabelValue,
  checkPortName,
  checkPortNumber,
  checkQualifiedName,
} from "#machinery/names.ts";
import { notAnIp, specialAddress } from "../address-checks.ts";
import {
  isExternallyAccessible,
  needsClusterIp,
  needsHealthPort,
  specOf,
  type ReadSpec,
} from "./service-types.ts";

const types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const protocols = ["SCTP", "TCP", "UDP"];
const policies = ["Cluster", "Local"];
const families = ["IPv4", "IPv6"];
const familyPolicies = ["PreferDualStack", "RequireDualStack", "SingleStack"];
const distributions = ["PreferClose", "PreferSameNode", "PreferSameZone"];
const affinities = ["ClientIP", "None"];
/** One second less than a day and a second. */
const affinitySecondsMax = 86_400;
const balancersOnly = "may only be used when `type` is 'LoadBalancer'";
const rangesAnnotation = "service.beta.kubernetes.io/load-balancer-source-ranges";

const oneOf = (value: string, path: string, known: readonly string[]): FieldError[] =>
  known.includes(value) ? [] : [notSupported(path, value, known)];

function validatePort(port: ServicePort, path: string, spec: ReadSpec, isOnly: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const { name, targetPort, appProtocol } = port;
  if (!name && !isOnly) errors.push(required(child(path, "name")));
  if (name) errors.push(...checkDnsLabel(name).map((why) => invalid(child(path, "name"), name, why)));
  errors.push(
    ...checkPortNumber(port.port ?? 0).map((why) => invalid(child(path, "port"), port.port ?? 0, why)),
  );
  errors.push(...oneOf(port.protocol ?? "TCP", child(path, "protocol"), protocols));
  const check =
    typeof targetPort === "number" && targetPort !== 0
      ? checkPortNumber(targetPort)
      : typeof targetPort === "string"
        ? checkPortName(targetPort)
        : [];
  errors.push(...check.map((why) => invalid(child(path, "targetPort"), targetPort, why)));
  if (appProtocol !== undefined)
    errors.push(
      ...checkQualifiedName(appProtocol).map((why) => invalid(child(path, "appProtocol"), appProtocol, why)),
    );
  const isElsewhere = typeof targetPort === "number" && targetPort !== 0 && targetPort !== port.port;
  if (spec.clusterIP === "None" && isElsewhere)
    errors.push(
      invalid(
        child(path, "targetPort"),
        targetPort,
        "must be equal to the value of 'port' when clusterIP = None",
      ),
    );
  if (port.nodePort && (spec.type === "ClusterIP" || spec.type === undefined))
    errors.push(forbidden(child(path, "nodePort"), "may not be used when `type` is 'ClusterIP'"));
  return errors;
}

function validatePorts(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  const ports = spec.ports ?? [];
  const names = new Set<string>();
  const pairs = new Set<string>();
  const nodePorts = new Set<string>();
  const unique = (seen: Set<string>, value: string, path: string, told: unknown): void => {
    if (seen.has(value)) errors.push(duplicate(path, told));
    seen.add(value);
  };
  for (const [at, port] of ports.entries()) {
    const own = index("spec.ports", at);
    const protocol = port.protocol ?? "TCP";
    errors.push(...validatePort(port, own, spec, ports.length === 1));
    if (port.name) unique(names, port.name, child(own, "name"), port.name);
    unique(pairs, `${protocol}/${port.port}`, own, port);
    if (port.nodePort)
      unique(nodePorts, `${protocol}/${port.nodePort}`, child(own, "nodePort"), port.nodePort);
  }
  return errors;
}

function validateRanges({ metadata, spec = {} }: Service): FieldError[] {
  const annotated = metadata?.annotations?.[rangesAnnotation] ?? "";
  const fromField = (spec.loadBalancerSourceRanges ?? []).length > 0;
  const path = fromField ? "spec.loadBalancerSourceRanges" : keyed("metadata.annotations", rangesAnnotation);
  if (!fromField && annotated.trim() === "") return [];
  if (spec.type !== "LoadBalancer") return [forbidden(path, balancersOnly)];
  const isRange = (text: string): boolean => parseCidr(text.trim(), { lenient: true }) !== undefined;
  const told = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
  if (fromField)
    return (spec.loadBalancerSourceRanges ?? []).flatMap((range, at) =>
      isRange(range) ? [] : [invalid(index(path, at), range, told)],
    );
  return annotated.split(",").every(isRange)
    ? []
    : [invalid(path, annotated, "must be a comma separated list of CIDRs e.g. 10.240.0.0/24,10.250.0.0/24")];
}

function validateAddresses(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.clusterIP && spec.clusterIP !== "None" && parseIp(spec.clusterIP, { lenient: true }) === undefined)
    errors.push(invalid("spec.clusterIPs[0]", spec.clusterIP, notAnIp));
  const [first] = spec.clusterIPs ?? [];
  if (spec.clusterIP && first !== undefined && first !== spec.clusterIP)
    errors.push(invalid("spec.clusterIPs", spec.clusterIPs, "first value must match `clusterIP`"));
  for (const [at, ip] of (spec.externalIPs ?? []).entries()) {
    const path = index("spec.externalIPs", at);
    if (parseIp(ip, { lenient: true }) === undefined) errors.push(invalid(path, ip, notAnIp));
    else errors.push(...specialAddress(ip, path));
  }
  return errors;
}

/** This cluster gives out IPv4 addresses. */
function validateFamilies(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.ipFamilyPolicy !== undefined)
    errors.push(...oneOf(spec.ipFamilyPolicy, "spec.ipFamilyPolicy", familyPolicies));
  const given = spec.ipFamilies ?? [];
  given.forEach((family, at) => {
    const path = index("spec.ipFamilies", at);
    if (!families.includes(family)) errors.push(notSupported(path, family, families));
    else if (given.indexOf(family) < at) errors.push(duplicate(path, family));
    else if (family !== "IPv4") errors.push(invalid(path, family, "not configured on this cluster"));
  });
  if (given.length > 2) errors.push(invalid("spec.ipFamilies", given, "may only hold up to 2 values"));
  if ((spec.clusterIPs ?? []).length > 2)
    errors.push(invalid("spec.clusterIPs", spec.clusterIPs, "may only hold up to 2 values"));
  if (spec.ipFamilyPolicy === "RequireDualStack")
    errors.push(
      invalid(
        "spec.ipFamilyPolicy",
        spec.ipFamilyPolicy,
        "this cluster is not configured for dual-stack services",
      ),
    );
  return errors;
}

function validateExternalName(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  const none = "may not be set for ExternalName services";
  if (spec.clusterIP || (spec.clusterIPs ?? []).length > 0) errors.push(forbidden("spec.clusterIPs", none));
  if ((spec.ipFamilies ?? []).length > 0) errors.push(forbidden("spec.ipFamilies", none));
  if (spec.ipFamilyPolicy !== undefined) errors.push(forbidden("spec.ipFamilyPolicy", none));
  const name = (spec.externalName ?? "").replace(/\.$/, "");
  if (name === "") errors.push(required("spec.externalName"));
  else errors.push(...checkDnsSubdomain(name).map((why) => invalid("spec.externalName", name, why)));
  return errors;
}

function validateAffinity({ sessionAffinity = "None", sessionAffinityConfig }: ServiceSpec): FieldError[] {
  const errors = oneOf(sessionAffinity, "spec.sessionAffinity", affinities);
  const path = "spec.sessionAffinityConfig";
  if (sessionAffinity !== "ClientIP") {
    if (sessionAffinityConfig !== undefined)
      errors.push(forbidden(path, "must not be set when session affinity is None"));
    return errors;
  }
  const because = "when session affinity type is ClientIP";
  const { clientIP } = sessionAffinityConfig ?? {};
  const seconds = clientIP?.timeoutSeconds;
  if (sessionAffinityConfig === undefined) errors.push(required(path, because));
  else if (clientIP === undefined) errors.push(required(child(path, "clientIP"), because));
  else if (seconds === undefined) errors.push(required(child(path, "clientIP.timeoutSeconds"), because));
  else if (seconds <= 0 || seconds > affinitySecondsMax)
    errors.push(
      invalid(
        child(path, "clientIP.timeoutSeconds"),
        seconds,
        `must be greater than 0 and less than ${affinitySecondsMax}`,
      ),
    );
  return errors;
}

function validateTraffic(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  const {
    externalTrafficPolicy = "",
    internalTrafficPolicy,
    healthCheckNodePort,
    trafficDistribution,
  } = spec;
  if (!isExternallyAccessible(spec)) {
    if (externalTrafficPolicy !== "")
      errors.push(
        invalid(
          "spec.externalTrafficPolicy",
          externalTrafficPolicy,
          "may only be set for externally-accessible services",
        ),
      );
  } else errors.push(...oneOf(externalTrafficPolicy, "spec.externalTrafficPolicy", policies));
  if (!needsHealthPort(spec) && healthCheckNodePort)
    errors.push(
      invalid(
        "spec.healthCheckNodePort",
        healthCheckNodePort,
        "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
      ),
    );
  if (internalTrafficPolicy !== undefined)
    errors.push(...oneOf(internalTrafficPolicy, "spec.internalTrafficPolicy", policies));
  if (trafficDistribution !== undefined)
    errors.push(...oneOf(trafficDistribution, "spec.trafficDistribution", distributions));
  return errors;
}

function validateBalancer(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  const { type, loadBalancerClass, allocateLoadBalancerNodePorts } = spec;
  if (type === "LoadBalancer") {
    if (loadBalancerClass !== undefined)
      errors.push(
        ...checkQualifiedName(loadBalancerClass).map((why) =>
          invalid("spec.loadBalancerClass", loadBalancerClass, why),
        ),
      );
    return errors;
  }
  if (loadBalancerClass !== undefined) errors.push(forbidden("spec.loadBalancerClass", balancersOnly));
  if (allocateLoadBalancerNodePorts !== undefined)
    errors.push(forbidden("spec.allocateLoadBalancerNodePorts", balancersOnly));
  return errors;
}

export function validateService(service: Service): FieldError[] {
  const spec = service.spec ?? {};
  const { type = "ClusterIP" } = spec;
  const errors: FieldError[] = [];
  const isHeadless = spec.clusterIP === "None";
  if ((spec.ports ?? []).length === 0 && needsClusterIp(spec) && !isHeadless)
    errors.push(required("spec.ports"));
  errors.push(...oneOf(type, "spec.type", types));
  if (type === "ExternalName") errors.push(...validateExternalName(spec));
  if ((type === "LoadBalancer" || type === "NodePort") && isHeadless)
    errors.push(invalid("spec.clusterIPs[0]", "None", `may not be set to 'None' for ${type} services`));
  for (const [key, value] of Object.entries(spec.selector ?? {})) {
    errors.push(...checkQualifiedName(key).map((why) => invalid("spec.selector", key, why)));
    errors.push(...checkLabelValue(value).map((why) => invalid("spec.selector", value, why)));
  }
  errors.push(...validateAffinity(spec), ...validatePorts(spec), ...validateAddresses(spec));
  if (needsClusterIp(spec)) errors.push(...validateFamilies(spec));
  return [...errors, ...validateRanges(service), ...validateTraffic(spec), ...validateBalancer(spec)];
}

export function validateServiceUpdate(next: Service, old: DeepReadonly<Service>): FieldError[] {
  const errors = validateService(next);
  const [spec, before] = [specOf(next), specOf(old)];
  const keepsIp = needsClusterIp(spec) && needsClusterIp(before);
  if (keepsIp && before.clusterIP && spec.clusterIP !== before.clusterIP)
    errors.push(invalid("spec.clusterIPs[0]", spec.clusterIPs ?? [], "may not change once set"));
  const bothBalance = spec.type === "LoadBalancer" && before.type === "LoadBalancer";
  if (bothBalance && spec.loadBalancerClass !== before.loadBalancerClass)
    errors.push(invalid("spec.loadBalancerClass", spec.loadBalancerClass ?? null, "may not change once set"));
  const health = spec.healthCheckNodePort ?? 0;
  if (needsHealthPort(spec) && needsHealthPort(before) && health !== (before.healthCheckNodePort ?? 0))
    errors.push(
      invalid(
        "spec.healthCheckNodePort",
        health,
        "cannot change healthCheckNodePort on loadBalancer service with externalTraffic=Local during update",
      ),
    );
  return errors;
}

function validateIngress({ ip, hostname, ipMode }: LoadBalancerIngress, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (ip && parseIp(ip, { lenient: true }) === undefined)
    errors.push(invalid(child(path, "ip"), ip, notAnIp));
  if (ip && ipMode === undefined)
    errors.push(required(child(path, "ipMode"), "must be specified when `ip` is set"));
  if (!ip && ipMode !== undefined)
    errors.push(forbidden(child(path, "ipMode"), "may not be specified when `ip` is not set"));
  if (ip && ipMode !== undefined) errors.push(...oneOf(ipMode, child(path, "ipMode"), ["Proxy", "VIP"]));
  if (hostname) {
    errors.push(...checkDnsSubdomain(hostname).map((why) => invalid(child(path, "hostname"), hostname, why)));
    if (parseIp(hostname) !== undefined)
      errors.push(invalid(child(path, "hostname"), hostname, "must be a DNS name, not an IP address"));
  }
  return errors;
}

export function validateServiceStatus(next: Service, old: DeepReadonly<Service>): FieldError[] {
  const path = "status.loadBalancer.ingress";
  const ingress = next.status?.loadBalancer?.ingress ?? [];
  const before = old.status?.loadBalancer?.ingress ?? [];
  if (next.spec?.type !== "LoadBalancer" && ingress.length > 0 && !sameJson(ingress, before))
    return [forbidden(path, 'may only be used when `spec.type` is "LoadBalancer"')];
  return ingress.flatMap((one, at) => validateIngress(one, index(path, at)));
}
