// Endpoints: the addresses behind a Service, in the form that came before slices.

import { defineResource } from "#machinery/define-resource.ts";
import type { Endpoints } from "#machinery/gen/types/core-v1.ts";
import { child, index, invalid, required, type FieldError } from "#machinery/field-error.ts";
import { checkDnsSubdomain, checkPortNumber, nameCheck } from "#machinery/names.ts";
import { ipAddress, isOwnEndpoint, specialAddress } from "../address-checks.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";

const shownMax = 3;

function endpointsCell(object: Endpoints): string {
  const all = (object.subsets ?? []).flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map(({ ip }) => ip ?? "")
      : ports.flatMap(({ port }) => addresses.map(({ ip }) => `${ip}:${port}`)),
  );
  if (all.length === 0) return "<none>";
  return all.length > shownMax
    ? `${all.slice(0, shownMax).join(",")} + ${all.length - shownMax} more...`
    : all.join(",");
}

function validate(object: Endpoints): FieldError[] {
  return (object.subsets ?? []).flatMap((subset, at) => {
    const own = index("subsets", at);
    const errors: FieldError[] = [];
    const addresses = [...(subset.addresses ?? []), ...(subset.notReadyAddresses ?? [])];
    if (addresses.length === 0) errors.push(required(own, "must specify `addresses` or `notReadyAddresses`"));
    for (const [i, { ip }] of addresses.entries()) {
      const known = subset.addresses?.length ?? 0;
      const place =
        i < known ? index(child(own, "addresses"), i) : index(child(own, "notReadyAddresses"), i - known);
      const wrong = ipAddress(ip ?? "", child(place, "ip"), { lenient: true });
      errors.push(
        ...wrong,
        ...(wrong.length > 0 || isOwnEndpoint(object) ? [] : specialAddress(ip ?? "", child(place, "ip"))),
      );
    }
    for (const [i, { name, port = 0 }] of (subset.ports ?? []).entries()) {
      const path = index(child(own, "ports"), i);
      if (!name && (subset.ports ?? []).length > 1) errors.push(required(child(path, "name")));
      errors.push(...checkPortNumber(port).map((why) => invalid(child(path, "port"), port, why)));
    }
    return errors;
  });
}

export const endpoints = defineResource<Endpoints>({
  group: "",
  version: "v1",
  kind: "Endpoints",
  resource: "endpoints",
  singular: "endpoints",
  shortNames: ["ep"],
  namespaced: true,
  allowCreateOnUpdate: true,
  deprecation: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
  validateName: nameCheck(checkDnsSubdomain),
  columns: [nameColumn, column("Endpoints", endpointsCell), ageColumn],
  applyDefaults: (draft) => {
    for (const { ports } of draft.subsets ?? []) for (const port of ports ?? []) port.protocol ||= "TCP";
  },
  validate,
});
