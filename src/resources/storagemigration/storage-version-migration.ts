// StorageVersionMigration: all objects of a resource are to be stored anew, in the version that is stored now.

import { isDeepStrictEqual } from "node:util";
import { defineResource } from "#machinery/define-resource.ts";
import { forbidden, invalid, required, type FieldError } from "#machinery/field-error.ts";
import type { StorageVersionMigration } from "#machinery/gen/types/storagemigration-v1beta1.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { each, isImmutable, keep } from "../field-checks.ts";

const path = "spec.resource";

function validate({ spec }: StorageVersionMigration): FieldError[] {
  const { group = "", resource = "" } = spec?.resource ?? {};
  return [
    ...(resource === ""
      ? [required(`${path}.resource`, "resource is required")]
      : each(checkDnsSubdomain(resource), `${path}.resource`, resource)),
    ...(group === "" ? [] : each(checkDnsSubdomain(group), `${path}.group`, group)),
  ];
}

const isTrue = ({ status }: StorageVersionMigration, type: string): boolean =>
  status?.conditions?.some((one) => one.type === type && one.status === "True") ?? false;

/** It ends one way or the other, and then for good; where it began does not change. */
function validateStatus(next: StorageVersionMigration, old: StorageVersionMigration): FieldError[] {
  const errors: FieldError[] = [];
  const [succeeded, failed] = ["Succeeded", "Failed"].map((type) => isTrue(next, type));
  const conditions = "status.conditions";
  if (succeeded === true && failed === true)
    errors.push(
      invalid(
        conditions,
        next.status?.conditions,
        "Both success and failed conditions cannot be true at the same time.",
      ),
    );
  for (const type of ["Succeeded", "Failed"])
    if (isTrue(old, type) && !isTrue(next, type))
      errors.push(forbidden(conditions, `${type} condition cannot be set to false once it is true`));
  const before = old.status?.resourceVersion ?? "";
  if (before !== "" && before !== next.status?.resourceVersion)
    errors.push(invalid("status.resourceVersion", next.status?.resourceVersion, isImmutable));
  return errors;
}

export const storageVersionMigration = defineResource<StorageVersionMigration>({
  group: "storagemigration.k8s.io",
  version: "v1beta1",
  kind: "StorageVersionMigration",
  resource: "storageversionmigrations",
  namespaced: false,
  validateName: nameCheck(checkDnsSubdomain),
  generation: "spec",
  columns: [nameColumn, ageColumn],
  prepareForCreate: (draft) => {
    draft.status = {};
  },
  prepareForUpdate: (draft, old) => keep(draft, old, "status"),
  validate,
  validateUpdate: (next, old) => [
    ...validate(next),
    ...(isDeepStrictEqual(next.spec, old.spec) ? [] : [invalid("spec", next.spec, isImmutable)]),
  ],
  status: { validateUpdate: validateStatus },
});
