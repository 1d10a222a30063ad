// What roles and bindings have in common: valid rules, subjects and references. Pure.

import type { ClusterRole, RoleBinding } from "#machinery/gen/types/rbac-v1.ts";
import { child, index, invalid, notSupported, required, type FieldError } from "#machinery/field-error.ts";
import { checkDnsSubdomain } from "#machinery/names.ts";

const rbacGroup = "rbac.authorization.k8s.io";

export function validateRules(rules: ClusterRole["rules"], namespaced: boolean): FieldError[] {
  return (rules ?? []).flatMap((rule, at) => {
    const own = index("rules", at);
    const errors: FieldError[] = [];
    if ((rule.verbs ?? []).length === 0)
      errors.push(required(child(own, "verbs"), "verbs must contain at least one value"));
    if ((rule.nonResourceURLs ?? []).length > 0) {
      if (namespaced)
        errors.push(
          invalid(
            child(own, "nonResourceURLs"),
            rule.nonResourceURLs,
            "namespaced rules cannot apply to non-resource URLs",
          ),
        );
      if ([rule.apiGroups, rule.resources, rule.resourceNames].some((list) => (list ?? []).length > 0)) {
        errors.push(
          invalid(
            child(own, "nonResourceURLs"),
            rule.nonResourceURLs,
            "rules cannot apply to both regular resources and non-resource URLs",
          ),
        );
      }
      return errors;
    }
    if ((rule.apiGroups ?? []).length === 0)
      errors.push(required(child(own, "apiGroups"), "resource rules must supply at least one api group"));
    if ((rule.resources ?? []).length === 0)
      errors.push(required(child(own, "resources"), "resource rules must supply at least one resource"));
    return errors;
  });
}

export function bindingDefaults(binding: RoleBinding): void {
  if (binding.roleRef !== undefined) binding.roleRef.apiGroup ||= rbacGroup;
  for (const subject of binding.subjects ?? []) {
    if (subject.apiGroup === undefined || subject.apiGroup === "") {
      if (subject.kind === "User" || subject.kind === "Group") subject.apiGroup = rbacGroup;
      else delete subject.apiGroup;
    }
  }
}

export function validateBinding(binding: RoleBinding, namespaced: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const { apiGroup, kind, name } = binding.roleRef ?? {};
  const kinds = namespaced ? ["Role", "ClusterRole"] : ["ClusterRole"];
  if (apiGroup !== rbacGroup) errors.push(notSupported("roleRef.apiGroup", apiGroup ?? "", [rbacGroup]));
  if (!kinds.includes(kind ?? "")) errors.push(notSupported("roleRef.kind", kind ?? "", kinds));
  if (!name) errors.push(required("roleRef.name"));
  for (const [at, subject] of (binding.subjects ?? []).entries()) {
    const own = index("subjects", at);
    if (!subject.name) errors.push(required(child(own, "name")));
    if (!["Group", "ServiceAccount", "User"].includes(subject.kind ?? ""))
      errors.push(notSupported(child(own, "kind"), subject.kind ?? "", ["ServiceAccount", "User", "Group"]));
    if (subject.kind !== "ServiceAccount") continue;
    errors.push(
      ...checkDnsSubdomain(subject.name ?? "").map((why) => invalid(child(own, "name"), subject.name, why)),
    );
    if (!subject.namespace && !namespaced) errors.push(required(child(own, "namespace")));
    if (subject.apiGroup) errors.push(notSupported(child(own, "apiGroup"), subject.apiGroup, [""]));
  }
  return errors;
}

export function validateBindingUpdate(
  next: RoleBinding,
  old: RoleBinding,
  namespaced: boolean,
): FieldError[] {
  const errors = validateBinding(next, namespaced);
  const same = (["apiGroup", "kind", "name"] as const).every(
    (key) => next.roleRef?.[key] === old.roleRef?.[key],
  );
  if (!same) errors.push(invalid("roleRef", next.roleRef, "cannot change roleRef"));
  return errors;
}

export const roleColumn = (binding: RoleBinding): string =>
  `${binding.roleRef?.kind ?? ""}/${binding.roleRef?.name ?? ""}`;

export const subjectNames = (binding: RoleBinding, kind: string): string =>
  (binding.subjects ?? [])
    .filter((subject) => subject.kind === kind)
    .map((subject) =>
      kind === "ServiceAccount" ? `${subject.namespace ?? ""}/${subject.name ?? ""}` : (subject.name ?? ""),
    )
    .join(", ");
