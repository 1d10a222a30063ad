// autoscaling/v1 and v2 of an autoscaler: v1 has a field for the CPU alone. What else there is it carries along in
// annotations, so that nothing is lost on the way there and back. Pure.

import { canonicalQuantity } from "#machinery/quantity.ts";
import { decodeObject, DecodeError, isObject } from "#machinery/schema/decode.ts";
import { JsonSyntaxError, parseJson } from "#machinery/schema/json.ts";
import { structSchema } from "#machinery/schema/schema.ts";
import type * as v1 from "#machinery/gen/types/autoscaling-v1.ts";
import type * as v2 from "#machinery/gen/types/autoscaling-v2.ts";
import { defaultCpuUtilization } from "./horizontal-pod-autoscaler.ts";

const prefix = "autoscaling.alpha.kubernetes.io/";
export const metricsAnnotation = `${prefix}metrics`;
const currentMetricsAnnotation = `${prefix}current-metrics`;
const conditionsAnnotation = `${prefix}conditions`;
const behaviorAnnotation = `${prefix}behavior`;
const carried: readonly string[] = [
  metricsAnnotation,
  currentMetricsAnnotation,
  conditionsAnnotation,
  behaviorAnnotation,
];

const cpuUtilization = (percent: number): v2.MetricSpec => ({
  type: "Resource",
  resource: { name: "cpu", target: { type: "Utilization", averageUtilization: percent } },
});

const utilizationOf = ({ type, resource }: v2.MetricSpec): number | undefined =>
  type === "Resource" && resource?.name === "cpu" ? resource.target?.averageUtilization : undefined;

/** Absent fields stay absent. */
function defined<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}

/** Keys with a capital first letter: how the behavior is written into its annotation, all the way down. */
const renamed = (value: unknown, rename: (key: string) => string): unknown =>
  Array.isArray(value)
    ? value.map((item) => renamed(item, rename))
    : isObject(value)
      ? Object.fromEntries(Object.entries(value).map(([key, item]) => [rename(key), renamed(item, rename)]))
      : value;
const capital = (key: string): string => key.slice(0, 1).toUpperCase() + key.slice(1);
const small = (key: string): string => key.slice(0, 1).toLowerCase() + key.slice(1);

function metricToV1({
  type,
  object,
  pods,
  resource,
  containerResource,
  external,
}: v2.MetricSpec): v1.MetricSpec {
  const amounts = (target: v2.MetricTarget | undefined) => ({
    targetAverageUtilization: target?.averageUtilization,
    targetAverageValue: target?.averageValue,
  });
  return defined({
    type,
    object:
      object &&
      defined({
        target: object.describedObject,
        metricName: object.metric.name,
        targetValue: object.target.value ?? "0",
        selector: object.metric.selector,
        averageValue: object.target.averageValue,
      }),
    pods:
      pods &&
      defined({
        metricName: pods.metric.name,
        targetAverageValue: pods.target.averageValue ?? "0",
        selector: pods.metric.selector,
      }),
    resource: resource && defined({ name: resource.name, ...amounts(resource.target) }),
    containerResource:
      containerResource &&
      defined({
        name: containerResource.name,
        ...amounts(containerResource.target),
        container: containerResource.container,
      }),
    external:
      external &&
      defined({
        metricName: external.metric.name,
        metricSelector: external.metric.selector,
        targetValue: external.target.value,
        targetAverageValue: external.target.averageValue,
      }),
  }) as v1.MetricSpec;
}

/** The type of a target is told by which of its amounts there is. */
function target(amounts: {
  value?: string | undefined;
  averageValue?: string | undefined;
  averageUtilization?: number | undefined;
}): v2.MetricTarget {
  const type =
    amounts.averageUtilization !== undefined
      ? "Utilization"
      : amounts.averageValue !== undefined
        ? "AverageValue"
        : "Value";
  return defined({ type, ...amounts }) as v2.MetricTarget;
}
const resourceTarget = (source: v1.ResourceMetricSource): v2.MetricTarget =>
  target({ averageUtilization: source.targetAverageUtilization, averageValue: source.targetAverageValue });
const identifier = (name: string, selector: v2.MetricIdentifier["selector"]): v2.MetricIdentifier =>
  defined({ name, selector }) as v2.MetricIdentifier;

function metricFromV1({
  type,
  object,
  pods,
  resource,
  containerResource,
  external,
}: v1.MetricSpec): v2.MetricSpec {
  return defined({
    type,
    object: object && {
      describedObject: object.target,
      target:
        object.averageValue === undefined
          ? target({ value: object.targetValue })
          : target({
              ...(isZero(object.targetValue) ? {} : { value: object.targetValue }),
              averageValue: object.averageValue,
            }),
      metric: identifier(object.metricName, object.selector),
    },
    pods: pods && {
      metric: identifier(pods.metricName, pods.selector),
      target: target({ averageValue: pods.targetAverageValue }),
    },
    resource: resource && { name: resource.name, target: resourceTarget(resource) },
    containerResource: containerResource && {
      name: containerResource.name,
      target: resourceTarget(containerResource),
      container: containerResource.container,
    },
    external: external && {
      metric: identifier(external.metricName, external.metricSelector),
      target: target({ value: external.targetValue, averageValue: external.targetAverageValue }),
    },
  }) as v2.MetricSpec;
}

const isZero = (quantity: string | undefined): boolean =>
  quantity === undefined || canonicalQuantity(quantity) === "0";

function statusToV1({
  type,
  object,
  pods,
  resource,
  containerResource,
  external,
}: v2.MetricStatus): v1.MetricStatus {
  const amounts = (current: v2.MetricValueStatus | undefined) => ({
    currentAverageUtilization: current?.averageUtilization,
    currentAverageValue: current?.averageValue ?? "0",
  });
  return defined({
    type,
    object:
      object &&
      defined({
        target: object.describedObject,
        metricName: object.metric.name,
        currentValue: object.current.value ?? "0",
        selector: object.metric.selector,
        averageValue: object.current.averageValue,
      }),
    pods:
      pods &&
      defined({
        metricName: pods.metric.name,
        currentAverageValue: pods.current.averageValue ?? "0",
        selector: pods.metric.selector,
      }),
    resource: resource && defined({ name: resource.name, ...amounts(resource.current) }),
    containerResource:
      containerResource &&
      defined({
        name: containerResource.name,
        ...amounts(containerResource.current),
        container: containerResource.container,
      }),
    external:
      external &&
      defined({
        metricName: external.metric.name,
        metricSelector: external.metric.selector,
        currentValue: external.current.value ?? "0",
        currentAverageValue: external.current.averageValue,
      }),
  }) as v1.MetricStatus;
}

function statusFromV1({
  type,
  object,
  pods,
  resource,
  containerResource,
  external,
}: v1.MetricStatus): v2.MetricStatus {
  const current = (source: v1.ResourceMetricStatus): v2.MetricValueStatus =>
    defined({
      averageValue: source.currentAverageValue,
      averageUtilization: source.currentAverageUtilization,
    }) as v2.MetricValueStatus;
  return defined({
    type,
    object: object && {
      metric: identifier(object.metricName, object.selector),
      current: defined({ value: object.currentValue, averageValue: object.averageValue }),
      describedObject: object.target,
    },
    pods: pods && {
      metric: identifier(pods.metricName, pods.selector),
      current: { averageValue: pods.currentAverageValue },
    },
    resource: resource && { name: resource.name, current: current(resource) },
    containerResource: containerResource && {
      name: containerResource.name,
      current: current(containerResource),
      container: containerResource.container,
    },
    external: external && {
      metric: identifier(external.metricName, external.metricSelector),
      current: defined({ value: external.currentValue, averageValue: external.currentAverageValue }),
    },
  }) as v2.MetricStatus;
}

/** The annotations of v1: those of the object, and one for each thing that v1 has no field for. */
function annotationsOf({ metadata, spec, status }: v2.HorizontalPodAutoscaler): Record<string, string> {
  const annotations = { ...metadata?.annotations };
  const others = (spec?.metrics ?? []).filter((metric) => utilizationOf(metric) === undefined);
  const { currentMetrics = [], conditions = [] } = status ?? {};
  if (others.length > 0) annotations[metricsAnnotation] = JSON.stringify(others.map(metricToV1));
  if (currentMetrics.length > 0)
    annotations[currentMetricsAnnotation] = JSON.stringify(currentMetrics.map(statusToV1));
  if (conditions.length > 0) annotations[conditionsAnnotation] = JSON.stringify(conditions);
  if (spec?.behavior !== undefined)
    annotations[behaviorAnnotation] = JSON.stringify(renamed(spec.behavior, capital));
  return annotations;
}

export function autoscalerToV1(object: v2.HorizontalPodAutoscaler): v1.HorizontalPodAutoscaler {
  const { metadata, spec, status } = object;
  const annotations = annotationsOf(object);
  const shown: v1.HorizontalPodAutoscaler = {};
  if (metadata !== undefined) {
    const { annotations: _before, ...rest } = metadata;
    shown.metadata = { ...rest, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) };
  }
  if (spec !== undefined) {
    const percent = (spec.metrics ?? []).map(utilizationOf).find((one) => one !== undefined);
    shown.spec = defined({
      scaleTargetRef: spec.scaleTargetRef,
      minReplicas: spec.minReplicas,
      maxReplicas: spec.maxReplicas,
      targetCPUUtilizationPercentage: percent,
    }) as v1.HorizontalPodAutoscalerSpec;
  }
  if (status !== undefined) {
    const cpu = status.currentMetrics?.find(
      ({ type, resource }) => type === "Resource" && resource?.name === "cpu",
    );
    shown.status = defined({
      observedGeneration: status.observedGeneration,
      lastScaleTime: status.lastScaleTime,
      currentReplicas: status.currentReplicas ?? 0,
      desiredReplicas: status.desiredReplicas,
      currentCPUUtilizationPercentage: cpu?.resource?.current?.averageUtilization,
    }) as v1.HorizontalPodAutoscalerStatus;
  }
  return shown;
}

/** What an annotation carries, as what it should be; nothing where somebody wrote something else into it. */
function carriedBy(annotations: Readonly<Record<string, string>>, name: string, ref: string): unknown {
  const text = Object.hasOwn(annotations, name) ? annotations[name] : undefined;
  if (text === undefined) return undefined;
  const schema = structSchema(ref);
  try {
    const { value } = parseJson(text);
    if (name === behaviorAnnotation) return decodeObject(schema, renamed(value, small)).object;
    return Array.isArray(value) ? value.map((item) => decodeObject(schema, item).object) : undefined;
  } catch (thrown) {
    if (thrown instanceof JsonSyntaxError || thrown instanceof DecodeError) return undefined;
    throw thrown;
  }
}

export function autoscalerFromV1(object: v1.HorizontalPodAutoscaler): v2.HorizontalPodAutoscaler {
  const { metadata, spec, status } = object;
  const given = metadata?.annotations ?? {};
  const made: v2.HorizontalPodAutoscaler = {};
  if (metadata !== undefined) {
    const { annotations: _before, ...rest } = metadata;
    const kept = Object.entries(given).filter(([name]) => !carried.includes(name));
    made.metadata = { ...rest, ...(kept.length === 0 ? {} : { annotations: Object.fromEntries(kept) }) };
  }
  if (spec !== undefined) made.spec = specFromV1(spec, given);
  if (status !== undefined) made.status = wholeStatusFromV1(status, given);
  return made;
}

function specFromV1(
  { targetCPUUtilizationPercentage: percent, ...spec }: v1.HorizontalPodAutoscalerSpec,
  annotations: Readonly<Record<string, string>>,
): v2.HorizontalPodAutoscalerSpec {
  const others = carriedBy(annotations, metricsAnnotation, "autoscaling/v1.MetricSpec") as
    v1.MetricSpec[] | undefined;
  const metrics = [
    ...(percent === undefined ? [] : [cpuUtilization(percent)]),
    ...(others ?? []).map(metricFromV1),
  ];
  const behavior = carriedBy(
    annotations,
    behaviorAnnotation,
    "autoscaling/v2.HorizontalPodAutoscalerBehavior",
  ) as v2.HorizontalPodAutoscalerBehavior | undefined;
  return {
    ...spec,
    metrics: metrics.length === 0 ? [cpuUtilization(defaultCpuUtilization)] : metrics,
    ...(behavior === undefined ? {} : { behavior }),
  };
}

function wholeStatusFromV1(
  { currentCPUUtilizationPercentage: percent, ...status }: v1.HorizontalPodAutoscalerStatus,
  annotations: Readonly<Record<string, string>>,
): v2.HorizontalPodAutoscalerStatus {
  const metrics = carriedBy(annotations, currentMetricsAnnotation, "autoscaling/v1.MetricStatus") as
    v1.MetricStatus[] | undefined;
  const conditions = carriedBy(
    annotations,
    conditionsAnnotation,
    "autoscaling/v1.HorizontalPodAutoscalerCondition",
  ) as v2.HorizontalPodAutoscalerCondition[] | undefined;
  const cpu: v2.MetricStatus[] =
    percent === undefined
      ? []
      : [{ type: "Resource", resource: { name: "cpu", current: { averageUtilization: percent } } }];
  return {
    ...status,
    currentMetrics: metrics?.map(statusFromV1) ?? cpu,
    ...(conditions === undefined ? {} : { conditions }),
  };
}
