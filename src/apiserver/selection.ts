// Label and field selectors of a request, compiled into one test of an object. Pure.

import type { ResourceDefinition } from "#machinery/define-resource.ts";
import { fieldsMatch, parseFieldSelector, type FieldSelector } from "#machinery/field-selectors.ts";
import { parseSelector, matches, type Selector } from "#machinery/selectors.ts";
import { badRequest } from "#machinery/status.ts";
import { toError } from "#base/assert.ts";
import type { KubeObject } from "#machinery/meta.ts";
import type { CachedObject } from "./stored-object.ts";

export interface Selection {
  /** Everything matches: nobody needs to parse. */
  readonly all: boolean;
  /** `metadata.name=x`: a single object. */
  readonly name: string | undefined;
  matches(object: CachedObject): boolean;
}

function fieldOf(definition: ResourceDefinition, object: KubeObject, field: string): string {
  if (field === "metadata.name") return object.metadata?.name ?? "";
  if (field === "metadata.namespace") return object.metadata?.namespace ?? "";
  return definition.selectableFields[field]?.(object) ?? "";
}

export function selectionOf(query: URLSearchParams, definition: ResourceDefinition): Selection {
  let labels: Selector = [];
  let fields: FieldSelector = [];
  try {
    labels = parseSelector(query.get("labelSelector") ?? "");
    fields = parseFieldSelector(query.get("fieldSelector") ?? "");
  } catch (error) {
    throw badRequest(toError(error).message);
  }
  for (const { field } of fields) {
    if (
      field !== "metadata.name" &&
      !(field === "metadata.namespace" && definition.namespaced) &&
      definition.selectableFields[field] === undefined
    ) {
      throw badRequest(
        `Unable to find "${definition.group === "" ? definition.version : `${definition.group}/${definition.version}`}, Resource=${definition.resource}" that match label selector "${query.get("labelSelector") ?? ""}", field selector "${query.get("fieldSelector") ?? ""}": field label not supported: ${field}`,
      );
    }
  }
  const all = labels.length === 0 && fields.length === 0;
  return {
    all,
    name: fields.find(({ field, equal }) => field === "metadata.name" && equal)?.value,
    matches: (cached) =>
      all ||
      (matches(labels, cached.object.metadata?.labels) &&
        fieldsMatch(fields, (field) => fieldOf(definition, cached.object, field))),
  };
}
