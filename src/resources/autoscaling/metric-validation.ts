// What is valid as a metric that an autoscaler follows: its source, what names it, and the value it is held at. Pure.

import {
  child,
  forbidden,
  invalid,
  notSupported,
  required,
  type FieldError,
} from "#machinery/field-error.ts";
import type { MetricIdentifier, MetricSpec, MetricTarget } from "#machinery/gen/types/autoscaling-v2.ts";
import { checkDnsLabel } from "#machinery/names.ts";
import { compareQuantities } from "#machinery/quantity.ts";
import { each, validateLabelSelector } from "../field-checks.ts";
import { pathSegment } from "../reference-checks.ts";
import { validateTargetReference } from "./target-reference.ts";

/** The field of each type's source. Only the first source that is there is looked at closely, in this order. */
const sources = [
  ["Object", "object"],
  ["External", "external"],
  ["Pods", "pods"],
  ["Resource", "resource"],
  ["ContainerResource", "containerResource"],
] as const;
const types = sources.map(([type]) => type).sort();
const targetTypes = ["Utilization", "Value", "AverageValue"];

export function validateMetric(metric: MetricSpec, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { type = "" } = metric;
  const expected = sources.find(([one]) => one === type)?.[1];
  if (type === "") errors.push(required(child(path, "type"), "must specify a metric source type"));
  else if (expected === undefined) errors.push(notSupported(child(path, "type"), type, types));
  const present = sources.map(([, field]) => field).filter((field) => metric[field] !== undefined);
  const [first] = present;
  if (first !== undefined) errors.push(...validateSource(metric, first, child(path, first)));
  if (expected !== undefined && metric[expected] === undefined)
    errors.push(required(child(path, expected), "must populate information for the given metric source"));
  if (present.length > 1)
    for (const field of present)
      if (field !== expected)
        errors.push(forbidden(child(path, field), "must populate the given metric source only"));
  return errors;
}

function validateSource(metric: MetricSpec, field: (typeof sources)[number][1], path: string): FieldError[] {
  const { object, external, pods } = metric;
  if (field === "object" && object !== undefined)
    return [
      ...validateTargetReference(object.describedObject, child(path, "describedObject"), {
        groupRequired: false,
      }),
      ...validateNamed(object, path),
      ...(hasAmount(object.target)
        ? []
        : [required(child(path, "target.averageValue"), "must set either a target value or averageValue")]),
    ];
  if (field === "external" && external !== undefined)
    return [...validateNamed(external, path), ...validateExternalAmount(external.target, path)];
  if (field === "pods" && pods !== undefined)
    return [
      ...validateNamed(pods, path),
      ...(isPositive(pods.target?.averageValue)
        ? []
        : [required(child(path, "target.averageValue"), "must specify a positive target averageValue")]),
    ];
  return validateResourceSource(metric, field, path);
}

const validateNamed = (
  { metric, target }: { metric: MetricIdentifier; target: MetricTarget },
  path: string,
): FieldError[] => [
  ...validateIdentifier(metric, child(path, "metric")),
  ...validateTarget(target, child(path, "target")),
];

/** Of CPU or memory: of whole pods, or of one of their containers. */
function validateResourceSource(metric: MetricSpec, field: string, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const source = field === "resource" ? metric.resource : metric.containerResource;
  if (source === undefined) return errors;
  if (!source.name) errors.push(required(child(path, "name"), "must specify a resource name"));
  if (source === metric.containerResource) {
    const { container } = source as { container?: string };
    errors.push(
      ...(container
        ? each(checkDnsLabel(container), child(path, "container"), container)
        : [required(child(path, "container"), "must specify a container")]),
    );
  }
  const { averageUtilization, averageValue } = source.target ?? {};
  errors.push(...validateTarget(source.target, child(path, "target")));
  if (averageUtilization === undefined && averageValue === undefined)
    errors.push(
      required(
        child(path, "target.averageUtilization"),
        "must set either a target raw value or a target utilization",
      ),
    );
  if (averageUtilization !== undefined && averageValue !== undefined)
    errors.push(
      forbidden(
        child(path, "target.averageValue"),
        "may not set both a target raw value and a target utilization",
      ),
    );
  return errors;
}

const hasAmount = (target: MetricTarget | undefined): boolean =>
  target?.value !== undefined || target?.averageValue !== undefined;

const isPositive = (quantity: string | undefined): boolean =>
  quantity !== undefined && compareQuantities(quantity, "0") > 0;

function validateExternalAmount(target: MetricTarget | undefined, path: string): FieldError[] {
  if (!hasAmount(target))
    return [
      required(
        child(path, "target.averageValue"),
        "must set either a target value for metric or a per-pod target",
      ),
    ];
  return target?.value !== undefined && target.averageValue !== undefined
    ? [
        forbidden(
          child(path, "target.value"),
          "may not set both a target value for metric and a per-pod target",
        ),
      ]
    : [];
}

function validateIdentifier(metric: MetricIdentifier | undefined, path: string): FieldError[] {
  return [
    ...pathSegment(metric?.name, child(path, "name"), "must specify a metric name"),
    ...validateLabelSelector(metric?.selector, child(path, "selector")),
  ];
}

function validateTarget(target: MetricTarget | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { type = "", averageUtilization } = target ?? {};
  if (type === "") errors.push(required(child(path, "type"), "must specify a metric target type"));
  else if (!targetTypes.includes(type))
    errors.push(invalid(child(path, "type"), type, "must be either Utilization, Value, or AverageValue"));
  for (const field of ["value", "averageValue"] as const) {
    const amount = target?.[field];
    if (amount !== undefined && !isPositive(amount))
      errors.push(invalid(child(path, field), amount, "must be positive"));
  }
  if (averageUtilization !== undefined && averageUtilization < 1)
    errors.push(invalid(child(path, "averageUtilization"), averageUtilization, "must be greater than 0"));
  return errors;
}
