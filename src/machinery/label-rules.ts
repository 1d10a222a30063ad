// What is valid as labels and annotations, of objects and of templates. Pure.

import { invalid, tooLong, type FieldError } from "./field-error.ts";
import { checkLabelValue, checkQualifiedName } from "./names.ts";

export const annotationsBytesMax = 256 * 1024;

export function validateLabels(
  labels: Readonly<Record<string, string>> | undefined,
  path: string,
): FieldError[] {
  return Object.entries(labels ?? {}).flatMap(([key, value]) => [
    ...checkQualifiedName(key).map((why) => invalid(path, key, why)),
    ...checkLabelValue(value).map((why) => invalid(path, value, why)),
  ]);
}

export const annotationsBytes = (annotations: Readonly<Record<string, string>>): number =>
  Object.entries(annotations).reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value),
    0,
  );

export function validateAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  path: string,
): FieldError[] {
  const errors = Object.keys(annotations ?? {}).flatMap((key) =>
    checkQualifiedName(key.toLowerCase()).map((why) => invalid(path, key, why)),
  );
  if (annotationsBytes(annotations ?? {}) > annotationsBytesMax)
    errors.push(tooLong(path, annotationsBytesMax));
  return errors;
}
