// What is a valid Job, for Jobs and for the templates of CronJobs. Pure.

import { child, invalid, notSupported, required, type FieldError } from "#machinery/field-error.ts";
import type { Job, JobSpec } from "#machinery/gen/types/batch-v1.ts";
import { checkDnsLabel } from "#machinery/names.ts";
import { validatePodTemplate } from "../core/pod/pod-template.ts";
import { nonNegative, oneOf, validateLabelSelector } from "../field-checks.ts";
import { domainPrefixedPath, longerThan } from "../reference-checks.ts";
import { validateSelected } from "../workload.ts";
import { validateFailurePolicy, validateSuccessPolicy } from "./job-policies.ts";
import { validateMadeSelector } from "./job-selector.ts";

const parallelismMax = 100_000;
const failedIndexesMax = 100_000;
/** With more completions than this, limits per index must be small too: the status names each index. */
const manyCompletions = 100_000;
const limitOfManyMax = 10_000;
const managedByLengthMax = 63;

/** All errors of what a Job and a CronJob's template have in common. */
export function validateJobSpec(spec: JobSpec, path: string): FieldError[] {
  const at = (name: string): string => child(path, name);
  const errors = (
    [
      "parallelism",
      "completions",
      "activeDeadlineSeconds",
      "backoffLimit",
      "ttlSecondsAfterFinished",
      "backoffLimitPerIndex",
      "maxFailedIndexes",
    ] as const
  ).flatMap((name) => nonNegative(spec[name], at(name)));
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined)
    errors.push(required(at("backoffLimitPerIndex"), "when maxFailedIndexes is specified"));
  if (spec.managedBy !== undefined)
    errors.push(
      ...domainPrefixedPath(spec.managedBy, at("managedBy")),
      ...longerThan(spec.managedBy, managedByLengthMax, at("managedBy")),
    );
  errors.push(
    ...oneOf(spec.completionMode, ["NonIndexed", "Indexed"], at("completionMode")),
    ...(spec.completionMode === "Indexed" ? validateIndexed(spec, path) : validateUnindexed(spec, path)),
    ...validateFailurePolicy(spec, path),
    ...validateSuccessPolicy(spec, path),
    ...validateReplacement(spec, at("podReplacementPolicy")),
    ...validatePodTemplate(spec.template, at("template")),
  );
  const restart = spec.template.spec?.restartPolicy ?? "";
  const restartPath = at("template.spec.restartPolicy");
  if (restart === "" || restart === "Always")
    errors.push(required(restartPath, 'valid values: "OnFailure", "Never"'));
  else if (restart !== "OnFailure" && restart !== "Never")
    errors.push(notSupported(restartPath, restart, ["OnFailure", "Never"]));
  if (spec.podFailurePolicy !== undefined && restart !== "Never")
    errors.push(
      invalid(restartPath, restart, 'only "Never" is supported when podFailurePolicy is specified'),
    );
  return errors;
}

/** Limits of each index need indexes. */
const validateUnindexed = (spec: JobSpec, path: string): FieldError[] =>
  (["backoffLimitPerIndex", "maxFailedIndexes"] as const).flatMap((name) =>
    spec[name] === undefined
      ? []
      : [invalid(child(path, name), spec[name], "requires indexed completion mode")],
  );

function validateReplacement(spec: JobSpec, path: string): FieldError[] {
  const policy = spec.podReplacementPolicy;
  const allowed = spec.podFailurePolicy === undefined ? ["Failed", "TerminatingOrFailed"] : ["Failed"];
  return oneOf(policy, allowed, path);
}

function validateIndexed(spec: JobSpec, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { completions, parallelism = 0, maxFailedIndexes, backoffLimitPerIndex } = spec;
  if (completions === undefined)
    errors.push(required(child(path, "completions"), "when completion mode is Indexed"));
  if (parallelism > parallelismMax)
    errors.push(
      invalid(
        child(path, "parallelism"),
        parallelism,
        `must be less than or equal to ${parallelismMax} when completion mode is Indexed`,
      ),
    );
  const failedPath = child(path, "maxFailedIndexes");
  if (maxFailedIndexes !== undefined && completions !== undefined && maxFailedIndexes > completions)
    errors.push(invalid(failedPath, maxFailedIndexes, "must be less than or equal to completions"));
  if (maxFailedIndexes !== undefined && maxFailedIndexes > failedIndexesMax)
    errors.push(invalid(failedPath, maxFailedIndexes, `must be less than or equal to ${failedIndexesMax}`));
  if ((completions ?? 0) > manyCompletions && backoffLimitPerIndex !== undefined) {
    if (maxFailedIndexes === undefined)
      errors.push(required(failedPath, `must be specified when completions is above ${manyCompletions}`));
    for (const [name, value = 0] of Object.entries({ parallelism, maxFailedIndexes }))
      if (value > limitOfManyMax)
        errors.push(
          invalid(
            child(path, name),
            value,
            `must be less than or equal to ${limitOfManyMax} when completions are above ${manyCompletions} and used with backoff limit per index`,
          ),
        );
  }
  return errors;
}

/** All errors of a Job's spec: what its template would have too, and its selector. */
export function validateWholeSpec(spec: JobSpec): FieldError[] {
  const errors = validateJobSpec(spec, "spec");
  const path = "spec.selector";
  if (spec.selector === undefined)
    return [...errors, required(path), ...validateSelected(undefined, spec.template)];
  const broken = validateLabelSelector(spec.selector, path);
  return [...errors, ...broken, ...(broken.length > 0 ? [] : validateSelected(spec.selector, spec.template))];
}

/** All errors of a new Job. */
export function validateJob(job: Job): FieldError[] {
  const { spec = { template: {} }, metadata } = job;
  return [
    ...validateMadeSelector(job),
    ...validateWholeSpec(spec),
    ...validateHostnames(spec, metadata?.name),
  ];
}

/** The pods of an indexed Job are hosts by its name and their index. */
function validateHostnames({ completionMode, completions = 0 }: JobSpec, name = ""): FieldError[] {
  const last = `${name}-${completions - 1}`;
  return completionMode === "Indexed" && completions > 0 && checkDnsLabel(last).length > 0
    ? [invalid("metadata.name", name, `will not able to create pod with invalid DNS label: ${last}`)]
    : [];
}
