// ServiceCIDR: a range from which Services get their addresses.

import { formatIp, isMapped, networkOf, parseCidr } from "#base/ip.ts";
import { defineResource } from "#machinery/define-resource.ts";
import type { ServiceCIDR } from "#machinery/gen/types/networking-v1.ts";
import { index, invalid, required, type FieldError } from "#machinery/field-error.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { cidrRange } from "../address-checks.ts";
import { isImmutable, keep } from "../field-checks.ts";

const path = "spec.cidrs";

/** A range as newer fields want it: without doubtful spellings, and without bits beyond its prefix. */
function strictRange(text: string, own: string): FieldError[] {
  const range = parseCidr(text, { lenient: true });
  if (range === undefined) return cidrRange(text, own);
  const why = (detail: string): FieldError[] => [invalid(own, text, detail)];
  if (parseCidr(text) === undefined) return why("must not have leading 0s in IP");
  if (isMapped(range.ip)) return why("must not be an IPv4-mapped IPv6 address");
  const network = networkOf(range);
  if (network.value !== range.ip.value) return why("must not have bits set beyond the prefix length");
  const canonical = `${formatIp(network)}/${range.bits}`;
  return canonical === text ? [] : why(`must be in canonical form (${JSON.stringify(canonical)})`);
}

function validate({ spec = {} }: ServiceCIDR): FieldError[] {
  const { cidrs = [] } = spec;
  if (cidrs.length === 0) return [required(path, "at least one CIDR required")];
  if (cidrs.length > 2) return [invalid(path, spec, "may only hold up to 2 values")];
  const errors = cidrs.flatMap((text, at) => strictRange(text, index(path, at)));
  const families = new Set(cidrs.map((text) => parseCidr(text)?.ip.family));
  if (cidrs.length === 2 && errors.length === 0 && families.size === 1)
    errors.push(
      invalid(
        path,
        cidrs,
        "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64",
      ),
    );
  return errors;
}

/** The range of the other family may come to a range; nothing else changes. */
function validateUpdate(next: ServiceCIDR, old: ServiceCIDR): FieldError[] {
  const [cidrs, before] = [next.spec?.cidrs ?? [], old.spec?.cidrs ?? []];
  if (cidrs.length === before.length)
    return cidrs.flatMap((text, at) =>
      text === before[at] ? [] : [invalid(index(path, at), text, isImmutable)],
    );
  if (before.length !== 1 || cidrs.length !== 2) return [invalid(path, cidrs, isImmutable)];
  if (cidrs[0] !== before[0]) return [invalid(index(path, 0), cidrs[0], "primary CIDR can not be changed")];
  return validate(next);
}

export const serviceCidr = defineResource<ServiceCIDR>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "ServiceCIDR",
  resource: "servicecidrs",
  namespaced: false,
  validateName: nameCheck(checkDnsSubdomain),
  columns: [nameColumn, column("CIDRs", ({ spec }) => (spec?.cidrs ?? []).join(",")), ageColumn],
  prepareForCreate: (draft) => {
    draft.status = {};
  },
  prepareForUpdate: (draft, old) => keep(draft, old, "status"),
  validate,
  validateUpdate,
  status: {},
});
