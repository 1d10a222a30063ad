// LocalSubjectAccessReview: may this user or group do that in this namespace? Who owns a namespace may ask.

import { defineResource } from "#machinery/define-resource.ts";
import { invalid } from "#machinery/field-error.ts";
import type { LocalSubjectAccessReview } from "#machinery/gen/types/authorization-v1.ts";
import { nameColumn } from "../columns.ts";
import { validateNoMetadata, validateSubject } from "./access-attributes.ts";

export const localSubjectAccessReview = defineResource<LocalSubjectAccessReview>({
  group: "authorization.k8s.io",
  version: "v1",
  kind: "LocalSubjectAccessReview",
  resource: "localsubjectaccessreviews",
  namespaced: true,
  verbs: ["create"],
  validateName: () => [],
  validate: ({ metadata, spec }) => {
    const errors = [...validateSubject(spec), ...validateNoMetadata(metadata, ["namespace"])];
    const { resourceAttributes, nonResourceAttributes } = spec;
    if (resourceAttributes !== undefined && (resourceAttributes.namespace ?? "") !== metadata?.namespace)
      errors.push(
        invalid(
          "spec.resourceAttributes.namespace",
          resourceAttributes.namespace ?? "",
          "must match metadata.namespace",
        ),
      );
    if (nonResourceAttributes !== undefined)
      errors.push(
        invalid("spec.nonResourceAttributes", nonResourceAttributes, "disallowed on this kind of request"),
      );
    return errors;
  },
  columns: [nameColumn],
});
