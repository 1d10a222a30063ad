// What is valid as a reference of an autoscaler: to what it scales, or to what a metric is about. Pure.

import { child, invalid, type FieldError } from "#machinery/field-error.ts";
import type { CrossVersionObjectReference } from "#machinery/gen/types/autoscaling-v2.ts";
import { pathSegment } from "../reference-checks.ts";

/** `groupRequired`: it must be of a named group, as everything that scales is, but for replication controllers. */
export function validateTargetReference(
  reference: CrossVersionObjectReference | undefined,
  path: string,
  { groupRequired }: { readonly groupRequired: boolean },
): FieldError[] {
  const { kind, name, apiVersion = "" } = reference ?? {};
  return [
    ...pathSegment(kind, child(path, "kind")),
    ...pathSegment(name, child(path, "name")),
    ...validateApiVersion(apiVersion, child(path, "apiVersion"), groupRequired),
  ];
}

function validateApiVersion(apiVersion: string, path: string, groupRequired: boolean): FieldError[] {
  const [group = "", ...rest] = apiVersion.split("/");
  if (rest.length > 1) return [invalid(path, apiVersion, `unexpected GroupVersion string: ${apiVersion}`)];
  return groupRequired && (rest.length === 0 || group === "")
    ? [invalid(path, apiVersion, "apiVersion must specify API group")]
    : [];
}
