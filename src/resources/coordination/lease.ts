// Lease: who holds something, and until when. Heartbeats of nodes and leaders.

import { defineResource } from "#machinery/define-resource.ts";
import type { Lease } from "#machinery/gen/types/coordination-v1.ts";
import { forbidden, invalid, type FieldError } from "#machinery/field-error.ts";
import { checkDnsSubdomain, checkQualifiedName, nameCheck } from "#machinery/names.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { each } from "../field-checks.ts";

function validate({ spec }: Lease): FieldError[] {
  const errors: FieldError[] = [];
  if (spec?.leaseDurationSeconds !== undefined && spec.leaseDurationSeconds <= 0)
    errors.push(invalid("spec.leaseDurationSeconds", spec.leaseDurationSeconds, "must be greater than 0"));
  if (spec?.leaseTransitions !== undefined && spec.leaseTransitions < 0)
    errors.push(
      invalid("spec.leaseTransitions", spec.leaseTransitions, "must be greater than or equal to 0"),
    );
  const { strategy, preferredHolder } = spec ?? {};
  if (strategy !== undefined && strategy !== "")
    errors.push(...each(checkQualifiedName(strategy), "spec.strategy", strategy));
  if (preferredHolder && !strategy)
    errors.push(forbidden("spec.preferredHolder", "may only be specified if `strategy` is defined"));
  return errors;
}

export const lease = defineResource<Lease>({
  group: "coordination.k8s.io",
  version: "v1",
  kind: "Lease",
  resource: "leases",
  namespaced: true,
  allowCreateOnUpdate: true,
  requireResourceVersion: true,
  validateName: nameCheck(checkDnsSubdomain),
  columns: [nameColumn, column("Holder", (object) => object.spec?.holderIdentity ?? ""), ageColumn],
  validate,
});
