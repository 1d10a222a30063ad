// EndpointSlice: some of the endpoints of a Service.

import { defineResource } from "#machinery/define-resource.ts";
import type { EndpointSlice } from "#machinery/gen/types/discovery-v1.ts";
import {
  child,
  index,
  invalid,
  notSupported,
  required,
  tooMany,
  type FieldError,
} from "#machinery/field-error.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";

const endpointsMax = 1000;
const shownMax = 3;

function some(all: readonly string[], none: string): string {
  if (all.length === 0) return none;
  return all.length > shownMax
    ? `${all.slice(0, shownMax).join(",")} + ${all.length - shownMax} more...`
    : all.join(",");
}

function validate(object: EndpointSlice): FieldError[] {
  const errors: FieldError[] = [];
  if (!object.addressType) errors.push(required("addressType"));
  else if (!["FQDN", "IPv4", "IPv6"].includes(object.addressType))
    errors.push(notSupported("addressType", object.addressType, ["FQDN", "IPv4", "IPv6"]));
  const all = object.endpoints ?? [];
  if (all.length > endpointsMax) errors.push(tooMany("endpoints", all.length, endpointsMax));
  for (const [at, endpoint] of all.entries()) {
    const own = index("endpoints", at);
    if ((endpoint.addresses ?? []).length === 0)
      errors.push(required(child(own, "addresses"), "must contain at least 1 address"));
    for (const [i, address] of (endpoint.addresses ?? []).entries()) {
      if (object.addressType === "IPv4" && !/^\d+(\.\d+){3}$/.test(address))
        errors.push(invalid(index(child(own, "addresses"), i), address, "must be a valid IPv4 address"));
    }
  }
  return errors;
}

export const endpointSlice = defineResource<EndpointSlice>({
  group: "discovery.k8s.io",
  version: "v1",
  kind: "EndpointSlice",
  resource: "endpointslices",
  namespaced: true,
  validateName: nameCheck(checkDnsSubdomain),
  generation: "none",
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
