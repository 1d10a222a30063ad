// Role: rules that hold in one namespace.

import { defineResource } from "#machinery/define-resource.ts";
import type { Role } from "#machinery/gen/types/rbac-v1.ts";
import { checkPathSegment } from "#machinery/names.ts";
import { column, nameColumn } from "../columns.ts";
import { validateRules } from "./rules.ts";

export const role = defineResource<Role>({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "Role",
  resource: "roles",
  namespaced: true,
  allowCreateOnUpdate: true,
  validateName: checkPathSegment,
  columns: [nameColumn, column("Created At", (object) => object.metadata?.creationTimestamp ?? "")],
  validate: (object) => validateRules(object.rules, true),
});
