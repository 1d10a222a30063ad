// Job: pods of one template that run to their end, so many times.

import { defineResource } from "#machinery/define-resource.ts";
import type { Job, JobSpec } from "#machinery/gen/types/batch-v1.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { humanDuration } from "../age.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { podSpecDefaults } from "../core/pod-defaults.ts";
import { containerColumns, selectorColumn, validateStatusNumbers } from "../workload.ts";
import {
  controllerUidLabel,
  jobNameLabel,
  oldControllerUidLabel,
  oldJobNameLabel,
  validateJob,
  validateJobUpdate,
} from "./job-validation.ts";

const defaultBackoffLimit = 6;
/** With a limit per index there is none for the whole. */
const unlimited = 2 ** 31 - 1;

/** The defaults that a CronJob's template has too. */
export function jobTemplateDefaults(spec: JobSpec): void {
  for (const rule of spec.podFailurePolicy?.rules ?? [])
    for (const condition of rule.onPodConditions ?? []) condition.status ||= "True";
  if (spec.template?.spec !== undefined) podSpecDefaults(spec.template.spec);
}

function jobSpecDefaults(spec: JobSpec): void {
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? defaultBackoffLimit : unlimited;
  spec.completionMode ??= "NonIndexed";
  spec.suspend ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? "TerminatingOrFailed" : "Failed";
  jobTemplateDefaults(spec);
}

/** Unless the selector is the user's own, the Job's pods are told by its uid. */
function makeSelector(draft: Job): void {
  const { spec, metadata } = draft;
  if (spec === undefined || spec.manualSelector === true) return;
  const { uid = "", name = "" } = metadata ?? {};
  spec.template.metadata ??= {};
  const labels = (spec.template.metadata.labels ??= {});
  for (const [label, value] of [
    [controllerUidLabel, uid],
    [jobNameLabel, name],
    [oldControllerUidLabel, uid],
    [oldJobNameLabel, name],
  ] as const)
    labels[label] ??= value;
  spec.selector ??= {};
  (spec.selector.matchLabels ??= {})[controllerUidLabel] ??= uid;
}

function statusOf({ metadata, status }: Job): string {
  const has = (type: string): boolean =>
    status?.conditions?.some((one) => one.type === type && one.status === "True") ?? false;
  for (const type of ["Complete", "Failed"]) if (has(type)) return type;
  if (metadata?.deletionTimestamp !== undefined) return "Terminating";
  for (const type of ["Suspended", "FailureTarget", "SuccessCriteriaMet"]) if (has(type)) return type;
  return "Running";
}

function completionsOf({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0;
  if (spec?.completions !== undefined) return `${succeeded}/${spec.completions}`;
  const parallelism = spec?.parallelism ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function durationOf({ status }: Job, nowMs: number): string {
  if (status?.startTime === undefined) return "";
  const endMs = status.completionTime === undefined ? nowMs : Date.parse(status.completionTime);
  return humanDuration(endMs - Date.parse(status.startTime));
}

export const job = defineResource<Job>({
  group: "batch",
  version: "v1",
  kind: "Job",
  resource: "jobs",
  categories: ["all"],
  namespaced: true,
  validateName: nameCheck(checkDnsSubdomain),
  generation: "spec",
  defaultPropagation: "Orphan",
  columns: [
    nameColumn,
    column("Status", statusOf),
    column("Completions", completionsOf),
    column("Duration", durationOf, { description: "Time that it took, or has taken until now." }),
    ageColumn,
    ...containerColumns,
    selectorColumn,
  ],
  applyDefaults: (draft) => {
    const spec = (draft.spec ??= { template: {} });
    jobSpecDefaults(spec);
    const labels = spec.template?.metadata?.labels;
    const metadata = (draft.metadata ??= {});
    if (
      labels !== undefined &&
      Object.keys(metadata.labels ?? {}).length === 0 &&
      Object.keys(labels).length > 0
    )
      metadata.labels = { ...labels };
  },
  prepareForCreate: (draft) => {
    draft.status = {};
    makeSelector(draft);
  },
  prepareForUpdate: (draft, old) => {
    draft.status = structuredClone(old.status ?? {});
  },
  validate: validateJob,
  validateUpdate: validateJobUpdate,
  selectableFields: { "status.successful": ({ status }) => String(status?.succeeded ?? 0) },
  status: {
    validateUpdate: ({ status }) =>
      validateStatusNumbers(status, ["active", "succeeded", "failed", "terminating", "ready"]),
  },
});
