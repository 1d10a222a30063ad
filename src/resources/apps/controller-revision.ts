// ControllerRevision: one state of a template that a StatefulSet or DaemonSet can return to. It never changes.

import { isDeepStrictEqual } from "node:util";
import { defineResource } from "#machinery/define-resource.ts";
import { invalid, required, type FieldError } from "#machinery/field-error.ts";
import type { ControllerRevision } from "#machinery/gen/types/apps-v1.ts";
import { parseApiVersion } from "#machinery/meta.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { isImmutable, nonNegative } from "../field-checks.ts";

function validate({ data, revision }: ControllerRevision): FieldError[] {
  const errors = nonNegative(revision, "revision");
  if (data === undefined || data === null) errors.push(required("data", "data is mandatory"));
  return errors;
}

function controllerOf({ metadata }: ControllerRevision): string {
  const owner = metadata?.ownerReferences?.find(({ controller }) => controller === true);
  if (owner === undefined) return "<none>";
  const { group } = parseApiVersion(owner.apiVersion);
  return `${owner.kind.toLowerCase()}${group === "" ? "" : `.${group}`}/${owner.name}`;
}

export const controllerRevision = defineResource<ControllerRevision>({
  group: "apps",
  version: "v1",
  kind: "ControllerRevision",
  resource: "controllerrevisions",
  namespaced: true,
  validateName: nameCheck(checkDnsSubdomain),
  columns: [
    nameColumn,
    column("Controller", controllerOf),
    column("Revision", ({ revision }) => revision ?? 0, { type: "integer" }),
    ageColumn,
  ],
  validate,
  validateUpdate: (next, old) => [
    ...validate(next),
    ...(isDeepStrictEqual(next.data, old.data) ? [] : [invalid("data", next.data, isImmutable)]),
  ],
});
