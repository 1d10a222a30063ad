// MutatingAdmissionPolicy: expressions that make changes to requests, where a binding says so.

import { defineResource } from "#machinery/define-resource.ts";
import type { MutatingAdmissionPolicy, Mutation } from "#machinery/gen/types/admissionregistration-v1.ts";
import { child, forbidden, index, notSupported, required, type FieldError } from "#machinery/field-error.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { expression, paramKindCell, policyDefaults, validatePolicy } from "./policies.ts";

const patchFields = { ApplyConfiguration: "applyConfiguration", JSONPatch: "jsonPatch" } as const;
type PatchType = keyof typeof patchFields;

function validateMutation(mutation: Mutation, path: string): FieldError[] {
  const { patchType } = mutation;
  if (!patchType) return [required(child(path, "patchType"))];
  const own = patchFields[patchType as PatchType];
  if (own === undefined) return [notSupported(child(path, "patchType"), patchType, Object.keys(patchFields))];
  const other = patchType === "JSONPatch" ? "applyConfiguration" : "jsonPatch";
  return [
    ...(mutation[own] === undefined
      ? [required(child(path, own), `must be specified when patchType is ${patchType}`)]
      : expression(mutation[own].expression, child(child(path, own), "expression"))),
    ...(mutation[other] === undefined
      ? []
      : [forbidden(child(path, other), `must not be specified when patchType is ${patchType}`)]),
  ];
}

function validate({ spec = {} }: MutatingAdmissionPolicy): FieldError[] {
  const { mutations = [], reinvocationPolicy } = spec;
  const errors = validatePolicy(spec);
  if (mutations.length === 0)
    errors.push(required("spec.mutations", "mutations must contain at least one item"));
  for (const [at, mutation] of mutations.entries())
    errors.push(...validateMutation(mutation, index("spec.mutations", at)));
  if (!reinvocationPolicy) errors.push(required("spec.reinvocationPolicy"));
  else if (!["IfNeeded", "Never"].includes(reinvocationPolicy))
    errors.push(notSupported("spec.reinvocationPolicy", reinvocationPolicy, ["IfNeeded", "Never"]));
  return errors;
}

export const mutatingAdmissionPolicyKind = defineResource<MutatingAdmissionPolicy>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "MutatingAdmissionPolicy",
  resource: "mutatingadmissionpolicies",
  categories: ["api-extensions"],
  namespaced: false,
  validateName: nameCheck(checkDnsSubdomain),
  generation: "spec",
  columns: [
    nameColumn,
    column("Mutations", ({ spec }) => (spec?.mutations ?? []).length, { type: "integer" }),
    column("ParamKind", paramKindCell),
    ageColumn,
  ],
  applyDefaults: ({ spec }) => policyDefaults(spec),
  validate,
});
