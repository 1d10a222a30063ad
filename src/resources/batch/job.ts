// Job: pods of one template that run to their end, so many times.

import { defineResource } from "#machinery/define-resource.ts";
import type { Job, JobSpec } from "#machinery/gen/types/batch-v1.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { humanDuration } from "../age.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { podSpecDefaults } from "../core/pod-defaults.ts";
import { templateWarnings } from "../core/pod/pod-warnings.ts";
import { containerColumns, nameWarnings, selectorColumn } from "../workload.ts";
import { makeSelector } from "./job-selector.ts";
import { validateJobStatus } from "./job-status.ts";
import { validateJobUpdate } from "./job-update.ts";
import { validateJob } from "./job-validation.ts";

/** Above both, the list of indexes may grow too long for a status. */
const manyCompletions = 100_000;
const manyAtOnce = 10_000;
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
  spec.manualSelector ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? "TerminatingOrFailed" : "Failed";
  jobTemplateDefaults(spec);
}

/** Who gave a Job no labels finds it by those of its pods. */
function labelDefaults(draft: Job): void {
  const labels = draft.spec?.template?.metadata?.labels ?? {};
  const metadata = (draft.metadata ??= {});
  if (Object.keys(metadata.labels ?? {}).length === 0 && Object.keys(labels).length > 0)
    metadata.labels = { ...labels };
}

function warningsOf(object: Job, old: Job | undefined): string[] {
  const { completionMode, completions = 0, parallelism = 0 } = object.spec ?? { template: {} };
  return [
    ...nameWarnings(object, old),
    ...templateWarnings(object.spec?.template, "spec.template", object, old),
    ...(completionMode === "Indexed" && completions > manyCompletions && parallelism > manyAtOnce
      ? [
          "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail",
        ]
      : []),
  ];
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
    labelDefaults(draft);
  },
  prepareForCreate: (draft) => {
    draft.status = {};
    makeSelector(draft);
    labelDefaults(draft);
  },
  prepareForUpdate: (draft, old) => {
    draft.status = structuredClone(old.status ?? {});
  },
  validate: validateJob,
  validateUpdate: validateJobUpdate,
  selectableFields: { "status.successful": ({ status }) => String(status?.succeeded ?? 0) },
  warnings: warningsOf,
  deletionWarning:
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning",
  status: { prepareForUpdate: labelDefaults, validateUpdate: validateJobStatus },
});
