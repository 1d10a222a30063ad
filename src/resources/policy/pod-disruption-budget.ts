// PodDisruptionBudget: how many pods of a set may be away at a time because somebody wants them away.

import { defineResource } from "#machinery/define-resource.ts";
import { invalid, notSupported, type FieldError } from "#machinery/field-error.ts";
import type { PodDisruptionBudget } from "#machinery/gen/types/policy-v1.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { validateLabelSelector } from "../field-checks.ts";
import { shownFields, validateAmount, validateAtMostAll, validateStatusNumbers } from "../workload.ts";

const shownNames = {
  MinAvailable: "minAvailable",
  Selector: "selector",
  MaxUnavailable: "maxUnavailable",
  UnhealthyPodEvictionPolicy: "unhealthyPodEvictionPolicy",
} as const;
const evictionPolicies = ["AlwaysAllow", "IfHealthyBudget"];

function validate({ spec }: PodDisruptionBudget): FieldError[] {
  if (spec === undefined) return [];
  const { minAvailable, maxUnavailable, unhealthyPodEvictionPolicy: policy } = spec;
  const errors: FieldError[] = [];
  if (minAvailable !== undefined && maxUnavailable !== undefined)
    errors.push(
      invalid("spec", shownFields(spec, shownNames), "minAvailable and maxUnavailable cannot be both set"),
    );
  for (const [name, amount] of Object.entries({ minAvailable, maxUnavailable }))
    errors.push(...validateAmount(amount, `spec.${name}`), ...validateAtMostAll(amount, `spec.${name}`));
  errors.push(...validateLabelSelector(spec.selector, "spec.selector"));
  if (policy !== undefined && !evictionPolicies.includes(policy))
    errors.push(notSupported("spec.unhealthyPodEvictionPolicy", policy, evictionPolicies));
  return errors;
}

const noStatus = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };

const amountOf = (amount: number | string | undefined): string =>
  amount === undefined ? "N/A" : String(amount);

export const podDisruptionBudget = defineResource<PodDisruptionBudget>({
  group: "policy",
  version: "v1",
  kind: "PodDisruptionBudget",
  resource: "poddisruptionbudgets",
  shortNames: ["pdb"],
  namespaced: true,
  validateName: nameCheck(checkDnsSubdomain),
  generation: "spec",
  requireResourceVersion: true,
  columns: [
    nameColumn,
    column("Min Available", ({ spec }) => amountOf(spec?.minAvailable), {
      description: "Pods that must stay available, as a number or a part of all.",
    }),
    column("Max Unavailable", ({ spec }) => amountOf(spec?.maxUnavailable), {
      description: "Pods that may be unavailable, as a number or a part of all.",
    }),
    column("Allowed Disruptions", ({ status }) => status?.disruptionsAllowed ?? 0, {
      type: "integer",
      description: "Pods that may be evicted now.",
    }),
    ageColumn,
  ],
  prepareForCreate: (draft) => {
    draft.status = { ...noStatus };
  },
  prepareForUpdate: (draft, old) => {
    draft.status = structuredClone(old.status ?? { ...noStatus });
  },
  validate,
  status: {
    validateUpdate: ({ status }) =>
      validateStatusNumbers(status, [
        "disruptionsAllowed",
        "currentHealthy",
        "desiredHealthy",
        "expectedPods",
      ]),
  },
});
