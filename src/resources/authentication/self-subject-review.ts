// SelfSubjectReview: who am I? What `kubectl auth whoami` asks.

import { defineResource } from "#machinery/define-resource.ts";
import type { SelfSubjectReview } from "#machinery/gen/types/authentication-v1.ts";
import { nameColumn } from "../columns.ts";

export const selfSubjectReview = defineResource<SelfSubjectReview>({
  group: "authentication.k8s.io",
  version: "v1",
  kind: "SelfSubjectReview",
  resource: "selfsubjectreviews",
  namespaced: false,
  verbs: ["create"],
  validateName: () => [],
  columns: [nameColumn],
});
