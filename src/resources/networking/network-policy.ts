// NetworkPolicy: which traffic the pods that it selects may send and receive.

import { cidrCovers, parseCidr } from "#base/ip.ts";
import { defineResource } from "#machinery/define-resource.ts";
import type {
  IPBlock,
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
  NetworkPolicySpec,
} from "#machinery/gen/types/networking-v1.ts";
import { child, forbidden, index, invalid, required, type FieldError } from "#machinery/field-error.ts";
import { checkDnsSubdomain, checkPortName, checkPortNumber, nameCheck } from "#machinery/names.ts";
import { formatSelector, selectorFromObject } from "#machinery/selectors.ts";
import { cidrRange, cidrWarnings } from "../address-checks.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { each, validateLabelSelector, oneOf } from "../field-checks.ts";

const lenient = { lenient: true };

function validatePort({ protocol, port, endPort }: NetworkPolicyPort, path: string): FieldError[] {
  const errors = oneOf(protocol, ["SCTP", "TCP", "UDP"], child(path, "protocol"));
  const [own, end] = [child(path, "port"), child(path, "endPort")];
  if (typeof port === "number") {
    errors.push(...each(checkPortNumber(port), own, port));
    if (endPort === undefined) return errors;
    if (endPort < port) errors.push(invalid(end, port, "must be greater than or equal to `port`"));
    errors.push(...each(checkPortNumber(endPort), end, endPort));
  } else if (port === undefined) {
    if (endPort !== undefined)
      errors.push(invalid(end, endPort, "may not be specified when `port` is not specified"));
  } else {
    if (endPort !== undefined)
      errors.push(invalid(end, endPort, "may not be specified when `port` is non-numeric"));
    errors.push(...each(checkPortName(port), own, port));
  }
  return errors;
}

function validateBlock({ cidr, except = [] }: IPBlock, path: string): FieldError[] {
  if (!cidr) return [required(child(path, "cidr"))];
  const range = parseCidr(cidr, lenient);
  if (range === undefined) return cidrRange(cidr, child(path, "cidr"), lenient);
  return except.flatMap((text, at) => {
    const own = index(child(path, "except"), at);
    const inner = parseCidr(text, lenient);
    if (inner === undefined) return cidrRange(text, own, lenient);
    return cidrCovers(range, inner) && inner.bits > range.bits
      ? []
      : [invalid(own, text, "must be a strict subset of `cidr`")];
  });
}

function validatePeer(peer: NetworkPolicyPeer, path: string): FieldError[] {
  const { podSelector, namespaceSelector, ipBlock } = peer;
  const errors = [
    ...validateLabelSelector(podSelector, child(path, "podSelector")),
    ...validateLabelSelector(namespaceSelector, child(path, "namespaceSelector")),
    ...(ipBlock === undefined ? [] : validateBlock(ipBlock, child(path, "ipBlock"))),
  ];
  const given = [podSelector, namespaceSelector, ipBlock].filter((one) => one !== undefined).length;
  if (given === 0) errors.push(required(path, "must specify a peer"));
  else if (given > 1 && ipBlock !== undefined)
    errors.push(forbidden(path, "may not specify both ipBlock and another peer"));
  return errors;
}

interface DirectedRule {
  readonly path: string;
  readonly ports: readonly NetworkPolicyPort[];
  readonly peers: readonly NetworkPolicyPeer[];
  readonly peersPath: string;
}

/** The rules of both directions, in the same form. */
function rulesOf({ ingress = [], egress = [] }: NetworkPolicySpec): DirectedRule[] {
  return [
    ...ingress.map(({ ports = [], from = [] }, at) => {
      const path = index("spec.ingress", at);
      return { path, ports, peers: from, peersPath: child(path, "from") };
    }),
    ...egress.map(({ ports = [], to = [] }, at) => {
      const path = index("spec.egress", at);
      return { path, ports, peers: to, peersPath: child(path, "to") };
    }),
  ];
}

function validate({ spec = {} }: NetworkPolicy): FieldError[] {
  const errors = validateLabelSelector(spec.podSelector, "spec.podSelector");
  for (const { path, ports, peers, peersPath } of rulesOf(spec)) {
    for (const [at, port] of ports.entries())
      errors.push(...validatePort(port, index(child(path, "ports"), at)));
    for (const [at, peer] of peers.entries()) errors.push(...validatePeer(peer, index(peersPath, at)));
  }
  const types = spec.policyTypes ?? [];
  if (types.length > 2)
    return [...errors, invalid("spec.policyTypes", types, "may not specify more than two policyTypes")];
  for (const [at, type] of types.entries())
    errors.push(...oneOf(type, ["Egress", "Ingress"], index("spec.policyTypes", at)));
  return errors;
}

function warnings({ spec = {} }: NetworkPolicy): string[] {
  return rulesOf(spec).flatMap(({ peers, peersPath }) =>
    peers.flatMap(({ ipBlock }, at) => {
      if (ipBlock === undefined) return [];
      const own = child(index(peersPath, at), "ipBlock");
      return [
        ...cidrWarnings(ipBlock.cidr, child(own, "cidr")),
        ...(ipBlock.except ?? []).flatMap((text, i) => cidrWarnings(text, index(child(own, "except"), i))),
      ];
    }),
  );
}

function selected({ spec }: NetworkPolicy): string {
  return formatSelector(selectorFromObject(spec?.podSelector ?? {}) ?? []) || "<none>";
}

export const networkPolicy = defineResource<NetworkPolicy>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "NetworkPolicy",
  resource: "networkpolicies",
  shortNames: ["netpol"],
  namespaced: true,
  validateName: nameCheck(checkDnsSubdomain),
  generation: "spec",
  columns: [nameColumn, column("Pod-Selector", selected), ageColumn],
  applyDefaults: ({ spec }) => {
    if (spec === undefined) return;
    for (const { ports = [] } of [...(spec.ingress ?? []), ...(spec.egress ?? [])])
      for (const port of ports) port.protocol ??= "TCP";
    if ((spec.policyTypes ?? []).length === 0)
      spec.policyTypes = (spec.egress ?? []).length === 0 ? ["Ingress"] : ["Ingress", "Egress"];
  },
  validate,
  warnings,
});
