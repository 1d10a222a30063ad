// MutatingAdmissionPolicyBinding: which mutating policy holds for which requests, with which parameters.

import { defineResource } from "#machinery/define-resource.ts";
import type { MutatingAdmissionPolicyBinding } from "#machinery/gen/types/admissionregistration-v1.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { bindingDefaults, paramRefCell, validateBinding } from "./policies.ts";

export const mutatingAdmissionPolicyBinding = defineResource<MutatingAdmissionPolicyBinding>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "MutatingAdmissionPolicyBinding",
  resource: "mutatingadmissionpolicybindings",
  categories: ["api-extensions"],
  namespaced: false,
  validateName: nameCheck(checkDnsSubdomain),
  generation: "spec",
  columns: [
    nameColumn,
    column("PolicyName", ({ spec }) => spec?.policyName ?? ""),
    column("ParamRef", paramRefCell),
    ageColumn,
  ],
  applyDefaults: ({ spec }) => bindingDefaults(spec),
  validate: ({ spec = {} }) => validateBinding(spec),
});
