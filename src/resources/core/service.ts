// Service: one stable address for a set of pods.

import { defineResource } from "#machinery/define-resource.ts";
import type { Service, ServiceSpec } from "#machinery/gen/types/core-v1.ts";
import {
  child,
  duplicate,
  forbidden,
  index,
  invalid,
  notSupported,
  required,
  type FieldError,
} from "#machinery/field-error.ts";
import {
  checkDns1035Label,
  checkDnsLabel,
  checkDnsSubdomain,
  checkLabelValue,
  checkPortName,
  checkPortNumber,
  checkQualifiedName,
  nameCheck,
} from "#machinery/names.ts";
import { formatSelector, selectorFromMap } from "#machinery/selectors.ts";
import { notAnIp, specialAddress } from "../address-checks.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { allocateService, serviceClaims } from "./service-allocation.ts";

const types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const protocols = ["SCTP", "TCP", "UDP"];
const ipv4 = /^(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/;

function validatePorts(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  const ports = spec.ports ?? [];
  const names = new Set<string>();
  const pairs = new Set<string>();
  const nodePorts = new Set<string>();
  for (const [at, port] of ports.entries()) {
    const own = index("spec.ports", at);
    if (!port.name && ports.length > 1) errors.push(required(child(own, "name")));
    if (port.name) {
      errors.push(...checkDnsLabel(port.name).map((why) => invalid(child(own, "name"), port.name, why)));
      if (names.has(port.name)) errors.push(duplicate(child(own, "name"), port.name));
      names.add(port.name);
    }
    errors.push(
      ...checkPortNumber(port.port ?? 0).map((why) => invalid(child(own, "port"), port.port ?? 0, why)),
    );
    if (!protocols.includes(port.protocol ?? "TCP"))
      errors.push(notSupported(child(own, "protocol"), port.protocol, protocols));
    if (typeof port.targetPort === "number" && port.targetPort !== 0)
      errors.push(
        ...checkPortNumber(port.targetPort).map((why) =>
          invalid(child(own, "targetPort"), port.targetPort, why),
        ),
      );
    if (typeof port.targetPort === "string")
      errors.push(
        ...checkPortName(port.targetPort).map((why) =>
          invalid(child(own, "targetPort"), port.targetPort, why),
        ),
      );
    if (
      spec.clusterIP === "None" &&
      typeof port.targetPort === "number" &&
      port.targetPort !== 0 &&
      port.targetPort !== port.port
    ) {
      errors.push(
        invalid(
          child(own, "targetPort"),
          port.targetPort,
          "must be equal to the value of 'port' when clusterIP = None",
        ),
      );
    }
    const pair = `${port.protocol ?? "TCP"}/${port.port}`;
    if (pairs.has(pair)) errors.push(duplicate(own, port));
    pairs.add(pair);
    if (!port.nodePort) continue;
    if (spec.type === "ClusterIP" || spec.type === undefined)
      errors.push(forbidden(child(own, "nodePort"), "may not be used when `type` is 'ClusterIP'"));
    const node = `${port.protocol ?? "TCP"}/${port.nodePort}`;
    if (nodePorts.has(node)) errors.push(duplicate(child(own, "nodePort"), port.nodePort));
    nodePorts.add(node);
  }
  return errors;
}

function validateAddresses(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.clusterIP && spec.clusterIP !== "None" && !ipv4.test(spec.clusterIP))
    errors.push(invalid("spec.clusterIPs[0]", spec.clusterIP, notAnIp));
  const [first] = spec.clusterIPs ?? [];
  if (spec.clusterIP && first !== undefined && first !== spec.clusterIP)
    errors.push(invalid("spec.clusterIPs", spec.clusterIPs, "first value must match `clusterIP`"));
  for (const [at, ip] of (spec.externalIPs ?? []).entries()) {
    const path = index("spec.externalIPs", at);
    if (!ipv4.test(ip) && !/^[0-9a-f:]+:[0-9a-f:.]*$/i.test(ip)) errors.push(invalid(path, ip, notAnIp));
    else errors.push(...specialAddress(ip, path));
  }
  for (const [at, range] of (spec.loadBalancerSourceRanges ?? []).entries()) {
    const [ip = "", bits = ""] = range.trim().split("/");
    if (!ipv4.test(ip) || !/^\d+$/.test(bits) || Number(bits) > 32) {
      errors.push(
        invalid(
          index("spec.loadBalancerSourceRanges", at),
          range,
          "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)",
        ),
      );
    }
  }
  if ((spec.loadBalancerSourceRanges ?? []).length > 0 && spec.type !== "LoadBalancer")
    errors.push(forbidden("spec.loadBalancerSourceRanges", "may only be used when `type` is 'LoadBalancer'"));
  return errors;
}

function validate(service: Service): FieldError[] {
  const spec = service.spec ?? {};
  const errors: FieldError[] = [];
  const external = spec.type === "ExternalName";
  if ((spec.ports ?? []).length === 0 && !external && spec.clusterIP !== "None")
    errors.push(required("spec.ports"));
  if (!types.includes(spec.type ?? "ClusterIP")) errors.push(notSupported("spec.type", spec.type, types));
  if (external) {
    if (spec.clusterIP)
      errors.push(forbidden("spec.clusterIPs[0]", "may not be set for ExternalName services"));
    if (!spec.externalName) errors.push(required("spec.externalName"));
    else
      errors.push(
        ...checkDnsSubdomain(spec.externalName.replace(/\.$/, "")).map((why) =>
          invalid("spec.externalName", spec.externalName, why),
        ),
      );
  }
  if (spec.type === "LoadBalancer" && spec.clusterIP === "None")
    errors.push(invalid("spec.clusterIPs[0]", "None", "may not be set to 'None' for LoadBalancer services"));
  for (const [key, value] of Object.entries(spec.selector ?? {})) {
    errors.push(...checkQualifiedName(key).map((why) => invalid("spec.selector", key, why)));
    errors.push(...checkLabelValue(value).map((why) => invalid("spec.selector", value, why)));
  }
  if (!["ClientIP", "None"].includes(spec.sessionAffinity ?? "None"))
    errors.push(notSupported("spec.sessionAffinity", spec.sessionAffinity, ["ClientIP", "None"]));
  const timeout = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds;
  if (timeout !== undefined && (timeout <= 0 || timeout > 86400))
    errors.push(
      invalid(
        "spec.sessionAffinityConfig.clientIP.timeoutSeconds",
        timeout,
        "must be greater than 0 and less than 86400",
      ),
    );
  for (const key of ["externalTrafficPolicy", "internalTrafficPolicy"] as const) {
    if (spec[key] && !["Cluster", "Local"].includes(spec[key]))
      errors.push(notSupported(`spec.${key}`, spec[key], ["Cluster", "Local"]));
  }
  return [...errors, ...validatePorts(spec), ...validateAddresses(spec)];
}

function validateUpdate(next: Service, old: Service): FieldError[] {
  const errors = validate(next);
  const kept = old.spec?.clusterIP;
  if (
    kept &&
    old.spec?.type !== "ExternalName" &&
    next.spec?.type !== "ExternalName" &&
    next.spec?.clusterIP !== kept
  ) {
    errors.push(invalid("spec.clusterIPs[0]", next.spec?.clusterIPs ?? [], "may not change once set"));
  }
  return errors;
}

function externalIpCell(service: Service, wide: boolean): string {
  const { type, externalIPs = [], externalName } = service.spec ?? {};
  const ingress = (service.status?.loadBalancer?.ingress ?? [])
    .map(({ ip, hostname }) => ip || hostname || "")
    .filter(Boolean);
  const joined = (all: readonly string[]): string => {
    const text = all.join(",");
    return text.length > 16 && !wide ? `${text.slice(0, 13)}...` : text;
  };
  if (type === "ExternalName") return externalName ?? "";
  if (type !== "LoadBalancer") return externalIPs.length > 0 ? externalIPs.join(",") : "<none>";
  if (externalIPs.length > 0) return [...new Set([...ingress, ...externalIPs])].join(",");
  return ingress.length > 0 ? joined(ingress) : "<pending>";
}

function portsCell(service: Service): string {
  const ports = service.spec?.ports ?? [];
  return ports.length === 0
    ? "<none>"
    : ports
        .map(({ port, nodePort, protocol }) =>
          nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
        )
        .join(",");
}

export const service = defineResource<Service>({
  group: "",
  version: "v1",
  kind: "Service",
  resource: "services",
  shortNames: ["svc"],
  categories: ["all"],
  namespaced: true,
  allowCreateOnUpdate: true,
  returnsDeleted: true,
  validateName: nameCheck(checkDns1035Label),
  columns: [
    nameColumn,
    column("Type", (object) => object.spec?.type ?? ""),
    column(
      "Cluster-IP",
      (object) => object.spec?.clusterIP || (object.spec?.type === "ExternalName" ? "<none>" : "<none>"),
    ),
    column("External-IP", (object) => externalIpCell(object, true)),
    column("Port(s)", portsCell),
    ageColumn,
    column("Selector", (object) => formatSelector(selectorFromMap(object.spec?.selector)) || "<none>", {
      wide: true,
    }),
  ],
  applyDefaults: (draft) => {
    const spec = (draft.spec ??= {});
    spec.type ||= "ClusterIP";
    spec.sessionAffinity ||= "None";
    if (spec.sessionAffinity === "ClientIP")
      spec.sessionAffinityConfig ??= { clientIP: { timeoutSeconds: 10800 } };
    else delete spec.sessionAffinityConfig;
    for (const port of spec.ports ?? []) {
      port.protocol ||= "TCP";
      if (port.targetPort === undefined || port.targetPort === 0 || port.targetPort === "")
        port.targetPort = port.port ?? 0;
    }
    if (spec.type === "NodePort" || spec.type === "LoadBalancer") spec.externalTrafficPolicy ||= "Cluster";
    if (spec.type === "LoadBalancer") spec.allocateLoadBalancerNodePorts ??= true;
    if (spec.type === "ExternalName") return;
    spec.internalTrafficPolicy ||= "Cluster";
    if (!spec.clusterIP && spec.clusterIPs?.[0]) spec.clusterIP = spec.clusterIPs[0];
    spec.ipFamilyPolicy ??= "SingleStack";
    spec.ipFamilies ??= ["IPv4"];
  },
  prepareForCreate: (draft) => {
    draft.status = { loadBalancer: {} };
  },
  prepareForUpdate: (draft, old) => {
    draft.status = structuredClone(old.status ?? { loadBalancer: {} });
    const [spec, before] = [draft.spec, old.spec];
    if (spec === undefined || before === undefined) return;
    // A client that leaves out what the server chose means to keep it.
    if (!spec.clusterIP && spec.type !== "ExternalName" && before.clusterIP) {
      spec.clusterIP = before.clusterIP;
      spec.clusterIPs = [...(before.clusterIPs ?? [])];
    }
    // Older clients change the one, and leave the list as they have read it.
    if (spec.clusterIP && spec.clusterIP !== before.clusterIP) spec.clusterIPs = [spec.clusterIP];
    if (spec.type !== "NodePort" && spec.type !== "LoadBalancer") {
      delete spec.externalTrafficPolicy;
      for (const port of spec.ports ?? []) {
        if (before.ports?.some(({ nodePort }) => nodePort !== undefined && nodePort === port.nodePort))
          delete port.nodePort;
      }
    }
    if (spec.type !== "LoadBalancer") {
      delete spec.allocateLoadBalancerNodePorts;
      return;
    }
    for (const port of spec.ports ?? []) {
      const same = before.ports?.find((one) => one.port === port.port && one.protocol === port.protocol);
      if (!port.nodePort && same?.nodePort) port.nodePort = same.nodePort;
    }
  },
  validate,
  validateUpdate,
  rewriteLegacy: (raw) => {
    const warnings: string[] = [];
    if (Object.hasOwn(raw, "id")) {
      delete raw["id"];
      warnings.push(`unknown field "id": today's field is "metadata.name"`);
    }
    const spec = raw["spec"] as Record<string, unknown> | undefined;
    if (typeof spec === "object" && spec !== null && Object.hasOwn(spec, "publicIPs")) {
      const addresses = spec["publicIPs"];
      delete spec["publicIPs"];
      spec["externalIPs"] ??= addresses;
      warnings.push(`unknown field "spec.publicIPs": today's field is "spec.externalIPs"`);
    }
    return warnings;
  },
  selectableFields: {
    "spec.clusterIP": (object) => object.spec?.clusterIP ?? "",
    "spec.type": (object) => object.spec?.type ?? "",
  },
  status: {},
  subresources: {
    proxy: {
      verbs: ["create", "delete", "get", "patch", "update"],
      kind: { group: "", version: "v1", kind: "ServiceProxyOptions" },
    },
  },
  claims: serviceClaims,
  allocate: allocateService,
});
