// What is a valid pod spec, for pods and templates. Pure; all errors at once, with their paths.

import { isIP } from "node:net";
import type { Container, PodSpec } from "#machinery/gen/types/core-v1.ts";
import { child, duplicate, index, invalid, required, type FieldError } from "#machinery/field-error.ts";
import { checkDnsLabel, checkDnsSubdomain, checkLabelValue, checkQualifiedName } from "#machinery/names.ts";
import { validateContainer } from "./pod/container-validation.ts";
import { nonNegative, oneOf } from "../field-checks.ts";
import { validateScheduling } from "./pod/scheduling-validation.ts";
import { validatePodSecurity } from "./pod/security-validation.ts";
import { validateVolumes } from "./pod/volume-validation.ts";

const notAnIp = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
const nameserversMax = 3;
const dnsPolicies = ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"];
const deadlineMax = 2 ** 31 - 1;

function validateDns(spec: PodSpec, path: string): FieldError[] {
  const errors = oneOf(spec.dnsPolicy, dnsPolicies, child(path, "dnsPolicy"));
  const own = child(path, "dnsConfig");
  const config = spec.dnsConfig;
  if (config === undefined) {
    if (spec.dnsPolicy === "None")
      errors.push(required(own, "must provide `dnsConfig` when `dnsPolicy` is None"));
    return errors;
  }
  const servers = config.nameservers ?? [];
  const place = child(own, "nameservers");
  if (spec.dnsPolicy === "None" && servers.length === 0)
    errors.push(required(place, "must provide at least one DNS nameserver when `dnsPolicy` is None"));
  if (servers.length > nameserversMax)
    errors.push(invalid(place, servers, `must not have more than ${nameserversMax} nameservers`));
  for (const [at, server] of servers.entries())
    if (isIP(server) === 0) errors.push(invalid(index(place, at), server, notAnIp));
  for (const [at, search] of (config.searches ?? []).entries())
    errors.push(
      ...checkDnsSubdomain(search.replace(/\.$/, "")).map((why) =>
        invalid(index(child(own, "searches"), at), search, why),
      ),
    );
  for (const [at, option] of (config.options ?? []).entries())
    if (!option.name) errors.push(required(index(child(own, "options"), at), "must not be empty"));
  return errors;
}

function validateHostAliases(spec: PodSpec, path: string): FieldError[] {
  return (spec.hostAliases ?? []).flatMap(({ ip = "", hostnames = [] }, at) => {
    const own = index(child(path, "hostAliases"), at);
    return [
      ...(isIP(ip) === 0 ? [invalid(child(own, "ip"), ip, notAnIp)] : []),
      ...hostnames.flatMap((name) =>
        checkDnsSubdomain(name).map((why) => invalid(child(own, "hostnames"), name, why)),
      ),
    ];
  });
}

function validateContainers(spec: PodSpec, path: string): FieldError[] {
  const volumes = new Set((spec.volumes ?? []).map(({ name }) => name));
  const hostNetwork = spec.hostNetwork === true;
  const names = new Set<string>();
  const hostPorts = new Set<string>();
  const each = (list: string, containers: readonly Container[], init: boolean): FieldError[] =>
    containers.flatMap((container, at) => {
      const own = index(child(path, list), at);
      const errors = validateContainer(container, { volumes, hostNetwork, init }, own);
      if (container.name && names.has(container.name))
        errors.push(duplicate(child(own, "name"), container.name));
      names.add(container.name ?? "");
      for (const [i, port] of (init ? [] : (container.ports ?? [])).entries()) {
        if (!port.hostPort) continue;
        const taken = `${port.protocol ?? "TCP"}/${port.hostIP ?? ""}/${port.hostPort}`;
        if (hostPorts.has(taken))
          errors.push(duplicate(child(index(child(own, "ports"), i), "hostPort"), taken));
        hostPorts.add(taken);
      }
      return errors;
    });
  return [
    ...((spec.containers ?? []).length === 0 ? [required(child(path, "containers"))] : []),
    ...each("containers", spec.containers ?? [], false),
    ...each("initContainers", spec.initContainers ?? [], true),
  ];
}

/** All errors of a pod spec at `path` (`spec`, or `spec.template.spec`). */
export function validatePodSpec(spec: PodSpec, path: string): FieldError[] {
  const errors = validateVolumes(spec.volumes ?? [], child(path, "volumes"));
  errors.push(...validateContainers(spec, path));
  errors.push(...oneOf(spec.restartPolicy, ["Always", "OnFailure", "Never"], child(path, "restartPolicy")));
  errors.push(...validateDns(spec, path), ...validateHostAliases(spec, path));
  for (const [key, value] of Object.entries(spec.nodeSelector ?? {})) {
    errors.push(...checkQualifiedName(key).map((why) => invalid(child(path, "nodeSelector"), key, why)));
    errors.push(...checkLabelValue(value).map((why) => invalid(child(path, "nodeSelector"), value, why)));
  }
  for (const [key, check] of [
    ["serviceAccountName", checkDnsSubdomain],
    ["nodeName", checkDnsSubdomain],
    ["hostname", checkDnsLabel],
    ["subdomain", checkDnsLabel],
    ["priorityClassName", checkDnsSubdomain],
    ["runtimeClassName", checkDnsSubdomain],
  ] as const) {
    const value = spec[key];
    if (value) errors.push(...check(value).map((why) => invalid(child(path, key), value, why)));
  }
  errors.push(
    ...nonNegative(spec.terminationGracePeriodSeconds, child(path, "terminationGracePeriodSeconds")),
  );
  const deadline = spec.activeDeadlineSeconds;
  if (deadline !== undefined && (deadline < 1 || deadline > deadlineMax)) {
    errors.push(
      invalid(
        child(path, "activeDeadlineSeconds"),
        deadline,
        `must be between 1 and ${deadlineMax}, inclusive`,
      ),
    );
  }
  for (const [at, { conditionType = "" }] of (spec.readinessGates ?? []).entries())
    errors.push(
      ...checkQualifiedName(conditionType).map((why) =>
        invalid(child(index(child(path, "readinessGates"), at), "conditionType"), conditionType, why),
      ),
    );
  errors.push(...validateScheduling(spec, path));
  errors.push(...validatePodSecurity(spec.securityContext, child(path, "securityContext")));
  return errors;
}
