// SubjectAccessReview: may this user or group do that?

import { defineResource } from "#machinery/define-resource.ts";
import type { SubjectAccessReview } from "#machinery/gen/types/authorization-v1.ts";
import { nameColumn } from "../columns.ts";
import { validateNoMetadata, validateSubject } from "./access-attributes.ts";

export const subjectAccessReview = defineResource<SubjectAccessReview>({
  group: "authorization.k8s.io",
  version: "v1",
  kind: "SubjectAccessReview",
  resource: "subjectaccessreviews",
  namespaced: false,
  verbs: ["create"],
  validateName: () => [],
  validate: ({ metadata, spec }) => [...validateSubject(spec), ...validateNoMetadata(metadata, [])],
  columns: [nameColumn],
});
