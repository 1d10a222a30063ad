// DeviceClass: devices under a name, with how they are set up.

import { defineResource } from "#machinery/define-resource.ts";
import type { DeviceClass } from "#machinery/gen/types/resource-v1.ts";
import { index, type FieldError } from "#machinery/field-error.ts";
import { checkDnsSubdomain, checkQualifiedName, nameCheck } from "#machinery/names.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { each } from "../field-checks.ts";
import { atMost, validateConfiguration, validateSelectors } from "./device-requests.ts";

const configurationsMax = 32;

function validate({ spec }: DeviceClass): FieldError[] {
  const { selectors, config, extendedResourceName: extended } = spec ?? {};
  return [
    ...validateSelectors(selectors, "spec.selectors"),
    ...atMost(config, configurationsMax, "spec.config"),
    ...(config ?? []).flatMap((one, at) => validateConfiguration(one, index("spec.config", at))),
    ...(extended === undefined
      ? []
      : each(checkQualifiedName(extended), "spec.extendedResourceName", extended)),
  ];
}

export const deviceClass = defineResource<DeviceClass>({
  group: "resource.k8s.io",
  version: "v1",
  kind: "DeviceClass",
  resource: "deviceclasses",
  namespaced: false,
  validateName: nameCheck(checkDnsSubdomain),
  generation: "spec",
  columns: [nameColumn, ageColumn],
  validate,
});
