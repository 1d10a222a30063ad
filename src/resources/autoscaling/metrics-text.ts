// An autoscaler's metrics in one cell: what each is now, and what it is held at. `cpu: 12%/80%, 3/10 (avg) + 1 more...`

import type {
  HorizontalPodAutoscaler,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
} from "#machinery/gen/types/autoscaling-v2.ts";

const metricsShownMax = 2;
const unknown = "<unknown>";
const percent = (part: number): string => `${part}%`;

/** Pods' own metrics are averages by nature, and not told as such. */
function valueText(
  target: MetricTarget | undefined,
  current: MetricValueStatus | undefined,
  averageMark: string,
): string {
  if (target?.averageValue !== undefined)
    return `${current?.averageValue ?? unknown}/${target.averageValue}${averageMark}`;
  return `${current?.value ?? unknown}/${target?.value ?? unknown}`;
}

function resourceText(
  source: { readonly name?: string; readonly target?: MetricTarget } | undefined,
  current: MetricValueStatus | undefined,
): string {
  const { name = "", target } = source ?? {};
  if (target?.averageValue !== undefined)
    return `${name}: ${current?.averageValue ?? unknown}/${target.averageValue}`;
  const now = current?.averageUtilization === undefined ? unknown : percent(current.averageUtilization);
  const wanted = target?.averageUtilization === undefined ? "<auto>" : percent(target.averageUtilization);
  return `${name}: ${now}/${wanted}`;
}

function metricText(spec: MetricSpec, status: MetricStatus | undefined): string {
  switch (spec.type) {
    case "External":
      return valueText(spec.external?.target, status?.external?.current, " (avg)");
    case "Object":
      return valueText(spec.object?.target, status?.object?.current, " (avg)");
    case "Pods":
      return valueText(spec.pods?.target, status?.pods?.current, "");
    case "Resource":
      return resourceText(spec.resource, status?.resource?.current);
    case "ContainerResource":
      return resourceText(spec.containerResource, status?.containerResource?.current);
    default:
      return "<unknown type>";
  }
}

export function metricsText({ spec, status }: HorizontalPodAutoscaler): string {
  const metrics = spec?.metrics ?? [];
  if (metrics.length === 0) return "<none>";
  const shown = metrics
    .slice(0, metricsShownMax)
    .map((metric, at) => metricText(metric, status?.currentMetrics?.[at]))
    .join(", ");
  const more = metrics.length - metricsShownMax;
  return more > 0 ? `${shown} + ${more} more...` : shown;
}
