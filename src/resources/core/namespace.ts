// Namespace: a scope for names, deleted together with everything in it.

import { defineResource } from "#machinery/define-resource.ts";
import type { Namespace } from "#machinery/gen/types/core-v1.ts";
import { checkDnsLabel, nameCheck } from "#machinery/names.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";

const nameLabel = "kubernetes.io/metadata.name";

export const namespace = defineResource<Namespace>({
  group: "",
  version: "v1",
  kind: "Namespace",
  resource: "namespaces",
  shortNames: ["ns"],
  namespaced: false,
  verbs: ["create", "delete", "get", "list", "patch", "update", "watch"],
  validateName: nameCheck(checkDnsLabel),
  columns: [nameColumn, column("Status", (object) => object.status?.phase ?? ""), ageColumn],
  applyDefaults: (draft) => {
    const name = draft.metadata?.name;
    if (!name || draft.metadata === undefined) return;
    draft.metadata.labels = { ...draft.metadata.labels, [nameLabel]: name };
  },
  prepareForCreate: (draft) => {
    const finalizers = draft.spec?.finalizers ?? [];
    draft.spec = {
      finalizers: finalizers.includes("kubernetes") ? finalizers : [...finalizers, "kubernetes"],
    };
    draft.status = { phase: "Active" };
  },
  prepareForUpdate: (draft, old) => {
    draft.spec = structuredClone(old.spec ?? {});
    draft.status = structuredClone(old.status ?? { phase: "Active" });
  },
  prepareForDelete: (draft) => {
    draft.status = { ...draft.status, phase: "Terminating" };
  },
  specFinalizers: (object) => object.spec?.finalizers ?? [],
  selectableFields: { "status.phase": (object) => object.status?.phase ?? "" },
  status: {},
  subresources: { finalize: { verbs: ["update"], kind: { group: "", version: "v1", kind: "Namespace" } } },
});
