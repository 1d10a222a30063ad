// ResourceQuota: how much of each resource the objects of a namespace may have together.

import { isDeepStrictEqual } from "node:util";
import { defineResource } from "#machinery/define-resource.ts";
import { index, invalid, keyed, notSupported, required, type FieldError } from "#machinery/field-error.ts";
import type { ResourceQuota, ScopedResourceSelectorRequirement } from "#machinery/gen/types/core-v1.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { isImmutable } from "../field-checks.ts";
import { isStandardQuotaResource, validateQuotaAmount, validateQuotaResource } from "./quota-names.ts";

/** What a scope looks at: pods, or claims. */
const scopes: ReadonlyMap<string, "pods" | "claims"> = new Map([
  ["Terminating", "pods"],
  ["NotTerminating", "pods"],
  ["BestEffort", "pods"],
  ["NotBestEffort", "pods"],
  ["PriorityClass", "pods"],
  ["CrossNamespacePodAffinity", "pods"],
  ["VolumeAttributesClass", "claims"],
]);
/** Of each pair an object can only be one. */
const opposites = [
  ["BestEffort", "NotBestEffort"],
  ["Terminating", "NotTerminating"],
] as const;
const operators = ["In", "NotIn", "Exists", "DoesNotExist"];
/** These scopes are there, or not: there is nothing to compare. */
const existing: ReadonlySet<string> = new Set([
  "BestEffort",
  "NotBestEffort",
  "Terminating",
  "NotTerminating",
  "CrossNamespacePodAffinity",
]);

function scopeTakes(scope: string, resource: string): boolean {
  if (!isStandardQuotaResource(resource)) return false;
  if (scopes.get(scope) === "claims")
    return resource === "persistentvolumeclaims" || resource === "requests.storage";
  if (scope === "BestEffort" || scope === "CrossNamespacePodAffinity") return resource === "pods";
  return (
    resource === "pods" ||
    /^(?:(?:requests|limits)\.)?(?:cpu|memory|ephemeral-storage|hugepages-.+)$/.test(resource)
  );
}

function validateScopes(names: readonly string[], hard: readonly string[], path: string): FieldError[] {
  const errors = names.flatMap((scope): FieldError[] => {
    if (!scopes.has(scope)) return [invalid(path, names, "unsupported scope")];
    return hard
      .filter((resource) => isStandardQuotaResource(resource) && !scopeTakes(scope, resource))
      .map(() => invalid(path, names, "unsupported scope applied to resource"));
  });
  const clash = opposites.some(([one, other]) => names.includes(one) && names.includes(other));
  return clash ? [...errors, invalid(path, names, "conflicting scopes")] : errors;
}

function validateExpression(
  { scopeName, operator, values = [] }: ScopedResourceSelectorRequirement,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (!scopes.has(scopeName)) errors.push(notSupported(`${path}.scopeName`, scopeName, [...scopes.keys()]));
  if (existing.has(scopeName) && operator !== "Exists")
    errors.push(
      invalid(
        `${path}.operator`,
        operator,
        "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
      ),
    );
  if ((operator === "In" || operator === "NotIn") && values.length === 0)
    errors.push(
      required(
        `${path}.values`,
        "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
      ),
    );
  if ((operator === "Exists" || operator === "DoesNotExist") && values.length > 0)
    errors.push(
      invalid(
        `${path}.values`,
        values,
        "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
      ),
    );
  if (!operators.includes(operator))
    errors.push(invalid(`${path}.operator`, operator, "not a valid selector operator"));
  return errors;
}

const validateAmounts = (amounts: Readonly<Record<string, string>> = {}, path: string): FieldError[] =>
  Object.entries(amounts).flatMap(([name, amount]) => [
    ...validateQuotaResource(name, keyed(path, name)),
    ...validateQuotaAmount(name, amount, keyed(path, name)),
  ]);

function validate({ spec }: ResourceQuota): FieldError[] {
  const hard = Object.keys(spec?.hard ?? {});
  const selector = spec?.scopeSelector?.matchExpressions ?? [];
  const path = "spec.scopeSelector.matchExpressions";
  return [
    ...validateAmounts(spec?.hard, "spec.hard"),
    ...validateScopes(spec?.scopes ?? [], hard, "spec.scopes"),
    ...selector.flatMap((one, at) => validateExpression(one, index(path, at))),
    ...validateScopes(
      selector.map(({ scopeName }) => scopeName).filter((name) => scopes.has(name)),
      hard,
      path,
    ),
  ];
}

/** `requests.cpu: 1/2, pods: 3/10`: used of allowed, in the alphabet's order. */
function usage({ status }: ResourceQuota, limits: boolean): string {
  return Object.entries(status?.hard ?? {})
    .filter(([name]) => name.startsWith("limits") === limits)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, hard]) => `${name}: ${status?.used?.[name] ?? "0"}/${hard}`)
    .join(", ");
}

export const resourceQuota = defineResource<ResourceQuota>({
  group: "",
  version: "v1",
  kind: "ResourceQuota",
  resource: "resourcequotas",
  shortNames: ["quota"],
  namespaced: true,
  validateName: nameCheck(checkDnsSubdomain),
  columns: [
    nameColumn,
    column("Request", (object) => usage(object, false), {
      description: "What is used and allowed, of requests and counts.",
    }),
    column("Limit", (object) => usage(object, true), { description: "What is used and allowed, of limits." }),
    ageColumn,
  ],
  prepareForCreate: (draft) => {
    draft.status = {};
  },
  prepareForUpdate: (draft, old) => {
    draft.status = structuredClone(old.status ?? {});
  },
  validate,
  validateUpdate: (next, old) => {
    const before = new Set(old.spec?.scopes ?? []);
    const now = new Set(next.spec?.scopes ?? []);
    return [
      ...validate(next),
      ...(isDeepStrictEqual(before, now)
        ? []
        : [invalid("spec.scopes", next.spec?.scopes ?? [], isImmutable)]),
    ];
  },
  status: {
    validateUpdate: ({ status }) => [
      ...validateAmounts(status?.hard, "status.hard"),
      ...validateAmounts(status?.used, "status.used"),
    ],
  },
});
