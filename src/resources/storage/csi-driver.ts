// CSIDriver: what a storage driver of the cluster can do, and wants to be told.

import { isDeepStrictEqual } from "node:util";
import { defineResource } from "#machinery/define-resource.ts";
import type { CSIDriver, CSIDriverSpec } from "#machinery/gen/types/storage-v1.ts";
import { child, duplicate, index, invalid, tooLong, type FieldError } from "#machinery/field-error.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { isImmutable, oneOf } from "../field-checks.ts";

const nameMax = 63;
const tokenSecondsMin = 600;
const tokenSecondsMax = 2 ** 32;
const updatePeriodSecondsMin = 10;

function validateTokens(requests: CSIDriverSpec["tokenRequests"]): FieldError[] {
  const audiences = new Set<string>();
  return (requests ?? []).flatMap(({ audience, expirationSeconds: seconds }, at) => {
    const own = index("spec.tokenRequests", at);
    if (audiences.has(audience)) return [duplicate(child(own, "audience"), audience)];
    audiences.add(audience);
    const expiry = child(own, "expirationSeconds");
    if (seconds === undefined) return [];
    if (seconds < tokenSecondsMin)
      return [invalid(expiry, seconds, "may not specify a duration less than 10 minutes")];
    return seconds > tokenSecondsMax
      ? [invalid(expiry, seconds, "may not specify a duration larger than 2^32 seconds")]
      : [];
  });
}

function validate({ metadata, spec }: CSIDriver): FieldError[] {
  const { name = "" } = metadata ?? {};
  const period = spec?.nodeAllocatableUpdatePeriodSeconds;
  return [
    ...(name.length > nameMax ? [tooLong("name", nameMax)] : []),
    ...(spec?.volumeLifecycleModes ?? []).flatMap((mode) =>
      oneOf(mode, ["Ephemeral", "Persistent"], "spec.volumeLifecycleModes"),
    ),
    ...oneOf(spec?.fsGroupPolicy, ["File", "None", "ReadWriteOnceWithFSType"], "spec.fsGroupPolicy"),
    ...validateTokens(spec?.tokenRequests),
    ...(period !== undefined && period < updatePeriodSecondsMin
      ? [
          invalid(
            "spec.nodeAllocatableUpdatePeriodSeconds",
            period,
            `must be greater than or equal to ${updatePeriodSecondsMin} seconds`,
          ),
        ]
      : []),
  ];
}

function validateUpdate(next: CSIDriver, old: CSIDriver): FieldError[] {
  const fields = ["attachRequired", "volumeLifecycleModes"] as const;
  return [
    ...validate(next),
    ...fields
      .filter((field) => !isDeepStrictEqual(next.spec[field], old.spec[field]))
      .map((field) => invalid(`spec.${field}`, next.spec[field], isImmutable)),
  ];
}

export const csiDriver = defineResource<CSIDriver>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSIDriver",
  resource: "csidrivers",
  namespaced: false,
  returnsDeleted: true,
  validateName: nameCheck(checkDnsSubdomain),
  columns: [
    nameColumn,
    column("AttachRequired", ({ spec }) => spec.attachRequired ?? true, { type: "boolean" }),
    column("PodInfoOnMount", ({ spec }) => spec.podInfoOnMount ?? false, { type: "boolean" }),
    column("StorageCapacity", ({ spec }) => spec.storageCapacity ?? false, { type: "boolean" }),
    column(
      "TokenRequests",
      ({ spec }) => (spec.tokenRequests ?? []).map(({ audience }) => audience).join(",") || "<unset>",
    ),
    column("RequiresRepublish", ({ spec }) => spec.requiresRepublish ?? false, { type: "boolean" }),
    column("Modes", ({ spec }) => (spec.volumeLifecycleModes ?? []).join(",") || "<none>"),
    ageColumn,
  ],
  applyDefaults: (draft) => {
    const spec = (draft.spec ??= {});
    spec.attachRequired ??= true;
    spec.podInfoOnMount ??= false;
    spec.storageCapacity ??= false;
    spec.fsGroupPolicy ??= "ReadWriteOnceWithFSType";
    if ((spec.volumeLifecycleModes ?? []).length === 0) spec.volumeLifecycleModes = ["Persistent"];
    spec.requiresRepublish ??= false;
    spec.seLinuxMount ??= false;
  },
  prepareForUpdate: (draft, old) => {
    // Only what kubelets look at while pods run counts as a new generation.
    const watched = ["tokenRequests", "requiresRepublish", "seLinuxMount"] as const;
    if (watched.every((field) => isDeepStrictEqual(draft.spec[field], old.spec[field]))) return;
    (draft.metadata ??= {}).generation = (old.metadata?.generation ?? 0) + 1;
  },
  validate,
  validateUpdate,
});
