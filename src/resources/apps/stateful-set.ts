// StatefulSet: pods with a name, a place in an order and storage of their own.

import { isDeepStrictEqual } from "node:util";
import { defineResource } from "#machinery/define-resource.ts";
import { forbidden, invalid, notSupported, required, type FieldError } from "#machinery/field-error.ts";
import type { StatefulSet, StatefulSetSpec } from "#machinery/gen/types/apps-v1.ts";
import type { PodTemplateSpec, Volume } from "#machinery/gen/types/core-v1.ts";
import { checkDnsLabel, nameCheck } from "#machinery/names.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { podSpecDefaults } from "../core/pod-defaults.ts";
import { templateWarnings } from "../core/pod/pod-warnings.ts";
import { each, nonNegative } from "../field-checks.ts";
import {
  containerColumns,
  isNone,
  scaleSelector,
  shownFields,
  shownStrategy,
  validateAmount,
  validateAtMostAll,
  validateAvailable,
  validateCollisions,
  validateSelection,
  validateStatusNumbers,
} from "../workload.ts";

const defaultRevisionHistoryLimit = 10;
const rollingNames = { Partition: "partition", MaxUnavailable: "maxUnavailable" } as const;
const retentions = ["Retain", "Delete"];

function validateStrategy({ updateStrategy }: StatefulSetSpec): FieldError[] {
  const path = "spec.updateStrategy";
  const rolling = updateStrategy?.rollingUpdate;
  const own = `${path}.rollingUpdate`;
  switch (updateStrategy?.type) {
    case undefined:
    case "":
      return [required(path)];
    case "OnDelete":
      return rolling === undefined
        ? []
        : [
            invalid(
              own,
              shownFields(rolling, rollingNames),
              "only allowed for updateStrategy 'RollingUpdate'",
            ),
          ];
    case "RollingUpdate": {
      const { partition, maxUnavailable } = rolling ?? {};
      const errors = nonNegative(partition, `${own}.partition`);
      if (maxUnavailable === undefined) return errors;
      const at = `${own}.maxUnavailable`;
      errors.push(...validateAmount(maxUnavailable, at), ...validateAtMostAll(maxUnavailable, at));
      if (isNone(maxUnavailable)) errors.push(invalid(at, maxUnavailable, "cannot be 0"));
      return errors;
    }
    default:
      return [
        invalid(path, shownStrategy(updateStrategy, rollingNames), "must be 'RollingUpdate' or 'OnDelete'"),
      ];
  }
}

function validateRetention({ persistentVolumeClaimRetentionPolicy: policy }: StatefulSetSpec): FieldError[] {
  return (["whenDeleted", "whenScaled"] as const).flatMap((when) => {
    const value = policy?.[when] ?? "";
    return policy === undefined || retentions.includes(value)
      ? []
      : [notSupported(`spec.persistentVolumeClaimRetentionPolicy.${when}`, value, retentions)];
  });
}

/** The template as its pods have it: each claim is a volume, which containers may mount, over one of the same name. */
function withClaims({ template, volumeClaimTemplates = [] }: StatefulSetSpec): PodTemplateSpec {
  if (volumeClaimTemplates.length === 0 || template.spec === undefined) return template;
  const claims = new Map(
    volumeClaimTemplates.map(({ metadata }): [string, Volume] => {
      const name = metadata?.name ?? "";
      return [name, { name, persistentVolumeClaim: { claimName: name } }];
    }),
  );
  const own = (template.spec.volumes ?? []).filter(({ name }) => !claims.has(name ?? ""));
  return { ...template, spec: { ...template.spec, volumes: [...own, ...claims.values()] } };
}

function validate({ spec = { selector: {}, template: {} } }: StatefulSet): FieldError[] {
  const policy = spec.podManagementPolicy ?? "";
  const errors: FieldError[] = [];
  if (policy === "") errors.push(required("spec.podManagementPolicy"));
  else if (policy !== "OrderedReady" && policy !== "Parallel")
    errors.push(invalid("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'"));
  if (spec.serviceName)
    errors.push(...each(checkDnsLabel(spec.serviceName), "spec.serviceName", spec.serviceName));
  return [
    ...errors,
    ...validateStrategy(spec),
    ...validateRetention(spec),
    ...nonNegative(spec.replicas, "spec.replicas"),
    ...nonNegative(spec.minReadySeconds, "spec.minReadySeconds"),
    ...nonNegative(spec.ordinals?.start, "spec.ordinals.start"),
    ...validateSelection(spec.selector, withClaims(spec), {
      kind: "StatefulSet",
      empty: "empty selector is invalid for statefulset",
      broken: "",
    }),
  ];
}

/** What may change of a StatefulSet; all else would make pods that do not fit those that are there. */
const mutable = [
  "replicas",
  "ordinals",
  "template",
  "updateStrategy",
  "revisionHistoryLimit",
  "persistentVolumeClaimRetentionPolicy",
  "minReadySeconds",
] as const;

const told = (names: readonly string[]): string =>
  `${names
    .slice(0, -1)
    .map((name) => `'${name}'`)
    .join(", ")} and '${names.at(-1) ?? ""}'`;

function validateChange(next: StatefulSet, old: StatefulSet): FieldError[] {
  const rest = (spec: StatefulSetSpec | undefined): object =>
    Object.fromEntries(
      Object.entries(spec ?? {}).filter(([name]) => !(mutable as readonly string[]).includes(name)),
    );
  return isDeepStrictEqual(rest(next.spec), rest(old.spec))
    ? []
    : [forbidden("spec", `updates to statefulset spec for fields other than ${told(mutable)} are forbidden`)];
}

export const statefulSet = defineResource<StatefulSet>({
  group: "apps",
  version: "v1",
  kind: "StatefulSet",
  resource: "statefulsets",
  shortNames: ["sts"],
  categories: ["all"],
  namespaced: true,
  validateName: nameCheck(checkDnsLabel),
  generation: "spec",
  columns: [
    nameColumn,
    column("Ready", ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`, {
      description: "Pods that are ready, of those that are wanted.",
    }),
    ageColumn,
    ...containerColumns,
  ],
  applyDefaults: (draft) => {
    const spec = (draft.spec ??= { selector: {}, template: {} });
    spec.podManagementPolicy ||= "OrderedReady";
    const strategy = (spec.updateStrategy ??= {});
    strategy.type ||= "RollingUpdate";
    if (strategy.type === "RollingUpdate") {
      strategy.rollingUpdate ??= {};
      strategy.rollingUpdate.partition ??= 0;
      strategy.rollingUpdate.maxUnavailable ??= 1;
    }
    const retention = (spec.persistentVolumeClaimRetentionPolicy ??= {});
    retention.whenDeleted ||= "Retain";
    retention.whenScaled ||= "Retain";
    spec.replicas ??= 1;
    spec.revisionHistoryLimit ??= defaultRevisionHistoryLimit;
    if (spec.template?.spec !== undefined) podSpecDefaults(spec.template.spec);
    for (const claim of spec.volumeClaimTemplates ?? []) {
      claim.kind ??= "PersistentVolumeClaim";
      claim.apiVersion ??= "v1";
      (claim.spec ??= {}).volumeMode ??= "Filesystem";
      (claim.status ??= {}).phase ??= "Pending";
    }
  },
  prepareForCreate: (draft) => {
    draft.status = { replicas: 0, availableReplicas: 0 };
  },
  prepareForUpdate: (draft, old) => {
    draft.status = structuredClone(old.status ?? { replicas: 0, availableReplicas: 0 });
  },
  validate,
  validateUpdate: (next, old) => [...validate(next), ...validateChange(next, old)],
  warnings: (object, old) => [
    ...templateWarnings(object.spec?.template, "spec.template", object, old),
    ...((object.spec?.revisionHistoryLimit ?? 0) < 0
      ? [
          "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended",
        ]
      : []),
  ],
  status: {
    validateUpdate: ({ status }, old) => [
      ...validateStatusNumbers(
        status,
        [
          "replicas",
          "readyReplicas",
          "currentReplicas",
          "updatedReplicas",
          "availableReplicas",
          "observedGeneration",
          "collisionCount",
        ],
        ["readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"],
      ),
      ...validateAvailable(status, "status.readyReplicas"),
      ...validateCollisions(status, old.status),
    ],
  },
  scale: {
    specReplicasPath: "spec.replicas",
    statusReplicasPath: "status.replicas",
    selector: scaleSelector,
  },
});
