// RuntimeClass: how containers are run, by the name that a node's runtime has for it.

import { defineResource } from "#machinery/define-resource.ts";
import type { RuntimeClass } from "#machinery/gen/types/node-v1.ts";
import { invalid, keyed, type FieldError } from "#machinery/field-error.ts";
import { validateLabels } from "#machinery/label-rules.ts";
import { checkDnsLabel, checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { compareQuantities } from "#machinery/quantity.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { validateTolerations } from "../core/pod/scheduling-validation.ts";
import { each, isImmutable, mustNotBeNegative } from "../field-checks.ts";

function validate({ handler = "", overhead, scheduling }: RuntimeClass): FieldError[] {
  const errors = each(checkDnsLabel(handler), "handler", handler);
  for (const [resource, amount] of Object.entries(overhead?.podFixed ?? {}))
    if (compareQuantities(amount, "0") < 0)
      errors.push(invalid(keyed("overhead.podFixed", resource), amount, mustNotBeNegative));
  return [
    ...errors,
    ...validateLabels(scheduling?.nodeSelector, "scheduling.nodeSelector"),
    ...validateTolerations(scheduling ?? {}, "scheduling"),
  ];
}

export const runtimeClass = defineResource<RuntimeClass>({
  group: "node.k8s.io",
  version: "v1",
  kind: "RuntimeClass",
  resource: "runtimeclasses",
  namespaced: false,
  validateName: nameCheck(checkDnsSubdomain),
  columns: [nameColumn, column("Handler", ({ handler }) => handler), ageColumn],
  validate,
  validateUpdate: (next, old) => [
    ...(next.handler === old.handler ? [] : [invalid("handler", next.handler, isImmutable)]),
    ...validate(next),
  ],
});
