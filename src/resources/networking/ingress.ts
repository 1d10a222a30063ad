// Ingress: which requests from outside go to which Services.

import { parseIp } from "#base/ip.ts";
import { defineResource } from "#machinery/define-resource.ts";
import type {
  HTTPIngressPath,
  Ingress,
  IngressBackend,
  IngressSpec,
} from "#machinery/gen/types/networking-v1.ts";
import { child, index, invalid, notSupported, required, type FieldError } from "#machinery/field-error.ts";
import {
  checkDns1035Label,
  checkDnsSubdomain,
  checkPortName,
  checkPortNumber,
  checkWildcardDnsSubdomain,
  nameCheck,
} from "#machinery/names.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { ipAddress } from "../address-checks.ts";
import { each, keep, requiredName } from "../field-checks.ts";
import { typedReference } from "../reference-checks.ts";

const classAnnotation = "kubernetes.io/ingress.class";
const hostsShownMax = 3;
const forbiddenInPath = ["//", "/./", "/../", "%2f", "%2F"];
const forbiddenAtEnd = ["/..", "/."];

const checkHost = (host: string): string[] =>
  host.includes("*") ? checkWildcardDnsSubdomain(host) : checkDnsSubdomain(host);

function validateBackend(backend: IngressBackend | undefined, path: string): FieldError[] {
  const { service, resource } = backend ?? {};
  if (service !== undefined && resource !== undefined)
    return [invalid(path, "", "cannot set both resource and service backends")];
  if (resource !== undefined) return typedReference(resource, child(path, "resource"));
  if (service === undefined) return [invalid(path, "", "resource or service backend is required")];
  const errors = requiredName(service.name, child(path, "service.name"), checkDns1035Label);
  const { name = "", number = 0 } = service.port ?? {};
  if (name !== "" && number !== 0) errors.push(invalid(path, "", "cannot set both port name & port number"));
  else if (name !== "") errors.push(...each(checkPortName(name), child(path, "service.port.name"), name));
  else if (number !== 0)
    errors.push(...each(checkPortNumber(number), child(path, "service.port.number"), number));
  else errors.push(required(path, "port name or number is required"));
  return errors;
}

function validatePath({ path: value = "", pathType, backend }: HTTPIngressPath, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const own = child(path, "path");
  if (pathType === undefined) return [required(child(path, "pathType"), "pathType must be specified")];
  if (pathType === "Exact" || pathType === "Prefix") {
    if (!value.startsWith("/")) errors.push(invalid(own, value, "must be an absolute path"));
    for (const part of forbiddenInPath)
      if (value.includes(part)) errors.push(invalid(own, value, `must not contain '${part}'`));
    for (const part of forbiddenAtEnd)
      if (value.endsWith(part)) errors.push(invalid(own, value, `cannot end with '${part}'`));
  } else if (pathType === "ImplementationSpecific") {
    if (value !== "" && !value.startsWith("/")) errors.push(invalid(own, value, "must be an absolute path"));
  } else
    errors.push(
      notSupported(child(path, "pathType"), pathType, ["Exact", "ImplementationSpecific", "Prefix"]),
    );
  return [...errors, ...validateBackend(backend, child(path, "backend"))];
}

function validateRules(rules: IngressSpec["rules"]): FieldError[] {
  return (rules ?? []).flatMap(({ host = "", http }, at) => {
    const own = index("spec.rules", at);
    const errors: FieldError[] = [];
    if (host !== "") {
      if (parseIp(host, { lenient: true }) !== undefined)
        errors.push(invalid(child(own, "host"), host, "must be a DNS name, not an IP address"));
      errors.push(...each(checkHost(host), child(own, "host"), host));
    }
    if (http === undefined) return errors;
    const paths = child(own, "http.paths");
    if ((http.paths ?? []).length === 0) errors.push(required(paths));
    for (const [i, one] of (http.paths ?? []).entries()) errors.push(...validatePath(one, index(paths, i)));
    return errors;
  });
}

function validateSpec(spec: IngressSpec = {}): FieldError[] {
  const errors: FieldError[] = [];
  const { rules = [], defaultBackend, tls = [], ingressClassName } = spec;
  if (rules.length === 0 && defaultBackend === undefined)
    errors.push(invalid("spec", spec.rules, "either `defaultBackend` or `rules` must be specified"));
  if (defaultBackend !== undefined) errors.push(...validateBackend(defaultBackend, "spec.defaultBackend"));
  errors.push(...validateRules(rules));
  for (const [at, { hosts = [], secretName = "" }] of tls.entries()) {
    const own = index("spec.tls", at);
    for (const [i, host] of hosts.entries())
      errors.push(...each(checkHost(host), index(child(own, "hosts"), i), host));
    if (secretName !== "")
      errors.push(...each(checkDnsSubdomain(secretName), child(own, "secretName"), secretName));
  }
  if (ingressClassName !== undefined)
    errors.push(...each(checkDnsSubdomain(ingressClassName), "spec.ingressClassName", ingressClassName));
  return errors;
}

function validate(object: Ingress): FieldError[] {
  const errors = validateSpec(object.spec);
  const annotation = object.metadata?.annotations?.[classAnnotation];
  if (annotation !== undefined && object.spec?.ingressClassName !== undefined)
    errors.push(
      invalid(
        `annotations.${classAnnotation}`,
        annotation,
        "can not be set when the class field is also set",
      ),
    );
  return errors;
}

function validateStatus({ status }: Ingress): FieldError[] {
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip = "", hostname = "" }, at) => {
    const own = index("status.loadBalancer.ingress", at);
    const errors = ip === "" ? [] : ipAddress(ip, child(own, "ip"), { lenient: true });
    if (hostname === "") return errors;
    errors.push(...each(checkDnsSubdomain(hostname), child(own, "hostname"), hostname));
    if (parseIp(hostname, { lenient: true }) !== undefined)
      errors.push(invalid(child(own, "hostname"), hostname, "must be a DNS name, not an IP address"));
    return errors;
  });
}

/** The first hosts by name, and how many rules there are beyond. */
function hostsOf(rules: IngressSpec["rules"] = []): string {
  const hosts = rules.map(({ host }) => host ?? "").filter(Boolean);
  if (hosts.length === 0) return "*";
  const shown = hosts.slice(0, hostsShownMax);
  const full = rules.findIndex(
    (_, at) => rules.slice(0, at).filter(({ host }) => host).length >= hostsShownMax,
  );
  return full < 0 ? shown.join(",") : `${shown.join(",")} + ${rules.length - hostsShownMax} more...`;
}

function addresses(object: Ingress): string {
  const all = (object.status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || (hostname ?? ""));
  return [...new Set(all.filter(Boolean))].sort().join(",");
}

export const ingress = defineResource<Ingress>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "Ingress",
  resource: "ingresses",
  shortNames: ["ing"],
  namespaced: true,
  validateName: nameCheck(checkDnsSubdomain),
  generation: "spec",
  columns: [
    nameColumn,
    column("Class", (object) => object.spec?.ingressClassName ?? "<none>"),
    column("Hosts", (object) => hostsOf(object.spec?.rules)),
    column("Address", addresses),
    column("Ports", (object) => ((object.spec?.tls ?? []).length > 0 ? "80, 443" : "80")),
    ageColumn,
  ],
  prepareForCreate: (draft) => {
    draft.status = { loadBalancer: {} };
  },
  prepareForUpdate: (draft, old) => keep(draft, old, "status"),
  validate,
  validateUpdate: (next) => validateSpec(next.spec),
  warnings: (object, old) =>
    old === undefined && object.metadata?.annotations?.[classAnnotation] !== undefined
      ? [`annotation "${classAnnotation}" is deprecated, please use 'spec.ingressClassName' instead`]
      : [],
  status: { validateUpdate: validateStatus },
});
