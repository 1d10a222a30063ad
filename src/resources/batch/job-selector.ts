// How a Job knows its pods: by labels with its uid and name that the server puts into the template, unless the user
// chose a selector of their own. Pure.

import { child, invalid, keyed, required, type FieldError } from "#machinery/field-error.ts";
import type { Job } from "#machinery/gen/types/batch-v1.ts";
import { matches, selectorFromObject } from "#machinery/selectors.ts";

const controllerUidLabel = "batch.kubernetes.io/controller-uid";
const jobNameLabel = "batch.kubernetes.io/job-name";
/** The same labels as they were called before they had a domain. */
const oldControllerUidLabel = "controller-uid";
const oldJobNameLabel = "job-name";

const ownLabels = ({ metadata: { uid = "", name = "" } = {} }: Job) =>
  [
    [oldControllerUidLabel, uid],
    [oldJobNameLabel, name],
    [controllerUidLabel, uid],
    [jobNameLabel, name],
  ] as const;

/** What the user wrote stays: where it contradicts, validation says so. */
export function makeSelector(draft: Job): void {
  const { spec, metadata } = draft;
  if (spec === undefined || spec.manualSelector === true) return;
  spec.template.metadata ??= {};
  const labels = (spec.template.metadata.labels ??= {});
  for (const [label, value] of ownLabels(draft)) if (!Object.hasOwn(labels, label)) labels[label] = value;
  spec.selector ??= {};
  (spec.selector.matchLabels ??= {})[controllerUidLabel] ??= metadata?.uid ?? "";
}

/** Of a new Job: the labels are those that were made, and the selector takes them. */
export function validateMadeSelector(job: Job): FieldError[] {
  const { spec } = job;
  if (spec?.selector === undefined || spec.manualSelector === true) return [];
  const own = ownLabels(job);
  const labels = spec.template.metadata?.labels ?? {};
  const errors: FieldError[] = [];
  for (const [label, value] of own) {
    const at = keyed(child("spec.template.metadata", "labels"), label);
    if (!Object.hasOwn(labels, label)) errors.push(required(at, `must be '${value}'`));
    else if (labels[label] !== value) errors.push(invalid(at, labels, `must be '${value}'`));
  }
  if (!matches(readable(job), Object.fromEntries(own)))
    errors.push(invalid("spec.selector", spec.selector, "`selector` not auto-generated"));
  return errors;
}

/** One that cannot be read is told of elsewhere. */
function readable({ spec }: Job): ReturnType<typeof selectorFromObject> & object {
  const operators = (spec?.selector?.matchExpressions ?? []).map(({ operator }) => operator);
  const isReadable = operators.every((one) => ["In", "NotIn", "Exists", "DoesNotExist"].includes(one));
  return (isReadable ? selectorFromObject(spec?.selector) : undefined) ?? [];
}
