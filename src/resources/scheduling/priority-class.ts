// PriorityClass: a name for how important pods are. Two are the system's own, and there in every cluster.

import { defineResource } from "#machinery/define-resource.ts";
import { forbidden, invalid, notSupported, required, type FieldError } from "#machinery/field-error.ts";
import type { PriorityClass } from "#machinery/gen/types/scheduling-v1.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { isImmutable } from "../field-checks.ts";

/** Users' classes go up to here; above is the system's. */
const userPriorityMax = 1_000_000_000;
const systemPriority = 2 * userPriorityMax;
const systemPrefix = "system-";
const preemptionPolicies = ["PreemptLowerPriority", "Never"];

export const systemPriorityClasses: readonly PriorityClass[] = [
  {
    metadata: { name: "system-node-critical" },
    value: systemPriority + 1000,
    description: "For pods of the system that must stay on the node where they are.",
  },
  {
    metadata: { name: "system-cluster-critical" },
    value: systemPriority,
    description: "For pods of the system that must run somewhere in the cluster.",
  },
];

/** Why this is none of the system's own classes, or nothing. */
function notOfTheSystem(name: string, value: number, globalDefault: boolean): string | undefined {
  const known = systemPriorityClasses.find(({ metadata }) => metadata?.name === name);
  if (known === undefined) return `${name} is not a known system priority class`;
  if (known.value !== value) return `value of ${name} PriorityClass must be ${known.value}`;
  return globalDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}

function validate({
  metadata,
  value = 0,
  globalDefault = false,
  preemptionPolicy,
}: PriorityClass): FieldError[] {
  const errors: FieldError[] = [];
  const { name = "" } = metadata ?? {};
  if (name.startsWith(systemPrefix)) {
    const why = notOfTheSystem(name, value, globalDefault);
    if (why !== undefined)
      errors.push(
        forbidden(
          "metadata.name",
          `priority class names with '${systemPrefix}' prefix are reserved for system use only. error: ${why}`,
        ),
      );
  } else if (value > userPriorityMax)
    errors.push(forbidden("value", `maximum allowed value of a user defined priority is ${userPriorityMax}`));
  if (preemptionPolicy === "") errors.push(required("preemptionPolicy"));
  else if (preemptionPolicy !== undefined && !preemptionPolicies.includes(preemptionPolicy))
    errors.push(notSupported("preemptionPolicy", preemptionPolicy, preemptionPolicies));
  return errors;
}

/** Pods keep the number that they were given: it stays true what the class says of them. */
function validateUpdate(next: PriorityClass, old: PriorityClass): FieldError[] {
  const errors: FieldError[] = [];
  if ((next.value ?? 0) !== (old.value ?? 0))
    errors.push(forbidden("value", "may not be changed in an update."));
  if (next.preemptionPolicy !== old.preemptionPolicy)
    errors.push(invalid("preemptionPolicy", next.preemptionPolicy, isImmutable));
  return errors;
}

export const priorityClass = defineResource<PriorityClass>({
  group: "scheduling.k8s.io",
  version: "v1",
  kind: "PriorityClass",
  resource: "priorityclasses",
  shortNames: ["pc"],
  namespaced: false,
  validateName: nameCheck(checkDnsSubdomain),
  columns: [
    nameColumn,
    column("Value", ({ value }) => value ?? 0, {
      type: "integer",
      description: "The priority of pods of this class.",
    }),
    column("Global-Default", ({ globalDefault }) => globalDefault ?? false, {
      type: "boolean",
      description: "Whether pods that name no class are of this one.",
    }),
    ageColumn,
    column("PreemptionPolicy", ({ preemptionPolicy }) => preemptionPolicy ?? "", {
      description: "Whether pods of this class push others out.",
    }),
  ],
  applyDefaults: (draft) => {
    draft.value ??= 0;
    draft.preemptionPolicy ??= "PreemptLowerPriority";
  },
  prepareForCreate: (draft) => {
    (draft.metadata ??= {}).generation = 1;
  },
  validate,
  validateUpdate,
});
