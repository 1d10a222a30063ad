// ValidatingAdmissionPolicy: expressions that requests must satisfy, where a binding says so.

import { defineResource } from "#machinery/define-resource.ts";
import type {
  AuditAnnotation,
  ValidatingAdmissionPolicy,
  Validation,
} from "#machinery/gen/types/admissionregistration-v1.ts";
import {
  child,
  duplicate,
  index,
  invalid,
  required,
  tooLong,
  type FieldError,
} from "#machinery/field-error.ts";
import { checkDnsSubdomain, checkQualifiedName, nameCheck } from "#machinery/names.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { each, keep, oneOf } from "../field-checks.ts";
import { keepMetadataOfObject } from "../status-metadata.ts";
import { expression, paramKindCell, policyDefaults, validatePolicy } from "./policies.ts";

const annotationsMax = 20;
const valueExpressionBytesMax = 5 * 1024;
const reasons = ["Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized"];

const severalLines = (text: string): boolean => /[\r\n]/.test(text);

function validateValidation(validation: Validation, path: string): FieldError[] {
  const { message = "", messageExpression = "", reason } = validation;
  const errors = expression(validation.expression, child(path, "expression"));
  if (messageExpression !== "" && messageExpression.trim() === "")
    errors.push(
      invalid(child(path, "messageExpression"), messageExpression, "must be non-empty if specified"),
    );
  const own = child(path, "message");
  if (message !== "" && message.trim() === "")
    errors.push(invalid(own, message, "message must be non-empty if specified"));
  else if (severalLines(message.trim()))
    errors.push(invalid(own, message, "message must not contain line breaks"));
  else if (severalLines((validation.expression ?? "").trim()) && message.trim() === "")
    errors.push(required(own, "message must be specified if expression contains line breaks"));
  return [...errors, ...oneOf(reason, reasons, child(path, "reason"))];
}

function validateAnnotations(annotations: readonly AuditAnnotation[], policy: string): FieldError[] {
  const path = "spec.auditAnnotations";
  const errors: FieldError[] = [];
  if (annotations.length > annotationsMax)
    errors.push(invalid(path, annotations, `must not have more than ${annotationsMax} auditAnnotations`));
  for (const [at, { key = "", valueExpression = "" }] of annotations.entries()) {
    const own = index(path, at);
    errors.push(
      ...each(checkQualifiedName(policy === "" ? key : `${policy}/${key}`), child(own, "key"), key),
    );
    errors.push(...expression(valueExpression, child(own, "valueExpression")));
    if (Buffer.byteLength(valueExpression) > valueExpressionBytesMax)
      errors.push(tooLong(child(own, "valueExpression"), valueExpressionBytesMax));
    if (annotations.findIndex((one) => one.key === key) < at) errors.push(duplicate(child(own, "key"), key));
  }
  return errors;
}

function validate({ metadata, spec = {} }: ValidatingAdmissionPolicy): FieldError[] {
  const { validations = [], auditAnnotations = [] } = spec;
  const errors = validatePolicy(spec);
  const oneNeeded = "validations or auditAnnotations must contain at least one item";
  if (validations.length === 0 && auditAnnotations.length === 0)
    errors.push(required("spec.validations", oneNeeded), required("spec.auditAnnotations", oneNeeded));
  return [
    ...errors,
    ...validations.flatMap((one, at) => validateValidation(one, index("spec.validations", at))),
    ...validateAnnotations(auditAnnotations, metadata?.name ?? ""),
  ];
}

export const validatingAdmissionPolicyKind = defineResource<ValidatingAdmissionPolicy>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "ValidatingAdmissionPolicy",
  resource: "validatingadmissionpolicies",
  categories: ["api-extensions"],
  namespaced: false,
  validateName: nameCheck(checkDnsSubdomain),
  generation: "spec",
  columns: [
    nameColumn,
    column("Validations", ({ spec }) => (spec?.validations ?? []).length, { type: "integer" }),
    column("ParamKind", paramKindCell),
    ageColumn,
  ],
  applyDefaults: ({ spec }) => policyDefaults(spec),
  prepareForCreate: (draft) => {
    draft.status = {};
  },
  prepareForUpdate: (draft, old) => keep(draft, old, "status"),
  validate,
  status: {
    prepareForUpdate: keepMetadataOfObject,
    validateUpdate: ({ status }) =>
      (status?.typeChecking?.expressionWarnings ?? []).flatMap(({ fieldRef, warning }, at) => {
        const own = index("status.typeChecking.expressionWarnings", at);
        return [
          ...(fieldRef ? [] : [required(child(own, "fieldRef"))]),
          ...(warning ? [] : [required(child(own, "warning"))]),
        ];
      }),
  },
});
