// ResourceClaim: somebody asks for devices; the status says which were given, and to whom.

import { isDeepStrictEqual } from "node:util";
import { defineResource } from "#machinery/define-resource.ts";
import type { ResourceClaim } from "#machinery/gen/types/resource-v1.ts";
import { child, duplicate, forbidden, index, invalid, type FieldError } from "#machinery/field-error.ts";
import { checkDnsLabel, checkDnsSubdomain, checkPathSegment, nameCheck } from "#machinery/names.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { isImmutable, keep, requiredName } from "../field-checks.ts";
import { keepMetadataOfObject } from "../status-metadata.ts";
import { atMost, deviceClaimDefaults, driverName, validateDeviceClaim } from "./device-requests.ts";

const consumersMax = 256;
const resultsMax = 32;

function validateConsumers({ status }: ResourceClaim): FieldError[] {
  const path = "status.reservedFor";
  const all = status?.reservedFor ?? [];
  const uids = all.map(({ uid }) => uid);
  return [
    ...atMost(all, consumersMax, path),
    ...all.flatMap((one, at) => {
      const own = index(path, at);
      return [
        ...requiredName(one.resource, child(own, "resource"), checkPathSegment),
        ...requiredName(one.name, child(own, "name"), checkPathSegment),
        ...requiredName(one.uid, child(own, "uid"), () => []),
        ...(uids.indexOf(one.uid) < at ? [duplicate(child(own, "uid"), one.uid)] : []),
      ];
    }),
  ];
}

function validateResults({ spec, status }: ResourceClaim): FieldError[] {
  const path = "status.allocation.devices.results";
  const names = new Set(
    (spec?.devices?.requests ?? []).flatMap(({ name, firstAvailable = [] }) => [
      name,
      ...firstAvailable.map((one) => `${name}/${one.name}`),
    ]),
  );
  const results = status?.allocation?.devices?.results ?? [];
  return [
    ...atMost(results, resultsMax, path),
    ...results.flatMap(({ request, driver, pool, device }, at) => {
      const own = index(path, at);
      return [
        ...(names.has(request)
          ? []
          : [invalid(child(own, "request"), request, "must be the name of a request in the claim")]),
        ...driverName(driver, child(own, "driver")),
        ...requiredName(pool, child(own, "pool"), (text) => text.split("/").flatMap(checkDnsSubdomain)),
        ...requiredName(device, child(own, "device"), checkDnsLabel),
      ];
    }),
  ];
}

function validateStatus(next: ResourceClaim, old: ResourceClaim): FieldError[] {
  const errors = [...validateResults(next), ...validateConsumers(next)];
  const [given, before] = [next.status?.allocation, old.status?.allocation];
  const reserved = next.status?.reservedFor ?? [];
  if (reserved.length > 0 && given === undefined)
    errors.push(forbidden("status.reservedFor", "may not be specified when `allocated` is not set"));
  if (before !== undefined && given !== undefined && !isDeepStrictEqual(given, before))
    errors.push(invalid("status.allocation", given, isImmutable));
  const known = new Set((old.status?.reservedFor ?? []).map(({ uid }) => uid));
  if (next.metadata?.deletionTimestamp !== undefined && reserved.some(({ uid }) => !known.has(uid)))
    errors.push(
      forbidden(
        "status.reservedFor",
        "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set",
      ),
    );
  return errors;
}

function stateOf({ metadata, status }: ResourceClaim): string {
  const deleted = metadata?.deletionTimestamp !== undefined;
  const states = deleted ? ["deleted"] : [];
  if (status?.allocation === undefined) {
    if (!deleted) states.push("pending");
  } else {
    states.push("allocated");
    if ((status.reservedFor ?? []).length > 0) states.push("reserved");
  }
  return states.join(",");
}

export const resourceClaim = defineResource<ResourceClaim>({
  group: "resource.k8s.io",
  version: "v1",
  kind: "ResourceClaim",
  resource: "resourceclaims",
  namespaced: true,
  returnsDeleted: true,
  validateName: nameCheck(checkDnsSubdomain),
  columns: [nameColumn, column("State", stateOf), ageColumn],
  applyDefaults: ({ spec }) => {
    if (spec?.devices !== undefined) deviceClaimDefaults(spec.devices);
  },
  prepareForCreate: (draft) => {
    draft.status = {};
  },
  prepareForUpdate: (draft, old) => keep(draft, old, "status"),
  validate: ({ spec }) => validateDeviceClaim(spec?.devices ?? {}, "spec.devices"),
  validateUpdate: (next, old) =>
    isDeepStrictEqual(next.spec, old.spec) ? [] : [invalid("spec", next.spec, isImmutable)],
  status: { prepareForUpdate: keepMetadataOfObject, validateUpdate: validateStatus },
});
