// Service: one stable address for a set of pods.

import { defineResource } from "#machinery/define-resource.ts";
import type { Service } from "#machinery/gen/types/core-v1.ts";
import { checkDns1035Label, nameCheck } from "#machinery/names.ts";
import { formatSelector, selectorFromMap } from "#machinery/selectors.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { allocateService, serviceClaims } from "./service-allocation.ts";
import { isExternallyAccessible } from "./service-types.ts";
import { settleUpdate } from "./service-update.ts";
import { validateService, validateServiceStatus, validateServiceUpdate } from "./service-validation.ts";

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
    for (const ingress of draft.status?.loadBalancer?.ingress ?? []) if (ingress.ip) ingress.ipMode ??= "VIP";
    for (const port of spec.ports ?? []) {
      port.protocol ||= "TCP";
      if (port.targetPort === undefined || port.targetPort === 0 || port.targetPort === "")
        port.targetPort = port.port ?? 0;
    }
    if (isExternallyAccessible(spec)) spec.externalTrafficPolicy ||= "Cluster";
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
    if (draft.spec !== undefined && old.spec !== undefined) settleUpdate(draft.spec, old.spec);
  },
  validate: validateService,
  validateUpdate: validateServiceUpdate,
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
  status: { validateUpdate: validateServiceStatus },
  subresources: {
    proxy: {
      verbs: ["create", "delete", "get", "patch", "update"],
      kind: { group: "", version: "v1", kind: "ServiceProxyOptions" },
    },
  },
  claims: serviceClaims,
  allocate: allocateService,
});
