// SelfSubjectRulesReview: what may I do in this namespace? What `kubectl auth can-i --list` asks.

import { defineResource } from "#machinery/define-resource.ts";
import { required } from "#machinery/field-error.ts";
import type { SelfSubjectRulesReview } from "#machinery/gen/types/authorization-v1.ts";
import { nameColumn } from "../columns.ts";

export const selfSubjectRulesReview = defineResource<SelfSubjectRulesReview>({
  group: "authorization.k8s.io",
  version: "v1",
  kind: "SelfSubjectRulesReview",
  resource: "selfsubjectrulesreviews",
  namespaced: false,
  verbs: ["create"],
  validateName: () => [],
  validate: ({ spec }) =>
    (spec.namespace ?? "") === "" ? [required("spec.namespace", "no namespace on request")] : [],
  columns: [nameColumn],
});
