// What the access reviews ask about: a resource or a path, one of them. Shared by their kinds.

import { invalid, type FieldError } from "#machinery/field-error.ts";
import type {
  SelfSubjectAccessReviewSpec,
  SubjectAccessReviewSpec,
} from "#machinery/gen/types/authorization-v1.ts";
import type { ObjectMeta } from "#machinery/meta.ts";

export function validateAttributes({
  resourceAttributes,
  nonResourceAttributes,
}: SelfSubjectAccessReviewSpec): FieldError[] {
  if (resourceAttributes !== undefined && nonResourceAttributes !== undefined)
    return [
      invalid(
        "spec.nonResourceAttributes",
        nonResourceAttributes,
        "cannot be specified in combination with resourceAttributes",
      ),
    ];
  if (resourceAttributes === undefined && nonResourceAttributes === undefined)
    return [
      invalid(
        "spec.resourceAttributes",
        resourceAttributes,
        "exactly one of nonResourceAttributes or resourceAttributes must be specified",
      ),
    ];
  return [];
}

export function validateSubject(spec: SubjectAccessReviewSpec): FieldError[] {
  const somebody = (spec.user ?? "") !== "" || (spec.groups ?? []).length > 0;
  return [
    ...validateAttributes(spec),
    ...(somebody
      ? []
      : [invalid("spec.user", spec.user ?? "", "at least one of user or group must be specified")]),
  ];
}

/** A question has no name of its own; at most a namespace, and who asks it. */
export function validateNoMetadata(
  metadata: ObjectMeta | undefined,
  allowed: readonly string[],
): FieldError[] {
  const given = Object.entries(metadata ?? {}).filter(
    ([key, value]) =>
      key !== "managedFields" && !allowed.includes(key) && value !== undefined && value !== null,
  );
  if (given.length === 0) return [];
  const rest = allowed.length === 0 ? "must be empty" : `must be empty except for ${allowed.join(", ")}`;
  return [invalid("metadata", Object.fromEntries(given), rest)];
}
