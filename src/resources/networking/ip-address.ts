// IPAddress: an address of the Services' ranges is taken, and by whom. Its name is the address.

import { isDeepStrictEqual } from "node:util";
import { parseIp } from "#base/ip.ts";
import { defineResource } from "#machinery/define-resource.ts";
import type { IPAddress, ParentReference } from "#machinery/gen/types/networking-v1.ts";
import { invalid, required, type FieldError } from "#machinery/field-error.ts";
import { groupResource } from "#machinery/meta.ts";
import { checkDnsSubdomain, checkPathSegment } from "#machinery/names.ts";
import { notAnIp, notCanonical } from "../address-checks.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { each, isImmutable } from "../field-checks.ts";
import { pathSegment } from "../reference-checks.ts";

const path = "spec.parentRef";

function validate({ spec }: IPAddress): FieldError[] {
  const parent = spec?.parentRef;
  if (parent === undefined) return [required(path)];
  const { group = "", resource, name, namespace = "" } = parent;
  return [
    ...(group === "" ? [] : each(checkDnsSubdomain(group), `${path}.group`, group)),
    ...pathSegment(resource, `${path}.resource`),
    ...pathSegment(name, `${path}.name`),
    ...each(checkPathSegment(namespace), `${path}.namespace`, namespace),
  ];
}

function formatParent({ group = "", resource = "", namespace = "", name = "" }: ParentReference): string {
  const parts = [groupResource({ group, resource }).toLowerCase(), namespace, name];
  return parts.filter((part, at) => at !== 1 || part !== "").join("/");
}

export const ipAddressKind = defineResource<IPAddress>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "IPAddress",
  resource: "ipaddresses",
  shortNames: ["ip"],
  namespaced: false,
  validateName: (name) => (parseIp(name) === undefined ? [notAnIp] : notCanonical(name)),
  columns: [nameColumn, column("ParentRef", ({ spec }) => formatParent(spec?.parentRef ?? {})), ageColumn],
  validate,
  validateUpdate: (next, old) =>
    isDeepStrictEqual(next.spec?.parentRef, old.spec?.parentRef)
      ? []
      : [invalid(path, next.spec?.parentRef, isImmutable)],
});
