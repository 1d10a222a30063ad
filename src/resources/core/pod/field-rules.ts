// Which fields of a pod its environment and its volumes may show. Pure.

import type { ObjectFieldSelector } from "#machinery/gen/types/core-v1.ts";
import { child, invalid, required, type FieldError } from "#machinery/field-error.ts";
import { checkQualifiedName } from "#machinery/names.ts";

/** A single label or annotation: `metadata.labels['app']`. */
const oneOfMap = /^metadata\.(labels|annotations)\['(.+)'\]$/;

export function validateFieldRef(
  { apiVersion = "v1", fieldPath }: ObjectFieldSelector,
  path: string,
  known: ReadonlySet<string>,
): FieldError[] {
  if (!fieldPath) return [required(child(path, "fieldPath"))];
  const own = child(path, "fieldPath");
  if (apiVersion !== "v1")
    return [invalid(own, fieldPath, `error converting fieldPath: unsupported pod version: ${apiVersion}`)];
  const match = oneOfMap.exec(fieldPath);
  if (match !== null)
    return checkQualifiedName((match[2] as string).toLowerCase()).map((why) => invalid(own, match[2], why));
  return known.has(fieldPath)
    ? []
    : [invalid(own, fieldPath, `error converting fieldPath: field label not supported: ${fieldPath}`)];
}
