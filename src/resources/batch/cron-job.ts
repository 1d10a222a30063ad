// CronJob: Jobs of one template, each time that a schedule says.

import { defineResource } from "#machinery/define-resource.ts";
import { invalid, notSupported, required, type FieldError } from "#machinery/field-error.ts";
import type { CronJob, CronJobSpec } from "#machinery/gen/types/batch-v1.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { validateAnnotations, validateLabels } from "#machinery/label-rules.ts";
import { age } from "../age.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { nonNegative } from "../field-checks.ts";
import { formatSelector, selectorFromObject } from "#machinery/selectors.ts";
import { CronError, parseCron } from "./cron-schedule.ts";
import { jobTemplateDefaults } from "./job.ts";
import { validateJobSpec } from "./job-validation.ts";

const policies = ["Allow", "Forbid", "Replace"];
/** The names of its Jobs are this name and eleven characters more, and a label of their pods. */
const nameLengthMax = 52;
const defaultSuccessfulLimit = 3;
const defaultFailedLimit = 1;

function validateSchedule({ schedule, timeZone }: CronJobSpec): FieldError[] {
  const path = "spec.schedule";
  if (!schedule) return [required(path)];
  const errors: FieldError[] = [];
  try {
    if (!schedule.includes("TZ")) parseCron(schedule);
  } catch (thrown) {
    if (!(thrown instanceof CronError)) throw thrown;
    errors.push(invalid(path, schedule, thrown.message));
  }
  if (schedule.includes("TZ"))
    errors.push(invalid(path, schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"));
  return [...errors, ...validateTimeZone(timeZone)];
}

function validateTimeZone(timeZone: string | undefined): FieldError[] {
  const path = "spec.timeZone";
  if (timeZone === undefined) return [];
  if (timeZone === "") return [invalid(path, timeZone, "timeZone must be nil or non-empty string")];
  if (timeZone.toLowerCase() === "local")
    return [
      invalid(
        path,
        timeZone,
        "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones",
      ),
    ];
  return isTimeZone(timeZone) ? [] : [invalid(path, timeZone, `unknown time zone ${timeZone}`)];
}

/** Names only: an offset is no zone. */
function isTimeZone(name: string): boolean {
  if (/^[+-]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function validate({ metadata, spec = { schedule: "", jobTemplate: {} } }: CronJob): FieldError[] {
  const errors: FieldError[] = [];
  const { name = "" } = metadata ?? {};
  if (name.length > nameLengthMax)
    errors.push(invalid("metadata.name", name, "must be no more than 52 characters"));
  const policy = spec.concurrencyPolicy ?? "";
  if (policy === "") errors.push(required("spec.concurrencyPolicy"));
  else if (!policies.includes(policy)) errors.push(notSupported("spec.concurrencyPolicy", policy, policies));
  const { spec: job, metadata: template } = spec.jobTemplate;
  const path = "spec.jobTemplate.spec";
  if (job?.selector !== undefined)
    errors.push(
      invalid(
        `${path}.selector`,
        formatSelector(selectorFromObject(job.selector) ?? []),
        "`selector` will be auto-generated",
      ),
    );
  if (job?.manualSelector === true)
    errors.push(notSupported(`${path}.manualSelector`, true, ["nil", "false"]));
  return [
    ...validateSchedule(spec),
    ...nonNegative(spec.startingDeadlineSeconds, "spec.startingDeadlineSeconds"),
    ...nonNegative(spec.successfulJobsHistoryLimit, "spec.successfulJobsHistoryLimit"),
    ...nonNegative(spec.failedJobsHistoryLimit, "spec.failedJobsHistoryLimit"),
    ...errors,
    ...validateLabels(template?.labels, "spec.jobTemplate.labels"),
    ...validateAnnotations(template?.annotations, "spec.jobTemplate.annotations"),
    ...validateJobSpec(job ?? { template: {} }, path),
  ];
}

const containersOf = ({ spec }: CronJob): readonly { name?: string; image?: string }[] =>
  spec?.jobTemplate?.spec?.template?.spec?.containers ?? [];

export const cronJob = defineResource<CronJob>({
  group: "batch",
  version: "v1",
  kind: "CronJob",
  resource: "cronjobs",
  shortNames: ["cj"],
  categories: ["all"],
  namespaced: true,
  validateName: nameCheck(checkDnsSubdomain),
  generation: "spec",
  defaultPropagation: "Background",
  columns: [
    nameColumn,
    column("Schedule", ({ spec }) => spec?.schedule ?? ""),
    column("Timezone", ({ spec }) => spec?.timeZone ?? "<none>"),
    column("Suspend", ({ spec }) => (spec?.suspend === true ? "True" : "False")),
    column("Active", ({ status }) => status?.active?.length ?? 0, { type: "integer" }),
    column("Last Schedule", ({ status }, nowMs) =>
      status?.lastScheduleTime === undefined ? "<none>" : age(status.lastScheduleTime, nowMs),
    ),
    ageColumn,
    column(
      "Containers",
      (object) =>
        containersOf(object)
          .map(({ name = "" }) => name)
          .join(","),
      { wide: true },
    ),
    column(
      "Images",
      (object) =>
        containersOf(object)
          .map(({ image = "" }) => image)
          .join(","),
      { wide: true },
    ),
    column(
      "Selector",
      ({ spec }) => {
        const selector = spec?.jobTemplate?.spec?.selector;
        return selector === undefined ? "<none>" : formatSelector(selectorFromObject(selector) ?? []);
      },
      { wide: true },
    ),
  ],
  applyDefaults: (draft) => {
    const spec = (draft.spec ??= { schedule: "", jobTemplate: {} });
    spec.concurrencyPolicy ||= "Allow";
    spec.suspend ??= false;
    spec.successfulJobsHistoryLimit ??= defaultSuccessfulLimit;
    spec.failedJobsHistoryLimit ??= defaultFailedLimit;
    if (spec.jobTemplate?.spec !== undefined) jobTemplateDefaults(spec.jobTemplate.spec);
  },
  prepareForCreate: (draft) => {
    draft.status = {};
  },
  prepareForUpdate: (draft, old) => {
    draft.status = structuredClone(old.status ?? {});
  },
  validate,
  status: {},
});
