// CustomResourceDefinition: a kind that users bring. Its schemas are looked at by schema-validation.ts, which is loaded
// when one is written; what it compiles to is in custom-resource.ts.

import { defineResource } from "#machinery/define-resource.ts";
import { timestamp } from "#base/clock.ts";
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition as Condition,
} from "#machinery/gen/types/apiextensions-v1.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { column, nameColumn } from "../columns.ts";
import {
  validateDefinition,
  validateDefinitionUpdate,
  validateStoredVersions,
} from "./definition-validation.ts";
import { withCondition } from "./names.ts";

/** Held while objects of the kind are there. */
export const cleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io";
const webhookPort = 443;

export const terminating: Condition = {
  type: "Terminating",
  status: "True",
  reason: "InstanceDeletionInProgress",
  message: "CustomResourceDefinition marked for deletion",
};

function applyDefaults({ spec }: CustomResourceDefinition): void {
  const { names } = spec;
  if (!names.singular) names.singular = names.kind.toLowerCase();
  if (!names.listKind && names.kind !== "") names.listKind = `${names.kind}List`;
  spec.conversion ??= { strategy: "None" };
  if (!spec.conversion.strategy) spec.conversion.strategy = "None";
  const service = spec.conversion.webhook?.clientConfig?.service;
  if (service !== undefined) service.port ??= webhookPort;
}

/** Once there may be objects in a version, it is remembered until somebody has seen to them. */
function rememberStorage(draft: CustomResourceDefinition): void {
  const stored = draft.spec.versions.find(({ storage }) => storage)?.name;
  const status = (draft.status ??= {});
  const known = status.storedVersions ?? [];
  if (stored !== undefined && !known.includes(stored)) status.storedVersions = [...known, stored];
}

export const customResourceDefinition = defineResource<CustomResourceDefinition>({
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  resource: "customresourcedefinitions",
  shortNames: ["crd", "crds"],
  categories: ["api-extensions"],
  namespaced: false,
  generation: "spec",
  validateName: nameCheck(checkDnsSubdomain),
  columns: [
    nameColumn,
    column("Created At", ({ metadata }) => metadata?.creationTimestamp ?? "<unknown>", {
      type: "date",
      description: "When the definition was created, by the server's clock.",
    }),
  ],
  applyDefaults,
  prepareForCreate: (draft) => {
    draft.status = { conditions: [], acceptedNames: { plural: "", kind: "" }, storedVersions: [] };
    rememberStorage(draft);
  },
  prepareForUpdate: (draft, old) => {
    draft.status = structuredClone(old.status ?? {});
    rememberStorage(draft);
  },
  validate: validateDefinition,
  validateUpdate: validateDefinitionUpdate,
  status: { validateUpdate: (next) => validateStoredVersions(next) },
  // Every deletion begins with a mark: its objects go first.
  specFinalizers: ({ metadata }) => (metadata?.deletionTimestamp === undefined ? [cleanupFinalizer] : []),
  prepareForDelete: (draft, { nowMs }) => {
    const metadata = (draft.metadata ??= {});
    const finalizers = metadata.finalizers ?? [];
    if (!finalizers.includes(cleanupFinalizer)) metadata.finalizers = [...finalizers, cleanupFinalizer];
    const status = (draft.status ??= {});
    status.conditions = withCondition(status.conditions ?? [], terminating, timestamp(nowMs));
  },
});
