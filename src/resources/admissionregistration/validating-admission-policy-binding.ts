// ValidatingAdmissionPolicyBinding: which policy holds for which requests, and what happens when it does not.

import { defineResource } from "#machinery/define-resource.ts";
import type { ValidatingAdmissionPolicyBinding } from "#machinery/gen/types/admissionregistration-v1.ts";
import {
  duplicate,
  index,
  invalid,
  notSupported,
  required,
  type FieldError,
} from "#machinery/field-error.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { bindingDefaults, paramRefCell, validateBinding } from "./policies.ts";

const actions = ["Audit", "Deny", "Warn"];
const path = "spec.validationActions";

function validateActions(given: readonly string[]): FieldError[] {
  if (given.length === 0) return [required(path)];
  const errors = given.flatMap((action, at) => {
    const own = index(path, at);
    if (!actions.includes(action)) return [notSupported(own, action, actions)];
    return given.indexOf(action) < at ? [duplicate(own, action)] : [];
  });
  if (given.includes("Deny") && given.includes("Warn"))
    errors.push(
      invalid(
        path,
        given,
        "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)",
      ),
    );
  return errors;
}

export const validatingAdmissionPolicyBinding = defineResource<ValidatingAdmissionPolicyBinding>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "ValidatingAdmissionPolicyBinding",
  resource: "validatingadmissionpolicybindings",
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
  validate: ({ spec = {} }) => [...validateBinding(spec), ...validateActions(spec.validationActions ?? [])],
});
