// ClusterRoleBinding: gives a cluster role to subjects everywhere.

import { defineResource } from "#machinery/define-resource.ts";
import type { ClusterRoleBinding } from "#machinery/gen/types/rbac-v1.ts";
import { checkPathSegment } from "#machinery/names.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import {
  bindingDefaults,
  roleColumn,
  subjectNames,
  validateBinding,
  validateBindingUpdate,
} from "./rules.ts";

export const clusterRoleBinding = defineResource<ClusterRoleBinding>({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "ClusterRoleBinding",
  resource: "clusterrolebindings",
  namespaced: false,
  allowCreateOnUpdate: true,
  validateName: checkPathSegment,
  columns: [
    nameColumn,
    column("Role", roleColumn),
    ageColumn,
    column("Users", (object) => subjectNames(object, "User"), { wide: true }),
    column("Groups", (object) => subjectNames(object, "Group"), { wide: true }),
    column("ServiceAccounts", (object) => subjectNames(object, "ServiceAccount"), { wide: true }),
  ],
  applyDefaults: bindingDefaults,
  validate: (object) => validateBinding(object, false),
  validateUpdate: (next, old) => validateBindingUpdate(next, old, false),
});
