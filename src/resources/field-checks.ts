// Checks of single fields that many kinds have, as lists of field errors. Pure.

import { child, index, invalid, notSupported, required, type FieldError } from "#machinery/field-error.ts";
import { validateLabels } from "#machinery/label-rules.ts";
import { checkLabelValue, checkPortName, checkPortNumber, checkQualifiedName } from "#machinery/names.ts";
import type { LabelSelectorObject } from "#machinery/selectors.ts";
import type { DeepReadonly } from "#machinery/meta.ts";

export const mustNotBeNegative = "must be greater than or equal to 0";
export const isImmutable = "field is immutable";
/** Each sentence as an error of this value. */
export const each = (sentences: readonly string[], path: string, value: unknown): FieldError[] =>
  sentences.map((why) => invalid(path, value, why));

export function nonNegative(value: number | undefined, path: string): FieldError[] {
  return value !== undefined && value < 0 ? [invalid(path, value, mustNotBeNegative)] : [];
}

/** One of these words, or nothing at all. */
export function oneOf(value: string | undefined, words: readonly string[], path: string): FieldError[] {
  return value === undefined || value === "" || words.includes(value)
    ? []
    : [notSupported(path, value, words)];
}

/** A required name, valid by `check`. */
export function requiredName(
  value: string | undefined,
  path: string,
  check: (value: string) => string[],
): FieldError[] {
  return value ? each(check(value), path, value) : [required(path)];
}

/** A port by its number or its name. */
export function validatePortReference(port: string | number | undefined, path: string): FieldError[] {
  if (port === undefined) return [required(path)];
  return typeof port === "number"
    ? each(checkPortNumber(port), path, port)
    : each(checkPortName(port), path, port);
}

export const labelName = (value: string, path: string): FieldError[] =>
  each(checkQualifiedName(value), path, value);

function selectorExpression(
  { key, operator, values = [] }: { key: string; operator: string; values?: readonly string[] },
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (operator === "In" || operator === "NotIn") {
    if (values.length === 0)
      errors.push(required(child(path, "values"), "must be specified when `operator` is 'In' or 'NotIn'"));
  } else if (operator === "Exists" || operator === "DoesNotExist") {
    if (values.length > 0)
      errors.push({
        type: "FieldValueForbidden",
        field: child(path, "values"),
        detail: "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
      });
  } else errors.push(invalid(child(path, "operator"), operator ?? "", "not a valid selector operator"));
  errors.push(...labelName(key ?? "", child(path, "key")));
  for (const [at, value] of values.entries())
    errors.push(...each(checkLabelValue(value), index(child(path, "values"), at), value));
  return errors;
}

/** A LabelSelector object. */
export function validateLabelSelector(
  selector: DeepReadonly<LabelSelectorObject> | undefined,
  path: string,
): FieldError[] {
  if (selector === undefined) return [];
  return [
    ...validateLabels(selector.matchLabels, child(path, "matchLabels")),
    ...(selector.matchExpressions ?? []).flatMap((expression, at) =>
      selectorExpression(expression, index(child(path, "matchExpressions"), at)),
    ),
  ];
}

export const isEmptySelector = (selector: DeepReadonly<LabelSelectorObject> | undefined): boolean =>
  Object.keys(selector?.matchLabels ?? {}).length === 0 && (selector?.matchExpressions ?? []).length === 0;

/** Keeps what was there: the draft's field becomes the stored one, or goes. */
export function keep<T extends object>(draft: T, old: T, ...fields: (keyof T)[]): void {
  for (const field of fields) {
    if (old[field] === undefined) delete draft[field];
    else draft[field] = structuredClone(old[field]);
  }
}
