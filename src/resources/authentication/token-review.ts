// TokenReview: whose token is this?

import { defineResource } from "#machinery/define-resource.ts";
import { required } from "#machinery/field-error.ts";
import type { TokenReview } from "#machinery/gen/types/authentication-v1.ts";
import { nameColumn } from "../columns.ts";

export const tokenReview = defineResource<TokenReview>({
  group: "authentication.k8s.io",
  version: "v1",
  kind: "TokenReview",
  resource: "tokenreviews",
  namespaced: false,
  verbs: ["create"],
  validateName: () => [],
  validate: ({ spec }) =>
    (spec.token ?? "") === ""
      ? [required("spec.token", "token is required for TokenReview in authentication")]
      : [],
  columns: [nameColumn],
});
