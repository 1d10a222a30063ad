// What is a valid Job, for Jobs and for the templates of CronJobs. Pure.

import { isDeepStrictEqual } from "node:util";
import { child, invalid, notSupported, required, tooLong, type FieldError } from "#machinery/field-error.ts";
import type { Job, JobSpec } from "#machinery/gen/types/batch-v1.ts";
import type { PodTemplateSpec } from "#machinery/gen/types/core-v1.ts";
import { checkDnsSubdomain } from "#machinery/names.ts";
import { matches, selectorFromObject } from "#machinery/selectors.ts";
import { validatePodTemplate } from "../core/pod/pod-template.ts";
import { isImmutable, nonNegative, oneOf, validateLabelSelector } from "../field-checks.ts";
import { validateFailurePolicy, validateSuccessPolicy } from "./job-policies.ts";

export const controllerUidLabel = "batch.kubernetes.io/controller-uid";
export const jobNameLabel = "batch.kubernetes.io/job-name";
/** The same labels as they were called before they had a domain. */
export const oldControllerUidLabel = "controller-uid";
export const oldJobNameLabel = "job-name";

const parallelismMax = 100_000;
const failedIndexesMax = 100_000;
/** With more completions than this, limits per index must be small too: the status names each index. */
const manyCompletions = 100_000;
const parallelismOfManyMax = 10_000;
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
      "maxFailedIndexes",
      "backoffLimitPerIndex",
    ] as const
  ).flatMap((name) => nonNegative(spec[name], at(name)));
  errors.push(
    ...oneOf(spec.completionMode, ["NonIndexed", "Indexed"], at("completionMode")),
    ...validateReplacement(spec, at("podReplacementPolicy")),
    ...validateManagedBy(spec.managedBy, at("managedBy")),
    ...(spec.completionMode === "Indexed" ? validateIndexed(spec, path) : []),
    ...validateFailurePolicy(spec, path),
    ...validateSuccessPolicy(spec, path),
    ...validatePodTemplate(spec.template, at("template")),
  );
  if (spec.completionMode !== "Indexed" && spec.backoffLimitPerIndex !== undefined)
    errors.push(
      invalid(at("backoffLimitPerIndex"), spec.backoffLimitPerIndex, "requires indexed completion mode"),
    );
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined)
    errors.push(required(at("backoffLimitPerIndex"), "when maxFailedIndexes is specified"));
  const restart = spec.template.spec?.restartPolicy ?? "";
  const restartPath = at("template.spec.restartPolicy");
  if (restart === "" || restart === "Always")
    errors.push(required(restartPath, 'valid values: "OnFailure", "Never"'));
  else if (restart !== "OnFailure" && restart !== "Never")
    errors.push(notSupported(restartPath, restart, ["OnFailure", "Never"]));
  return errors;
}

function validateReplacement(spec: JobSpec, path: string): FieldError[] {
  const policy = spec.podReplacementPolicy;
  const allowed = spec.podFailurePolicy === undefined ? ["Failed", "TerminatingOrFailed"] : ["Failed"];
  return oneOf(policy, allowed, path);
}

/** Somebody's domain, then a path. */
function validateManagedBy(value: string | undefined, path: string): FieldError[] {
  if (value === undefined) return [];
  const slash = value.indexOf("/");
  const errors: FieldError[] = [];
  if (slash <= 0 || slash === value.length - 1)
    errors.push(invalid(path, value, 'must be a domain-prefixed path (such as "acme.io/foo")'));
  else
    errors.push(
      ...checkDnsSubdomain(value.slice(0, slash)).map((why) => invalid(path, value.slice(0, slash), why)),
    );
  if (value.length > managedByLengthMax) errors.push(tooLong(path, managedByLengthMax));
  return errors;
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
  if (maxFailedIndexes === undefined && backoffLimitPerIndex === undefined) return errors;
  const failedPath = child(path, "maxFailedIndexes");
  if (maxFailedIndexes !== undefined && completions !== undefined && maxFailedIndexes > completions)
    errors.push(invalid(failedPath, maxFailedIndexes, "must be less than or equal to completions"));
  if (maxFailedIndexes !== undefined && maxFailedIndexes > failedIndexesMax)
    errors.push(invalid(failedPath, maxFailedIndexes, `must be less than or equal to ${failedIndexesMax}`));
  if ((completions ?? 0) > manyCompletions) {
    if (maxFailedIndexes === undefined)
      errors.push(required(failedPath, `must be specified when completions is above ${manyCompletions}`));
    if (parallelism > parallelismOfManyMax)
      errors.push(
        invalid(
          child(path, "parallelism"),
          parallelism,
          `must be less than or equal to ${parallelismOfManyMax} when completions are above ${manyCompletions} and used with backoff limit per index`,
        ),
      );
  }
  return errors;
}

/** A selector that the server made fits the labels that it made; one by hand fits the template. */
function validateSelector({ metadata, spec }: Job): FieldError[] {
  const path = "spec.selector";
  if (spec?.selector === undefined) return [required(path)];
  const errors = validateLabelSelector(spec.selector, path);
  const labels = spec.template.metadata?.labels ?? {};
  if (spec.manualSelector !== true) {
    const own = "spec.template.metadata.labels";
    const expected = [
      [controllerUidLabel, metadata?.uid ?? ""],
      [oldControllerUidLabel, metadata?.uid ?? ""],
      [jobNameLabel, metadata?.name ?? ""],
      [oldJobNameLabel, metadata?.name ?? ""],
    ] as const;
    for (const [label, value] of expected)
      if (labels[label] !== value)
        errors.push(invalid(own, labels, `must have label ${label} with value ${value}`));
    const selected =
      spec.selector.matchLabels?.[controllerUidLabel] ?? spec.selector.matchLabels?.[oldControllerUidLabel];
    if (selected !== metadata?.uid)
      errors.push(invalid(path, spec.selector, "`selector` not auto-generated"));
  }
  if (!matches(selectorFromObject(spec.selector) ?? [], labels))
    errors.push(
      invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`"),
    );
  return errors;
}

export function validateJob(job: Job): FieldError[] {
  return [...validateJobSpec(job.spec ?? { template: {} }, "spec"), ...validateSelector(job)];
}

export function validateJobUpdate(next: Job, old: Job): FieldError[] {
  const [now, before] = [next.spec ?? { template: {} }, old.spec ?? { template: {} }];
  const errors = [...validateJob(next), ...validateCompletions(now, before)];
  for (const name of [
    "selector",
    "completionMode",
    "podFailurePolicy",
    "backoffLimitPerIndex",
    "managedBy",
    "successPolicy",
  ] as const)
    if (!isDeepStrictEqual(now[name], before[name]))
      errors.push(invalid(`spec.${name}`, now[name] ?? null, isImmutable));
  if (!isDeepStrictEqual(comparable(now.template, old), comparable(before.template, old)))
    errors.push(invalid("spec.template", now.template, isImmutable));
  return errors;
}

/** An indexed Job may grow and shrink, all its indexes running at once. */
function validateCompletions(now: JobSpec, before: JobSpec): FieldError[] {
  if (now.completions === before.completions) return [];
  const path = "spec.completions";
  if (before.completionMode !== "Indexed") return [invalid(path, now.completions ?? null, isImmutable)];
  if (now.completions === undefined || before.completions === undefined) return [];
  return now.completions === now.parallelism && before.completions === before.parallelism
    ? []
    : [invalid(path, now.completions, `can only be modified in tandem with ${"spec.parallelism"}`)];
}

/** The template, but for what says where pods run, as long as none has: queues choose that when they let a Job start. */
function comparable(template: PodTemplateSpec, old: Job): PodTemplateSpec {
  const isSuspended = old.spec?.suspend === true && old.status?.startTime === undefined;
  if (!isSuspended) return template;
  const { labels: _l, annotations: _a, ...metadata } = template.metadata ?? {};
  const {
    affinity,
    nodeSelector: _n,
    tolerations: _t,
    schedulingGates: _s,
    ...spec
  } = template.spec ?? {
    containers: [],
  };
  const { nodeAffinity: _na, ...otherAffinity } = affinity ?? {};
  return {
    metadata,
    spec: { ...spec, ...(Object.keys(otherAffinity).length === 0 ? {} : { affinity: otherAffinity }) },
  };
}
