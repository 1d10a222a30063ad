// What is a valid pod template: what workloads make their pods of. Pure.

import type { PodTemplateSpec } from "#machinery/gen/types/core-v1.ts";
import { child, forbidden, notSupported, type FieldError } from "#machinery/field-error.ts";
import { validateAnnotations, validateLabels } from "#machinery/label-rules.ts";
import { validatePodSpec } from "../pod-validation.ts";

/** All errors of a template at `path` (`spec.template`). */
export function validatePodTemplate(template: PodTemplateSpec, path: string): FieldError[] {
  const errors = [
    ...validateLabels(template.metadata?.labels, child(path, "labels")),
    ...validateAnnotations(template.metadata?.annotations, child(path, "annotations")),
    ...validatePodSpec(template.spec ?? { containers: [] }, child(path, "spec")),
  ];
  if ((template.spec?.ephemeralContainers ?? []).length > 0)
    errors.push(
      forbidden(child(path, "spec.ephemeralContainers"), "ephemeral containers not allowed in pod template"),
    );
  return errors;
}

/** The template of what keeps its pods running: they restart always, and have no deadline. `kind` is named in errors. */
export function validateServiceTemplate(template: PodTemplateSpec, path: string, kind: string): FieldError[] {
  const errors = validatePodTemplate(template, path);
  const { restartPolicy, activeDeadlineSeconds } = template.spec ?? { containers: [] };
  if (restartPolicy !== undefined && restartPolicy !== "Always")
    errors.push(notSupported(child(path, "spec.restartPolicy"), restartPolicy, ["Always"]));
  if (activeDeadlineSeconds !== undefined)
    errors.push(
      forbidden(
        child(path, "spec.activeDeadlineSeconds"),
        `activeDeadlineSeconds in ${kind} is not Supported`,
      ),
    );
  return errors;
}
