// ResourceClaimTemplate: from it every pod that names it gets a claim of its own.

import { isDeepStrictEqual } from "node:util";
import { defineResource } from "#machinery/define-resource.ts";
import type { ResourceClaimTemplate } from "#machinery/gen/types/resource-v1.ts";
import { invalid, type FieldError } from "#machinery/field-error.ts";
import { validateAnnotations, validateLabels } from "#machinery/label-rules.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { isImmutable } from "../field-checks.ts";
import { deviceClaimDefaults, validateDeviceClaim } from "./device-requests.ts";

function validate({ spec }: ResourceClaimTemplate): FieldError[] {
  return [
    ...validateLabels(spec?.metadata?.labels, "spec.metadata.labels"),
    ...validateAnnotations(spec?.metadata?.annotations, "spec.metadata.annotations"),
    ...validateDeviceClaim(spec?.spec?.devices ?? {}, "spec.spec.devices"),
  ];
}

export const resourceClaimTemplate = defineResource<ResourceClaimTemplate>({
  group: "resource.k8s.io",
  version: "v1",
  kind: "ResourceClaimTemplate",
  resource: "resourceclaimtemplates",
  namespaced: true,
  returnsDeleted: true,
  validateName: nameCheck(checkDnsSubdomain),
  columns: [nameColumn, ageColumn],
  applyDefaults: ({ spec }) => {
    if (spec?.spec?.devices !== undefined) deviceClaimDefaults(spec.spec.devices);
  },
  validate,
  validateUpdate: (next, old) => [
    ...validate(next),
    ...(isDeepStrictEqual(next.spec, old.spec) ? [] : [invalid("spec", next.spec, isImmutable)]),
  ],
});
