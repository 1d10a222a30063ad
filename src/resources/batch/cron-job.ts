// CronJob: Jobs of one template, each time that a schedule says.

import { defineResource } from "#machinery/define-resource.ts";
import { invalid, notSupported, required, type FieldError } from "#machinery/field-error.ts";
import type { CronJob, CronJobSpec } from "#machinery/gen/types/batch-v1.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { age } from "../age.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { templateWarnings } from "../core/pod/pod-warnings.ts";
import { nonNegative } from "../field-checks.ts";
import { formatSelector, selectorFromObject } from "#machinery/selectors.ts";
import { nameWarnings } from "../workload.ts";
import { CronError, parseCron } from "./cron-schedule.ts";
import { jobTemplateDefaults } from "./job.ts";
import { validateJobSpec } from "./job-validation.ts";

const policies = ["Allow", "Forbid", "Replace"];
/** The names of its Jobs are this name and eleven characters more, and a label of their pods. */
const nameLengthMax = 52;
const defaultSuccessfulLimit = 3;
const defaultFailedLimit = 1;

/** A zone in the schedule is of old; who has one keeps it. */
function validateSchedule({ schedule, timeZone }: CronJobSpec, { keepsZone }: Rules): FieldError[] {
  const path = "spec.schedule";
  if (!schedule) return [required(path)];
  const errors: FieldError[] = [];
  try {
    parseCron(withoutZone(schedule));
  } catch (thrown) {
    if (!(thrown instanceof CronError)) throw thrown;
    errors.push(invalid(path, schedule, thrown.message));
  }
  if (schedule.includes("TZ") && keepsZone && timeZone !== undefined)
    errors.push(invalid(path, schedule, "cannot use both timeZone field and TZ or CRON_TZ in schedule"));
  if (schedule.includes("TZ") && !keepsZone)
    errors.push(invalid(path, schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"));
  return errors;
}

const withoutZone = (schedule: string): string => {
  const zone = /^(?:CRON_)?TZ=(\S*)\s*/.exec(schedule);
  if (zone === null) return schedule;
  if (!isTimeZone(zone[1] ?? ""))
    throw new CronError(`provided bad location ${zone[1]}: unknown time zone ${zone[1]}`);
  return schedule.slice(zone[0].length);
};

interface Rules {
  readonly keepsZone: boolean;
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
  if (!name.split("/").every((part) => /^[A-Za-z_][A-Za-z.\-_0-9+]{0,13}$/.test(part))) return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function validateSpec(spec: CronJobSpec, rules: Rules): FieldError[] {
  const policy = spec.concurrencyPolicy ?? "";
  const path = "spec.jobTemplate.spec";
  const { spec: job = { template: {} } } = spec.jobTemplate;
  const errors = [
    ...validateSchedule(spec, rules),
    ...nonNegative(spec.startingDeadlineSeconds, "spec.startingDeadlineSeconds"),
    ...validateTimeZone(spec.timeZone),
  ];
  if (policy === "") errors.push(required("spec.concurrencyPolicy"));
  else if (!policies.includes(policy)) errors.push(notSupported("spec.concurrencyPolicy", policy, policies));
  errors.push(...validateJobSpec(job, path));
  if (job.selector !== undefined)
    errors.push(invalid(`${path}.selector`, job.selector, "`selector` will be auto-generated"));
  if (job.manualSelector === true)
    errors.push(notSupported(`${path}.manualSelector`, true, ["nil", "false"]));
  return [
    ...errors,
    ...nonNegative(spec.successfulJobsHistoryLimit, "spec.successfulJobsHistoryLimit"),
    ...nonNegative(spec.failedJobsHistoryLimit, "spec.failedJobsHistoryLimit"),
  ];
}

function validate({ metadata, spec = { schedule: "", jobTemplate: {} } }: CronJob): FieldError[] {
  const { name = "" } = metadata ?? {};
  return [
    ...validateSpec(spec, { keepsZone: false }),
    ...(name.length > nameLengthMax
      ? [invalid("metadata.name", name, `must be no more than ${nameLengthMax} characters`)]
      : []),
  ];
}

function warningsOf(object: CronJob, old: CronJob | undefined): string[] {
  const { schedule = "" } = object.spec ?? {};
  return [
    ...nameWarnings(object, old),
    ...templateWarnings(
      object.spec?.jobTemplate?.spec?.template,
      "spec.jobTemplate.spec.template",
      object,
      old,
    ),
    ...(schedule.includes("TZ")
      ? [
          "CRON_TZ or TZ used in spec.schedule is not officially supported, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details",
        ]
      : []),
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
    column("Suspend", ({ spec }) => (spec?.suspend === true ? "True" : "False"), { type: "boolean" }),
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
  validateUpdate: ({ spec = { schedule: "", jobTemplate: {} } }, old) =>
    validateSpec(spec, { keepsZone: old.spec?.schedule?.includes("TZ") ?? false }),
  warnings: warningsOf,
  status: {},
});
