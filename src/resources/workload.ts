// What workloads have in common: a selector that takes its own template's pods, amounts as numbers or percentages, the
// columns that tell what runs. Pure.

import type { Column } from "#machinery/define-resource.ts";
import { invalid, required, type FieldError } from "#machinery/field-error.ts";
import type { PodTemplateSpec } from "#machinery/gen/types/core-v1.ts";
import type { LabelSelector } from "#machinery/gen/types/meta-v1.ts";
import type { DeepReadonly, KubeObject } from "#machinery/meta.ts";
import { formatSelector, matches, selectorFromObject } from "#machinery/selectors.ts";
import { isDeepStrictEqual } from "node:util";
import { checkDnsLabel } from "#machinery/names.ts";
import { column } from "./columns.ts";
import { validateServiceTemplate } from "./core/pod/pod-template.ts";
import { isEmptySelector, isImmutable, nonNegative, validateLabelSelector } from "./field-checks.ts";

interface Workload extends KubeObject {
  readonly spec?: {
    readonly selector?: DeepReadonly<LabelSelector>;
    readonly template?: DeepReadonly<PodTemplateSpec>;
  };
}

/** What is told, kind by kind, of a selector without terms, and of one that is none (undefined: nothing more). */
interface SelectorWords {
  readonly kind: string;
  readonly empty: string;
  readonly broken?: string;
}

/**
 * A selector that is there, selects something, and selects the template's pods; and that template. The template of a
 * selector that cannot be read is not looked at.
 */
export function validateSelection(
  selector: LabelSelector | undefined,
  template: PodTemplateSpec,
  { kind, empty, broken }: SelectorWords,
): FieldError[] {
  const path = "spec.selector";
  const errors = selector === undefined ? [required(path)] : validateLabelSelector(selector, path);
  const isBroken = selector !== undefined && errors.length > 0;
  if (selector !== undefined && isEmptySelector(selector)) errors.push(invalid(path, selector, empty));
  if (isBroken && broken !== undefined) return [...errors, invalid(path, selector, broken)];
  if (!isBroken) errors.push(...validateSelected(selector, template));
  return [...errors, ...validateServiceTemplate(template, "spec.template", kind)];
}

/** Without a selector no pod is one's own. */
export function validateSelected(
  selector: LabelSelector | undefined,
  template: PodTemplateSpec,
): FieldError[] {
  const terms = selectorFromObject(selector);
  const labels = template.metadata?.labels;
  return terms !== undefined && matches(terms, labels)
    ? []
    : [invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")];
}

/** A name with dots is valid, and of little use. */
export function nameWarnings(object: KubeObject, old: KubeObject | undefined): string[] {
  const { name = "" } = object.metadata ?? {};
  const why = old === undefined ? checkDnsLabel(name) : [];
  return why.length === 0
    ? []
    : [
        `metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [${why.join(" ")}]`,
      ];
}

/** A strategy as errors show it: with capitals, and with what is absent. `rolling` are the fields of a rolling one. */
export function shownStrategy<R extends object>(
  strategy: { readonly type?: string; readonly rollingUpdate?: R } | undefined,
  rolling: Readonly<Record<string, keyof R>>,
): object {
  const { type = "", rollingUpdate } = strategy ?? {};
  return {
    Type: type,
    RollingUpdate: rollingUpdate === undefined ? null : shownFields(rollingUpdate, rolling),
  };
}

/** The fields of an object by the names under which errors show them; absent ones are null. */
export const shownFields = <T extends object>(
  object: T,
  names: Readonly<Record<string, keyof T>>,
): Record<string, unknown> =>
  Object.fromEntries(Object.entries(names).map(([shown, field]) => [shown, object[field] ?? null]));

/** A selector never changes: pods that it no longer takes would be nobody's. */
export const selectorImmutable = (next: Workload, old: Workload): FieldError[] =>
  isDeepStrictEqual(next.spec?.selector, old.spec?.selector)
    ? []
    : [invalid("spec.selector", next.spec?.selector, isImmutable)];

const percent = /^(\d+)%$/;

/** An amount of pods: a number that is not negative, or a percentage. */
export function validateAmount(value: number | string | undefined, path: string): FieldError[] {
  if (value === undefined) return [];
  if (typeof value === "number") return nonNegative(value, path);
  return percent.test(value)
    ? []
    : [
        invalid(
          path,
          value,
          "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
        ),
      ];
}

/** A percentage of all, at most. */
export function validateAtMostAll(value: number | string | undefined, path: string): FieldError[] {
  const parts = typeof value === "string" ? Number(percent.exec(value)?.[1] ?? 0) : 0;
  return parts > 100 ? [invalid(path, value, "must not be greater than 100%")] : [];
}

/** Nothing at all: 0, or 0%. */
export const isNone = (value: number | string | undefined): boolean =>
  value === undefined ||
  value === 0 ||
  (typeof value === "string" && Number(percent.exec(value)?.[1] ?? 1) === 0);

const templateContainers = (object: Workload): readonly { name?: string; image?: string }[] =>
  object.spec?.template?.spec?.containers ?? [];

const containerNames = (object: KubeObject): string =>
  templateContainers(object as Workload)
    .map(({ name = "" }) => name)
    .join(",");
const containerImages = (object: KubeObject): string =>
  templateContainers(object as Workload)
    .map(({ image = "" }) => image)
    .join(",");

/** Names and images of the template's containers; only with `-o wide`. */
export const containerColumns: readonly Column<KubeObject>[] = [
  column("Containers", containerNames, { wide: true }),
  column("Images", containerImages, { wide: true }),
];

export const selectorColumn: Column<KubeObject> = column(
  "Selector",
  (object: KubeObject) => {
    const selector = (object as Workload).spec?.selector;
    return formatSelector(selectorFromObject(selector) ?? []) || "<none>";
  },
  { wide: true },
);

/** The selector of a Scale, as text. */
export const scaleSelector = (object: KubeObject): string => {
  const selector = (object as Workload).spec?.selector;
  return selector === undefined ? "" : formatSelector(selectorFromObject(selector) ?? []);
};

/** Errors of numbers in a status: none is negative, and some are not greater than all replicas. */
export function validateStatusNumbers<S extends object>(
  status: S | undefined,
  fields: readonly (keyof S & string)[],
  parts: readonly (keyof S & string)[] = [],
): FieldError[] {
  if (status === undefined) return [];
  const number = (field: keyof S & string): number => Number(status[field] ?? 0);
  const errors = fields.flatMap((field) => nonNegative(number(field), `status.${field}`));
  const all = Number((status as { replicas?: number }).replicas ?? 0);
  for (const field of parts)
    if (number(field) > all)
      errors.push(invalid(`status.${field}`, number(field), "cannot be greater than status.replicas"));
  return errors;
}

/** Pods are ready first, then available. `than` is how the other number is called in the error. */
export function validateAvailable(
  status: { readonly availableReplicas?: number; readonly readyReplicas?: number } | undefined,
  than: string,
): FieldError[] {
  const { availableReplicas = 0, readyReplicas = 0 } = status ?? {};
  return availableReplicas > readyReplicas
    ? [invalid("status.availableReplicas", availableReplicas, `cannot be greater than ${than}`)]
    : [];
}

/** Names that are taken are counted, and never uncounted. */
export function validateCollisions(
  status: { readonly collisionCount?: number } | undefined,
  old: { readonly collisionCount?: number } | undefined,
): FieldError[] {
  const { collisionCount } = status ?? {};
  return (collisionCount ?? 0) < (old?.collisionCount ?? 0)
    ? [invalid("status.collisionCount", collisionCount, "cannot be decremented")]
    : [];
}
