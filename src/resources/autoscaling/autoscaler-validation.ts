// What is valid as an autoscaler: its limits, what it scales, and how fast. Its metrics are next door. Pure.

import { isDeepStrictEqual } from "node:util";
import { child, index, invalid, notSupported, required, type FieldError } from "#machinery/field-error.ts";
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerSpec,
  HPAScalingPolicy,
  HPAScalingRules,
} from "#machinery/gen/types/autoscaling-v2.ts";
import { compareQuantities } from "#machinery/quantity.ts";
import { mustNotBeNegative } from "../field-checks.ts";
import { validateMetric } from "./metric-validation.ts";
import { validateTargetReference } from "./target-reference.ts";

/** To none would need somebody who wakes it up again. */
const minReplicasMin = 1;
const stabilizationWindowSecondsMax = 3600;
const periodSecondsMax = 1800;
const selectPolicies = ["Disabled", "Max", "Min"];
const policyTypes = ["Percent", "Pods"];

export function validateAutoscaler(
  { spec = { scaleTargetRef: { kind: "", name: "" }, maxReplicas: 0 } }: HorizontalPodAutoscaler,
  old?: HorizontalPodAutoscaler,
): FieldError[] {
  const target = spec.scaleTargetRef;
  const isOld = old !== undefined && isDeepStrictEqual(target, old.spec?.scaleTargetRef);
  const path = "spec.scaleTargetRef";
  const errors = [
    ...validateLimits(spec),
    // What is stored from before versions were looked at may stay.
    ...validateTargetReference(target, path, {
      groupRequired: !isOld && target?.kind !== "ReplicationController",
    }),
  ];
  for (const [at, metric] of (spec.metrics ?? []).entries())
    errors.push(...validateMetric(metric, index("spec.metrics", at)));
  for (const direction of ["scaleUp", "scaleDown"] as const) {
    const rules = spec.behavior?.[direction];
    if (rules !== undefined) errors.push(...validateRules(rules, `spec.behavior.${direction}`));
  }
  return errors;
}

function validateLimits({ minReplicas, maxReplicas = 0 }: HorizontalPodAutoscalerSpec): FieldError[] {
  const errors: FieldError[] = [];
  if (minReplicas !== undefined && minReplicas < minReplicasMin)
    errors.push(
      invalid("spec.minReplicas", minReplicas, `must be greater than or equal to ${minReplicasMin}`),
    );
  if (maxReplicas < 1) errors.push(invalid("spec.maxReplicas", maxReplicas, "must be greater than 0"));
  if (minReplicas !== undefined && maxReplicas < minReplicas)
    errors.push(invalid("spec.maxReplicas", maxReplicas, "must be greater than or equal to `minReplicas`"));
  return errors;
}

function validateRules(rules: HPAScalingRules, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { stabilizationWindowSeconds: window, selectPolicy, policies = [], tolerance } = rules;
  const windowPath = child(path, "stabilizationWindowSeconds");
  if (window !== undefined && window < 0)
    errors.push(invalid(windowPath, window, "must be greater than or equal to zero"));
  if (window !== undefined && window > stabilizationWindowSecondsMax)
    errors.push(
      invalid(windowPath, window, `must be less than or equal to ${stabilizationWindowSecondsMax}`),
    );
  if (selectPolicy !== undefined && !selectPolicies.includes(selectPolicy))
    errors.push(notSupported(child(path, "selectPolicy"), selectPolicy, selectPolicies));
  const policiesPath = child(path, "policies");
  if (policies.length === 0) errors.push(required(policiesPath, "must specify at least one Policy"));
  for (const [at, policy] of policies.entries())
    errors.push(...validatePolicy(policy, index(policiesPath, at)));
  if (tolerance !== undefined && compareQuantities(tolerance, "0") < 0)
    errors.push(invalid(child(path, "tolerance"), tolerance, mustNotBeNegative));
  return errors;
}

function validatePolicy(policy: HPAScalingPolicy, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { type = "", value = 0, periodSeconds = 0 } = policy;
  if (!policyTypes.includes(type)) errors.push(notSupported(child(path, "type"), type, policyTypes));
  if (value <= 0) errors.push(invalid(child(path, "value"), value, "must be greater than zero"));
  if (periodSeconds <= 0)
    errors.push(invalid(child(path, "periodSeconds"), periodSeconds, "must be greater than zero"));
  if (periodSeconds > periodSecondsMax)
    errors.push(
      invalid(
        child(path, "periodSeconds"),
        periodSeconds,
        `must be less than or equal to ${periodSecondsMax}`,
      ),
    );
  return errors;
}
