// What may change of a Job. Pure.

import { isDeepStrictEqual } from "node:util";
import { invalid, type FieldError } from "#machinery/field-error.ts";
import type { Job, JobSpec } from "#machinery/gen/types/batch-v1.ts";
import type { Container, PodTemplateSpec } from "#machinery/gen/types/core-v1.ts";
import { isImmutable } from "../field-checks.ts";
import { validateWholeSpec } from "./job-validation.ts";

const immutable = (name: keyof JobSpec, now: JobSpec, before: JobSpec): FieldError[] =>
  isDeepStrictEqual(now[name], before[name]) ? [] : [invalid(`spec.${name}`, now[name], isImmutable)];

export function validateJobUpdate(next: Job, old: Job): FieldError[] {
  const [now, before] = [next.spec ?? { template: {} }, old.spec ?? { template: {} }];
  const errors = [
    ...validateWholeSpec(now),
    ...validateCompletions(now, before),
    ...immutable("selector", now, before),
  ];
  if (!isDeepStrictEqual(comparable(now.template, old), comparable(before.template, old)))
    errors.push(invalid("spec.template", now.template, isImmutable));
  for (const name of [
    "completionMode",
    "podFailurePolicy",
    "backoffLimitPerIndex",
    "managedBy",
    "successPolicy",
  ] as const)
    errors.push(...immutable(name, now, before));
  return errors;
}

/** An indexed Job may grow and shrink, all its indexes running at once. */
function validateCompletions(now: JobSpec, before: JobSpec): FieldError[] {
  const path = "spec.completions";
  if (now.completionMode !== "Indexed") return immutable("completions", now, before);
  if (now.completions === before.completions || now.completions === now.parallelism) return [];
  return [invalid(path, now.completions, "can only be modified in tandem with spec.parallelism")];
}

/**
 * The template without what queues choose while a Job is suspended and none of its pods run: where they run, and how
 * much they get.
 */
function comparable(template: PodTemplateSpec, { spec: before, status }: Job): PodTemplateSpec {
  const isIdle = status?.startTime === undefined || (status.active ?? 0) === 0;
  if (before?.suspend !== true || !isIdle) return template;
  const { labels: _l, annotations: _a, ...metadata } = template.metadata ?? {};
  const {
    affinity,
    nodeSelector: _n,
    tolerations: _t,
    schedulingGates: _s,
    ...spec
  } = template.spec ?? { containers: [] };
  const { nodeAffinity: _na, ...otherAffinity } = affinity ?? {};
  return {
    metadata,
    spec: {
      ...spec,
      containers: unmeasured(spec.containers) ?? [],
      ...(spec.initContainers === undefined ? {} : { initContainers: unmeasured(spec.initContainers) ?? [] }),
      ...(Object.keys(otherAffinity).length === 0 ? {} : { affinity: otherAffinity }),
    },
  };
}

const unmeasured = (containers: readonly Container[] | undefined): Container[] | undefined =>
  containers?.map(({ resources = {}, ...container }) => {
    const { requests: _r, limits: _l, ...others } = resources;
    return { ...container, resources: others };
  });
