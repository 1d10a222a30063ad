// What is valid as a Job's policies: which failures of pods count (KEP-3329), which successes are enough (KEP-3998). Pure.

import {
  child,
  duplicate,
  index,
  invalid,
  notSupported,
  omittedValue,
  required,
  tooMany,
  type FieldError,
} from "#machinery/field-error.ts";
import type {
  JobSpec,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyRule,
  SuccessPolicyRule,
} from "#machinery/gen/types/batch-v1.ts";
import { checkQualifiedName } from "#machinery/names.ts";
import { shownFields } from "../workload.ts";
import { each, nonNegative } from "../field-checks.ts";

const rulesMax = 20;
const exitCodesMax = 255;
const conditionsMax = 20;
const indexTextBytesMax = 64 * 1024;
const actions = ["Count", "FailIndex", "FailJob", "Ignore"];
const ruleNames = { SucceededIndexes: "succeededIndexes", SucceededCount: "succeededCount" } as const;
const statuses = ["False", "True", "Unknown"];
const operators = ["In", "NotIn"];

const validValues = (values: readonly string[]): string =>
  `valid values: [${values.map((one) => JSON.stringify(one)).join(" ")}]`;

export function validateFailurePolicy(spec: JobSpec, path: string): FieldError[] {
  const policy = spec.podFailurePolicy;
  if (policy === undefined) return [];
  const own = child(path, "podFailurePolicy");
  const errors: FieldError[] = [];
  const rules = policy.rules ?? [];
  const rulesPath = child(own, "rules");
  if (rules.length > rulesMax) errors.push(tooMany(rulesPath, rules.length, rulesMax));
  const containers = new Set(
    [...(spec.template?.spec?.containers ?? []), ...(spec.template?.spec?.initContainers ?? [])].map(
      ({ name }) => name,
    ),
  );
  rules.forEach((rule, at) => errors.push(...validateRule(rule, spec, containers, index(rulesPath, at))));
  return errors;
}

function validateRule(
  rule: PodFailurePolicyRule,
  spec: JobSpec,
  containers: ReadonlySet<string | undefined>,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const { action = "", onExitCodes, onPodConditions = [] } = rule;
  if (action === "") errors.push(required(child(path, "action"), validValues(actions)));
  else if (!actions.includes(action)) errors.push(notSupported(child(path, "action"), action, actions));
  else if (action === "FailIndex" && spec.backoffLimitPerIndex === undefined)
    errors.push(invalid(child(path, "action"), action, "requires the backoffLimitPerIndex to be set"));
  if (onExitCodes !== undefined)
    errors.push(...validateExitCodes(onExitCodes, containers, child(path, "onExitCodes")));
  const conditionsPath = child(path, "onPodConditions");
  if (onPodConditions.length > conditionsMax)
    errors.push(tooMany(conditionsPath, onPodConditions.length, conditionsMax));
  onPodConditions.forEach(({ type = "", status = "" }, at) => {
    const own = index(conditionsPath, at);
    errors.push(...each(checkQualifiedName(type), child(own, "type"), type));
    if (status === "") errors.push(required(child(own, "status"), validValues(statuses)));
    else if (!statuses.includes(status)) errors.push(notSupported(child(own, "status"), status, statuses));
  });
  if (onExitCodes !== undefined && onPodConditions.length > 0)
    errors.push(
      invalid(path, omittedValue, "specifying both OnExitCodes and OnPodConditions is not supported"),
    );
  if (onExitCodes === undefined && onPodConditions.length === 0)
    errors.push(invalid(path, omittedValue, "specifying one of OnExitCodes and OnPodConditions is required"));
  return errors;
}

function validateExitCodes(
  { operator = "", values = [], containerName }: PodFailurePolicyOnExitCodesRequirement,
  containers: ReadonlySet<string | undefined>,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const at = child(path, "values");
  if (operator === "") errors.push(required(child(path, "operator"), validValues(operators)));
  else if (!operators.includes(operator))
    errors.push(notSupported(child(path, "operator"), operator, operators));
  if (containerName !== undefined && !containers.has(containerName))
    errors.push(
      invalid(
        child(path, "containerName"),
        containerName,
        "must be one of the container or initContainer names in the pod template",
      ),
    );
  if (values.length === 0) errors.push(invalid(at, values, "at least one value is required"));
  else if (values.length > exitCodesMax) errors.push(tooMany(at, values.length, exitCodesMax));
  const seen = new Set<number>();
  let isOrdered = true;
  values.forEach((value, i) => {
    if (operator === "In" && value === 0)
      errors.push(invalid(index(at, i), value, "must not be 0 for the In operator"));
    if (seen.has(value)) errors.push(duplicate(index(at, i), value));
    isOrdered &&= i === 0 || (values[i - 1] ?? 0) <= value;
    seen.add(value);
  });
  if (!isOrdered) errors.push(invalid(at, values, "must be ordered"));
  return errors;
}

export function validateSuccessPolicy(spec: JobSpec, path: string): FieldError[] {
  const policy = spec.successPolicy;
  if (policy === undefined) return [];
  const own = child(path, "successPolicy");
  const errors: FieldError[] = [];
  if (spec.completionMode !== "Indexed")
    return [
      invalid(
        own,
        { Rules: (policy.rules ?? []).map((rule) => shownFields(rule, ruleNames)) },
        "requires indexed completion mode",
      ),
    ];
  const rules = policy.rules ?? [];
  const rulesPath = child(own, "rules");
  if (rules.length === 0)
    errors.push(
      required(rulesPath, "at least one rules must be specified when the successPolicy is specified"),
    );
  if (rules.length > rulesMax) errors.push(tooMany(rulesPath, rules.length, rulesMax));
  rules.forEach((rule, at) =>
    errors.push(...validateSuccessRule(rule, spec.completions ?? 0, index(rulesPath, at))),
  );
  return errors;
}

function validateSuccessRule(
  { succeededIndexes, succeededCount }: SuccessPolicyRule,
  completions: number,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const indexesPath = child(path, "succeededIndexes");
  const countPath = child(path, "succeededCount");
  if (succeededIndexes === undefined && succeededCount === undefined)
    return [required(path, "at least one of succeededCount or succeededIndexes must be specified")];
  let total = completions;
  if (succeededIndexes !== undefined) {
    if (succeededIndexes.length > indexTextBytesMax)
      errors.push({
        type: "FieldValueTooLong",
        field: indexesPath,
        detail: `may not be more than ${indexTextBytesMax} bytes`,
      });
    const counted = countIndexes(succeededIndexes, completions);
    if (typeof counted === "string")
      errors.push(invalid(indexesPath, succeededIndexes, `error parsing succeededIndexes: ${counted}`));
    else total = counted;
  }
  if (succeededCount !== undefined) {
    errors.push(...nonNegative(succeededCount, countPath));
    if (succeededCount > total)
      errors.push(
        invalid(
          countPath,
          succeededCount,
          `must be less than or equal to ${total} (the number of ${succeededIndexes === undefined ? "specified completions" : "indexes in the specified succeededIndexes field"})`,
        ),
      );
  }
  return errors;
}

/** How many indexes `1,3-5,7` names; what is wrong with it, as text. */
function countIndexes(text: string, completions: number): number | string {
  if (text === "") return 0;
  let total = 0;
  let last: number | undefined;
  for (const part of text.split(",")) {
    const limits = part.split("-");
    if (limits.length > 2)
      return `the fragment ${JSON.stringify(part)} violates the requirement that an index interval can have at most two parts separated by '-'`;
    const first = last;
    for (const [at, limit] of limits.entries()) {
      if (!/^[+]?\d+$/.test(limit))
        return `cannot convert string to integer for index: ${JSON.stringify(limit)}`;
      const index = Number(limit);
      if (index >= completions) return `too large index: ${JSON.stringify(limit)}`;
      if (last !== undefined && last >= index)
        return `non-increasing order, previous: ${last}, current: ${index}`;
      total += at === 0 ? 1 : index - (last ?? first ?? 0);
      last = index;
    }
  }
  return total;
}
