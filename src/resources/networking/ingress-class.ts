// IngressClass: which controller serves an Ingress, and with which parameters.

import { defineResource } from "#machinery/define-resource.ts";
import type { IngressClass, IngressClassParametersReference } from "#machinery/gen/types/networking-v1.ts";
import {
  child,
  forbidden,
  invalid,
  notSupported,
  required,
  type FieldError,
} from "#machinery/field-error.ts";
import { checkDnsLabel, checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { each, isImmutable } from "../field-checks.ts";
import { domainPrefixedPath, longerThan, typedReference } from "../reference-checks.ts";

const controllerBytesMax = 250;

function validateParameters(reference: IngressClassParametersReference, path: string): FieldError[] {
  const errors = typedReference(reference, path);
  const { scope, namespace } = reference;
  if (scope === undefined) return [...errors, required(child(path, "scope"))];
  const own = child(path, "namespace");
  if (scope === "Namespace") {
    if (namespace === undefined) errors.push(required(own, "`parameters.scope` is set to 'Namespace'"));
    else errors.push(...each(checkDnsLabel(namespace), own, namespace));
  } else if (scope === "Cluster") {
    if (namespace !== undefined) errors.push(forbidden(own, "`parameters.scope` is set to 'Cluster'"));
  } else errors.push(notSupported(child(path, "scope"), scope, ["Cluster", "Namespace"]));
  return errors;
}

function validate({ spec = {} }: IngressClass): FieldError[] {
  return [
    ...longerThan(spec.controller, controllerBytesMax, "spec.controller"),
    ...domainPrefixedPath(spec.controller, "spec.controller"),
    ...(spec.parameters === undefined ? [] : validateParameters(spec.parameters, "spec.parameters")),
  ];
}

function parameters({ spec }: IngressClass): string {
  if (spec?.parameters === undefined) return "<none>";
  const { kind, apiGroup, name } = spec.parameters;
  return `${kind}${apiGroup === undefined ? "" : `.${apiGroup}`}/${name}`;
}

export const ingressClass = defineResource<IngressClass>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "IngressClass",
  resource: "ingressclasses",
  namespaced: false,
  validateName: nameCheck(checkDnsSubdomain),
  generation: "spec",
  columns: [
    nameColumn,
    column("Controller", (object) => object.spec?.controller ?? ""),
    column("Parameters", parameters),
    ageColumn,
  ],
  applyDefaults: (draft) => {
    if (draft.spec?.parameters !== undefined) draft.spec.parameters.scope ??= "Cluster";
  },
  validate,
  validateUpdate: (next, old) => [
    ...(next.spec?.controller === old.spec?.controller
      ? []
      : [invalid("spec.controller", next.spec?.controller ?? "", isImmutable)]),
    ...validate(next),
  ],
});
