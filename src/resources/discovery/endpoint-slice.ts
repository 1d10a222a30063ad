// EndpointSlice: some of the endpoints of a Service.

import { parseIp } from "#base/ip.ts";
import { defineResource } from "#machinery/define-resource.ts";
import type { Endpoint, EndpointPort, EndpointSlice } from "#machinery/gen/types/discovery-v1.ts";
import {
  child,
  duplicate,
  index,
  invalid,
  required,
  tooMany,
  type FieldError,
} from "#machinery/field-error.ts";
import { validateLabels } from "#machinery/label-rules.ts";
import {
  checkDnsLabel,
  checkDnsSubdomain,
  checkLabelValue,
  checkPortNumber,
  checkQualifiedName,
  nameCheck,
} from "#machinery/names.ts";
import { isOwnEndpoint, specialAddress } from "../address-checks.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { each, oneOf } from "../field-checks.ts";

const endpointsMax = 1000;
const addressesMax = 100;
const portsMax = 20_000;
const topologyMax = 16;
const hintsMax = 8;
const shownMax = 3;

function some(all: readonly string[], none: string): string {
  if (all.length === 0) return none;
  return all.length > shownMax
    ? `${all.slice(0, shownMax).join(",")} + ${all.length - shownMax} more...`
    : all.join(",");
}

/** Why this is no address of this type, or nothing. An unknown type says nothing of its addresses. */
function validateAddress(address: string, type: string, path: string): FieldError[] {
  if (type === "FQDN") return fullyQualified(address, path);
  if (type !== "IPv4" && type !== "IPv6") return [];
  return parseIp(address, { lenient: true })?.family === type
    ? []
    : [invalid(path, address, `must be a valid ${type} address`)];
}

function fullyQualified(name: string, path: string): FieldError[] {
  const bare = name.replace(/\.$/, "");
  const errors = each(checkDnsSubdomain(bare), path, bare);
  if (errors.length > 0 || bare.includes(".")) return errors;
  return [invalid(path, bare, "should be a domain with at least two segments separated by dots")];
}

function validateHints(hints: Endpoint["hints"], path: string): FieldError[] {
  return (["forZones", "forNodes"] as const).flatMap((field) => {
    const own = child(path, field);
    const all = hints?.[field] ?? [];
    const names = all.map(({ name }) => name);
    return [
      ...(all.length > hintsMax ? [tooMany(own, all.length, hintsMax)] : []),
      ...names.flatMap((name, at) => {
        const place = child(index(own, at), "name");
        if (names.indexOf(name) < at) return [duplicate(place, name)];
        return each(field === "forZones" ? checkLabelValue(name) : checkDnsSubdomain(name), place, name);
      }),
    ];
  });
}

function validateEndpoint(endpoint: Endpoint, type: string, path: string): FieldError[] {
  const { hostname, nodeName, deprecatedTopology = {} } = endpoint;
  const addresses = endpoint.addresses ?? [];
  const own = child(path, "addresses");
  const topology = Object.keys(deprecatedTopology).length;
  return [
    ...(addresses.length === 0 ? [required(own, "must contain at least 1 address")] : []),
    ...(addresses.length > addressesMax ? [tooMany(own, addresses.length, addressesMax)] : []),
    ...addresses.flatMap((address, at) => validateAddress(address, type, index(own, at))),
    ...(nodeName === undefined ? [] : each(checkDnsSubdomain(nodeName), child(path, "nodeName"), nodeName)),
    ...(topology > topologyMax
      ? [tooMany(child(path, "deprecatedTopology"), topology, topologyMax)]
      : validateLabels(deprecatedTopology, child(path, "deprecatedTopology"))),
    ...(hostname === undefined ? [] : each(checkDnsLabel(hostname), child(path, "hostname"), hostname)),
    ...validateHints(endpoint.hints, child(path, "hints")),
  ];
}

/** Addresses that every machine has for itself are nobody's endpoint. */
const validateOthers = (endpoints: readonly Endpoint[]): FieldError[] =>
  endpoints.flatMap(({ addresses }, at) =>
    (addresses ?? []).flatMap((address, i) =>
      specialAddress(address, index(child(index("endpoints", at), "addresses"), i)),
    ),
  );

function validatePorts(ports: readonly EndpointPort[]): FieldError[] {
  const names = ports.map(({ name }) => name ?? "");
  return [
    ...(ports.length > portsMax ? [tooMany("ports", ports.length, portsMax)] : []),
    ...ports.flatMap(({ name = "", protocol, port, appProtocol }, at) => {
      const own = index("ports", at);
      return [
        ...(name === "" ? [] : each(checkDnsLabel(name), child(own, "name"), name)),
        ...(names.indexOf(name) < at ? [duplicate(child(own, "name"), name)] : []),
        ...(protocol === undefined ? [required(child(own, "protocol"))] : []),
        ...oneOf(protocol, ["SCTP", "TCP", "UDP"], child(own, "protocol")),
        ...(port === undefined ? [] : each(checkPortNumber(port), child(own, "port"), port)),
        ...(appProtocol === undefined
          ? []
          : each(checkQualifiedName(appProtocol), child(own, "appProtocol"), appProtocol)),
      ];
    }),
  ];
}

function validate(object: EndpointSlice): FieldError[] {
  const { addressType, endpoints = [], ports = [] } = object;
  const types = ["FQDN", "IPv4", "IPv6"];
  return [
    ...(addressType ? [] : [required("addressType")]),
    ...oneOf(addressType, types, "addressType"),
    ...(endpoints.length > endpointsMax ? [tooMany("endpoints", endpoints.length, endpointsMax)] : []),
    ...endpoints.flatMap((endpoint, at) => validateEndpoint(endpoint, addressType, index("endpoints", at))),
    ...(isOwnEndpoint(object) || addressType === "FQDN" ? [] : validateOthers(endpoints)),
    ...validatePorts(ports),
  ];
}

export const endpointSlice = defineResource<EndpointSlice>({
  group: "discovery.k8s.io",
  version: "v1",
  kind: "EndpointSlice",
  resource: "endpointslices",
  namespaced: true,
  validateName: nameCheck(checkDnsSubdomain),
  generation: "content",
  columns: [
    nameColumn,
    column("AddressType", (object) => object.addressType),
    column("Ports", (object) =>
      some(
        (object.ports ?? []).map(({ port }) => (port === undefined ? "*" : String(port))),
        "<unset>",
      ),
    ),
    column("Endpoints", (object) =>
      some(
        (object.endpoints ?? []).flatMap(({ addresses }) => [...(addresses ?? [])]),
        "<unset>",
      ),
    ),
    ageColumn,
  ],
  applyDefaults: (draft) => {
    for (const port of draft.ports ?? []) {
      port.name ??= "";
      port.protocol ||= "TCP";
    }
  },
  validate,
  validateUpdate: (next, old) => {
    const errors = validate(next);
    if (next.addressType !== old.addressType)
      errors.push(invalid("addressType", next.addressType, "field is immutable"));
    return errors;
  },
});
