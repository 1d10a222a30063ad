// ServiceAccount: an identity for what runs in pods.

import { defineResource } from "#machinery/define-resource.ts";
import type { ServiceAccount } from "#machinery/gen/types/core-v1.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";

export const serviceAccount = defineResource<ServiceAccount>({
  group: "",
  version: "v1",
  kind: "ServiceAccount",
  resource: "serviceaccounts",
  shortNames: ["sa"],
  namespaced: true,
  returnsDeleted: true,
  validateName: nameCheck(checkDnsSubdomain),
  columns: [
    nameColumn,
    column("Secrets", (object) => object.secrets?.length ?? 0, { type: "integer" }),
    ageColumn,
  ],
  subresources: {
    token: {
      verbs: ["create"],
      kind: { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest" },
    },
  },
});
