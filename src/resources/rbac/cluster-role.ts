// ClusterRole: rules that hold everywhere.

import { defineResource } from "#machinery/define-resource.ts";
import type { ClusterRole } from "#machinery/gen/types/rbac-v1.ts";
import { checkPathSegment } from "#machinery/names.ts";
import { column, nameColumn } from "../columns.ts";
import { validateRules } from "./rules.ts";

export const clusterRole = defineResource<ClusterRole>({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "ClusterRole",
  resource: "clusterroles",
  namespaced: false,
  allowCreateOnUpdate: true,
  validateName: checkPathSegment,
  columns: [nameColumn, column("Created At", (object) => object.metadata?.creationTimestamp ?? "")],
  validate: (object) => validateRules(object.rules, false),
});
