// ReplicaSet: as many pods of one template as asked for.

import { defineResource } from "#machinery/define-resource.ts";
import type { FieldError } from "#machinery/field-error.ts";
import type { ReplicaSet } from "#machinery/gen/types/apps-v1.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { podSpecDefaults } from "../core/pod-defaults.ts";
import { templateWarnings } from "../core/pod/pod-warnings.ts";
import { nonNegative } from "../field-checks.ts";
import {
  containerColumns,
  nameWarnings,
  scaleSelector,
  selectorColumn,
  selectorImmutable,
  validateAvailable,
  validateSelection,
  validateStatusNumbers,
} from "../workload.ts";

function validate({ spec = { selector: {} } }: ReplicaSet): FieldError[] {
  const { template = {} } = spec;
  return [
    ...nonNegative(spec.replicas, "spec.replicas"),
    ...nonNegative(spec.minReadySeconds, "spec.minReadySeconds"),
    // As documented: the error of an empty selector speaks of what ReplicaSets are usually made by.
    ...validateSelection(spec.selector, template, {
      kind: "ReplicaSet",
      empty: "empty selector is invalid for deployment",
      broken: "invalid label selector",
    }),
  ];
}

export const replicaSet = defineResource<ReplicaSet>({
  group: "apps",
  version: "v1",
  kind: "ReplicaSet",
  resource: "replicasets",
  shortNames: ["rs"],
  categories: ["all"],
  namespaced: true,
  validateName: nameCheck(checkDnsSubdomain),
  generation: "spec",
  columns: [
    nameColumn,
    column("Desired", ({ spec }) => spec?.replicas ?? 0, { type: "integer" }),
    column("Current", ({ status }) => status?.replicas ?? 0, { type: "integer" }),
    column("Ready", ({ status }) => status?.readyReplicas ?? 0, { type: "integer" }),
    ageColumn,
    ...containerColumns,
    selectorColumn,
  ],
  applyDefaults: (draft) => {
    const spec = (draft.spec ??= { selector: {} });
    spec.replicas ??= 1;
    if (spec.template?.spec !== undefined) podSpecDefaults(spec.template.spec);
  },
  prepareForCreate: (draft) => {
    draft.status = { replicas: 0 };
  },
  prepareForUpdate: (draft, old) => {
    draft.status = structuredClone(old.status ?? { replicas: 0 });
  },
  validate,
  validateUpdate: (next, old) => [...validate(next), ...selectorImmutable(next, old)],
  warnings: (object, old) => [
    ...nameWarnings(object, old),
    ...templateWarnings(object.spec?.template, "spec.template", object, old),
  ],
  selectableFields: { "status.replicas": ({ status }) => String(status?.replicas ?? 0) },
  status: {
    validateUpdate: ({ status }) => [
      ...validateStatusNumbers(
        status,
        [
          "replicas",
          "fullyLabeledReplicas",
          "readyReplicas",
          "availableReplicas",
          "terminatingReplicas",
          "observedGeneration",
        ],
        ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"],
      ),
      ...validateAvailable(status, "readyReplicas"),
    ],
  },
  scale: {
    specReplicasPath: "spec.replicas",
    statusReplicasPath: "status.replicas",
    selector: scaleSelector,
  },
});
