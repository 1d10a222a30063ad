// SelfSubjectAccessReview: may I do that? What `kubectl auth can-i` asks.

import { defineResource } from "#machinery/define-resource.ts";
import type { SelfSubjectAccessReview } from "#machinery/gen/types/authorization-v1.ts";
import { nameColumn } from "../columns.ts";
import { validateAttributes, validateNoMetadata } from "./access-attributes.ts";

export const selfSubjectAccessReview = defineResource<SelfSubjectAccessReview>({
  group: "authorization.k8s.io",
  version: "v1",
  kind: "SelfSubjectAccessReview",
  resource: "selfsubjectaccessreviews",
  namespaced: false,
  verbs: ["create"],
  validateName: () => [],
  validate: ({ metadata, spec }) => [...validateAttributes(spec), ...validateNoMetadata(metadata, [])],
  columns: [nameColumn],
});
