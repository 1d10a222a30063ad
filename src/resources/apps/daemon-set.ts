// DaemonSet: one pod of a template on each node that it fits.

import { isDeepStrictEqual } from "node:util";
import { defineResource } from "#machinery/define-resource.ts";
import { invalid, notSupported, required, type FieldError } from "#machinery/field-error.ts";
import type { DaemonSet, DaemonSetSpec } from "#machinery/gen/types/apps-v1.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { formatSelector, selectorFromMap } from "#machinery/selectors.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { podSpecDefaults } from "../core/pod-defaults.ts";
import { templateWarnings } from "../core/pod/pod-warnings.ts";
import { nonNegative } from "../field-checks.ts";
import {
  containerColumns,
  isNone,
  selectorColumn,
  selectorImmutable,
  shownStrategy,
  validateAmount,
  validateAtMostAll,
  validateCollisions,
  validateSelection,
  validateStatusNumbers,
} from "../workload.ts";

const defaultRevisionHistoryLimit = 10;
/** Which template it is, from before there was `metadata.generation`: clients still read it. */
const templateGeneration = "deprecated.daemonset.template.generation";

function validateStrategy({ updateStrategy }: DaemonSetSpec): FieldError[] {
  const path = "spec.updateStrategy";
  const type = updateStrategy?.type ?? "";
  if (type === "OnDelete") return [];
  if (type !== "RollingUpdate")
    return [
      notSupported(
        path,
        shownStrategy(updateStrategy, { MaxUnavailable: "maxUnavailable", MaxSurge: "maxSurge" }),
        ["RollingUpdate", "OnDelete"],
      ),
    ];
  const rolling = updateStrategy?.rollingUpdate;
  const own = `${path}.rollingUpdate`;
  if (rolling === undefined) return [required(own)];
  const { maxUnavailable, maxSurge } = rolling;
  const errors = [
    ...validateAmount(maxUnavailable, `${own}.maxUnavailable`),
    ...validateAtMostAll(maxUnavailable, `${own}.maxUnavailable`),
    ...validateAmount(maxSurge, `${own}.maxSurge`),
    ...validateAtMostAll(maxSurge, `${own}.maxSurge`),
  ];
  if (errors.length > 0) return errors;
  if (isNone(maxUnavailable) && isNone(maxSurge))
    return [required(`${own}.maxUnavailable`, "cannot be 0 when maxSurge is 0")];
  if (!isNone(maxUnavailable) && !isNone(maxSurge))
    return [invalid(`${own}.maxSurge`, maxSurge, "may not be set when maxUnavailable is non-zero")];
  return [];
}

function validate({ spec = { selector: {}, template: {} } }: DaemonSet): FieldError[] {
  return [
    ...validateSelection(spec.selector, spec.template, {
      kind: "DaemonSet",
      empty: "empty selector is invalid for daemonset",
    }),
    ...nonNegative(spec.minReadySeconds, "spec.minReadySeconds"),
    ...validateStrategy(spec),
    ...nonNegative(spec.revisionHistoryLimit, "spec.revisionHistoryLimit"),
  ];
}

const counts = [
  "currentNumberScheduled",
  "numberMisscheduled",
  "desiredNumberScheduled",
  "numberReady",
  "observedGeneration",
  "updatedNumberScheduled",
  "numberAvailable",
  "numberUnavailable",
  "collisionCount",
] as const;

const emptyStatus = {
  currentNumberScheduled: 0,
  numberMisscheduled: 0,
  desiredNumberScheduled: 0,
  numberReady: 0,
};

const templateCount = ({ metadata }: DaemonSet): number =>
  Number(metadata?.annotations?.[templateGeneration] ?? 1);

function markTemplate(draft: DaemonSet, generation: number): void {
  const metadata = (draft.metadata ??= {});
  metadata.annotations = { ...metadata.annotations, [templateGeneration]: String(generation) };
}

export const daemonSet = defineResource<DaemonSet>({
  group: "apps",
  version: "v1",
  kind: "DaemonSet",
  resource: "daemonsets",
  shortNames: ["ds"],
  categories: ["all"],
  namespaced: true,
  validateName: nameCheck(checkDnsSubdomain),
  generation: "spec",
  columns: [
    nameColumn,
    column("Desired", ({ status }) => status?.desiredNumberScheduled ?? 0, { type: "integer" }),
    column("Current", ({ status }) => status?.currentNumberScheduled ?? 0, { type: "integer" }),
    column("Ready", ({ status }) => status?.numberReady ?? 0, { type: "integer" }),
    column("Up-to-date", ({ status }) => status?.updatedNumberScheduled ?? 0, { type: "integer" }),
    column("Available", ({ status }) => status?.numberAvailable ?? 0, { type: "integer" }),
    column("Node Selector", ({ spec }) => {
      const labels = spec?.template?.spec?.nodeSelector ?? {};
      return Object.keys(labels).length === 0 ? "<none>" : formatSelector(selectorFromMap(labels));
    }),
    ageColumn,
    ...containerColumns,
    selectorColumn,
  ],
  applyDefaults: (draft) => {
    const spec = (draft.spec ??= { selector: {}, template: {} });
    const strategy = (spec.updateStrategy ??= {});
    strategy.type ||= "RollingUpdate";
    if (strategy.type === "RollingUpdate") {
      const rolling = (strategy.rollingUpdate ??= {});
      rolling.maxUnavailable ??= 1;
      rolling.maxSurge ??= 0;
    }
    spec.revisionHistoryLimit ??= defaultRevisionHistoryLimit;
    if (spec.template?.spec !== undefined) podSpecDefaults(spec.template.spec);
  },
  prepareForCreate: (draft) => {
    draft.status = { ...emptyStatus };
    markTemplate(draft, 1);
  },
  prepareForUpdate: (draft, old) => {
    draft.status = structuredClone(old.status ?? { ...emptyStatus });
    const before = templateCount(old);
    markTemplate(draft, isDeepStrictEqual(draft.spec?.template, old.spec?.template) ? before : before + 1);
  },
  validate,
  validateUpdate: (next, old) => [...validate(next), ...selectorImmutable(next, old)],
  warnings: (object, old) => templateWarnings(object.spec?.template, "spec.template", object, old),
  status: {
    // The count is kept, whatever becomes of the other annotations.
    prepareForUpdate: (next, old) => markTemplate(next, templateCount(old)),
    validateUpdate: ({ status }, old) => [
      ...validateStatusNumbers(status, counts),
      ...validateCollisions(status, old.status),
    ],
  },
});
