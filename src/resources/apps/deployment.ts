// Deployment: replicas of one template, rolled over to a new one as its strategy says.

import { defineResource } from "#machinery/define-resource.ts";
import { forbidden, invalid, notSupported, required, type FieldError } from "#machinery/field-error.ts";
import type { Deployment, DeploymentSpec } from "#machinery/gen/types/apps-v1.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { podSpecDefaults } from "../core/pod-defaults.ts";
import { templateWarnings } from "../core/pod/pod-warnings.ts";
import { nonNegative } from "../field-checks.ts";
import {
  containerColumns,
  isNone,
  nameWarnings,
  scaleSelector,
  selectorColumn,
  selectorImmutable,
  shownStrategy,
  validateAmount,
  validateAtMostAll,
  validateAvailable,
  validateCollisions,
  validateSelection,
  validateStatusNumbers,
} from "../workload.ts";

const defaultPart = "25%";
const defaultRevisionHistoryLimit = 10;
const defaultProgressDeadlineSeconds = 600;

function validateStrategy({ strategy }: DeploymentSpec): FieldError[] {
  const path = "spec.strategy";
  const rolling = strategy?.rollingUpdate;
  switch (strategy?.type) {
    case "Recreate":
      return rolling === undefined
        ? []
        : [forbidden(`${path}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'")];
    case "RollingUpdate": {
      const own = `${path}.rollingUpdate`;
      if (rolling === undefined) return [required(own, "this should be defaulted and never be nil")];
      const errors = [
        ...validateAmount(rolling.maxUnavailable, `${own}.maxUnavailable`),
        ...validateAmount(rolling.maxSurge, `${own}.maxSurge`),
      ];
      if (errors.length === 0 && isNone(rolling.maxUnavailable) && isNone(rolling.maxSurge))
        errors.push(
          invalid(`${own}.maxUnavailable`, rolling.maxUnavailable, "may not be 0 when `maxSurge` is 0"),
        );
      return [...errors, ...validateAtMostAll(rolling.maxUnavailable, `${own}.maxUnavailable`)];
    }
    default:
      return [
        notSupported(
          path,
          shownStrategy(strategy, { MaxUnavailable: "maxUnavailable", MaxSurge: "maxSurge" }),
          ["Recreate", "RollingUpdate"],
        ),
      ];
  }
}

function validate({ spec = { selector: {}, template: {} } }: Deployment): FieldError[] {
  const { minReadySeconds = 0, progressDeadlineSeconds } = spec;
  const errors = [
    ...nonNegative(spec.replicas, "spec.replicas"),
    // As documented: the template is told of as that of a ReplicaSet, which it becomes.
    ...validateSelection(spec.selector, spec.template, {
      kind: "ReplicaSet",
      empty: "empty selector is invalid for deployment",
      broken: "invalid label selector",
    }),
    ...validateStrategy(spec),
    ...nonNegative(minReadySeconds, "spec.minReadySeconds"),
    ...nonNegative(spec.revisionHistoryLimit, "spec.revisionHistoryLimit"),
  ];
  if (progressDeadlineSeconds !== undefined) {
    const own = "spec.progressDeadlineSeconds";
    errors.push(...nonNegative(progressDeadlineSeconds, own));
    if (progressDeadlineSeconds <= minReadySeconds)
      errors.push(invalid(own, progressDeadlineSeconds, "must be greater than minReadySeconds"));
  }
  return errors;
}

const counts = [
  "observedGeneration",
  "replicas",
  "updatedReplicas",
  "readyReplicas",
  "availableReplicas",
  "unavailableReplicas",
  "terminatingReplicas",
  "collisionCount",
] as const;

export const deployment = defineResource<Deployment>({
  group: "apps",
  version: "v1",
  kind: "Deployment",
  resource: "deployments",
  shortNames: ["deploy"],
  categories: ["all"],
  namespaced: true,
  validateName: nameCheck(checkDnsSubdomain),
  generation: "spec",
  columns: [
    nameColumn,
    column("Ready", ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`, {
      description: "Pods that are ready, of those that are wanted.",
    }),
    column("Up-to-date", ({ status }) => status?.updatedReplicas ?? 0, { type: "integer" }),
    column("Available", ({ status }) => status?.availableReplicas ?? 0, { type: "integer" }),
    ageColumn,
    ...containerColumns,
    selectorColumn,
  ],
  applyDefaults: (draft) => {
    const spec = (draft.spec ??= { selector: {}, template: {} });
    spec.replicas ??= 1;
    const strategy = (spec.strategy ??= {});
    strategy.type ||= "RollingUpdate";
    if (strategy.type === "RollingUpdate") {
      const rolling = (strategy.rollingUpdate ??= {});
      rolling.maxUnavailable ??= defaultPart;
      rolling.maxSurge ??= defaultPart;
    }
    spec.revisionHistoryLimit ??= defaultRevisionHistoryLimit;
    spec.progressDeadlineSeconds ??= defaultProgressDeadlineSeconds;
    if (spec.template?.spec !== undefined) podSpecDefaults(spec.template.spec);
  },
  prepareForCreate: (draft) => {
    draft.status = {};
  },
  prepareForUpdate: (draft, old) => {
    draft.status = structuredClone(old.status ?? {});
  },
  validate,
  validateUpdate: (next, old) => [...validate(next), ...selectorImmutable(next, old)],
  warnings: (object, old) => [
    ...nameWarnings(object, old),
    ...templateWarnings(object.spec?.template, "spec.template", object, old),
  ],
  status: {
    validateUpdate: (next, old) => [
      ...validateStatusNumbers(next.status, counts, [
        "updatedReplicas",
        "readyReplicas",
        "availableReplicas",
      ]),
      ...validateAvailable(next.status, "readyReplicas"),
      ...validateCollisions(next.status, old.status),
    ],
  },
  scale: {
    specReplicasPath: "spec.replicas",
    statusReplicasPath: "status.replicas",
    selector: scaleSelector,
  },
});
