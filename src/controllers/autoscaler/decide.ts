// What an autoscaler does in one pass: from the scale of its target and the readings of its metrics to the number of
// replicas, the conditions and the events. Pure.

import { timestamp } from "#base/clock.ts";
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerCondition,
  HorizontalPodAutoscalerStatus,
  MetricStatus,
} from "#machinery/gen/types/autoscaling-v2.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { parseQuantity } from "#machinery/quantity.ts";
import type { ReadPod } from "../pod-state.ts";
import { allow, type Memory } from "./behavior.ts";
import { judgeMetric, type NoOpinion, type Opinion } from "./metric-replicas.ts";
import type { Reading } from "./metric-source.ts";
import type { Patience } from "./pod-metrics.ts";
import type { Tolerance } from "./replica-count.ts";

export type ReadAutoscaler = DeepReadonly<HorizontalPodAutoscaler>;
type Conditions = DeepReadonly<HorizontalPodAutoscalerCondition>[];

export interface Settings extends Patience {
  readonly downscaleStabilizationMs: number;
  readonly tolerance: number;
}

export interface Pass {
  readonly autoscaler: ReadAutoscaler;
  readonly currentReplicas: number;
  /** Pods that its target tells that it has. */
  readonly statusReplicas: number;
  readonly pods: readonly ReadPod[];
  /** One for each metric of the spec; none when they need not be read. */
  readonly readings: readonly Reading[];
  readonly memory: Memory;
  readonly settings: Settings;
  readonly nowMs: number;
}

export interface Said {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

export interface Decision {
  readonly status: HorizontalPodAutoscalerStatus;
  readonly events: readonly Said[];
  readonly memory: Memory;
  /** A new number of replicas, and why. */
  readonly scale?: { readonly replicas: number; readonly reason: string };
}

/** A condition changes its time only when its status changes. */
export function setCondition(
  conditions: Conditions,
  condition: { type: string; status: "True" | "False"; reason: string; message: string },
  nowMs: number,
): void {
  const at = conditions.findIndex(({ type }) => type === condition.type);
  const old = conditions[at];
  const lastTransitionTime =
    old?.status === condition.status ? (old.lastTransitionTime ?? timestamp(nowMs)) : timestamp(nowMs);
  const { type, status, reason, message } = condition;
  const next = { type, status, lastTransitionTime, reason, message };
  if (at < 0) conditions.push(next);
  else conditions[at] = next;
}

/** Whether metrics matter: not when scaling is switched off, nor when there are too many or too few replicas anyway. */
export function needsMetrics({ spec }: ReadAutoscaler, currentReplicas: number): boolean {
  const { minReplicas = 1, maxReplicas = 0 } = spec ?? {};
  if (currentReplicas === 0) return minReplicas === 0;
  return currentReplicas <= maxReplicas && currentReplicas >= minReplicas;
}

export function toleranceOf({ spec }: ReadAutoscaler, standard: number): Tolerance {
  const own = (text: string | undefined): number =>
    text === undefined ? standard : Number(parseQuantity(text).nano) / 1e9;
  return { up: own(spec?.behavior?.scaleUp?.tolerance), down: own(spec?.behavior?.scaleDown?.tolerance) };
}

interface Counsel {
  /** Undefined when it would be wrong to act. */
  readonly replicas: number | undefined;
  readonly name: string;
  readonly metrics: MetricStatus[];
  readonly invalid: readonly NoOpinion[];
}

const isOpinion = (one: Opinion | NoOpinion): one is Opinion => "replicas" in one;

/** The metric that asks for most is followed. One that says nothing forbids to give replicas up. */
function counselOf(pass: Pass): Counsel {
  const { autoscaler, currentReplicas, statusReplicas, pods, readings, settings, nowMs } = pass;
  const situation = {
    pods,
    currentReplicas,
    statusReplicas,
    tolerance: toleranceOf(autoscaler, settings.tolerance),
    patience: settings,
    nowMs,
  };
  const specs = autoscaler.spec?.metrics ?? [];
  const judged = specs.map((spec, at) =>
    judgeMetric(spec, readings[at] ?? { kind: "failed", error: "not read" }, situation),
  );
  const opinions = judged.filter(isOpinion);
  const invalid = judged.filter((one): one is NoOpinion => !isOpinion(one));
  const metrics = opinions.map(({ status }) => status);
  let most = opinions[0];
  for (const one of opinions) if (most === undefined || one.replicas > most.replicas) most = one;
  const isUnsafe = invalid.length > 0 && (most === undefined || most.replicas < currentReplicas);
  return { replicas: isUnsafe ? undefined : most?.replicas, name: most?.name ?? "", metrics, invalid };
}

const disabled = "scaling is disabled since the replica count of the target is zero";

export function decide(pass: Pass): Decision {
  const { autoscaler, currentReplicas, memory, nowMs } = pass;
  const { minReplicas = 1, maxReplicas = 0 } = autoscaler.spec ?? {};
  const conditions: Conditions = [...(autoscaler.status?.conditions ?? [])];
  const told = (type: string, status: "True" | "False", reason: string, message: string): void =>
    setCondition(conditions, { type, status, reason, message }, nowMs);
  told(
    "AbleToScale",
    "True",
    "SucceededGetScale",
    "the HPA controller was able to get the target's current scale",
  );
  const end = (desiredReplicas: number, metrics: MetricStatus[], more: Partial<Decision> = {}): Decision => ({
    status: statusOf(autoscaler, { currentReplicas, desiredReplicas, metrics, conditions }),
    events: [],
    memory,
    ...more,
  });
  if (currentReplicas === 0 && minReplicas !== 0) {
    told("ScalingActive", "False", "ScalingDisabled", disabled);
    return end(0, []);
  }
  if (!needsMetrics(autoscaler, currentReplicas)) {
    const [replicas, reason] =
      currentReplicas > maxReplicas
        ? [maxReplicas, "Current number of replicas above Spec.MaxReplicas"]
        : [minReplicas, "Current number of replicas below Spec.MinReplicas"];
    return end(replicas, carried(autoscaler), { scale: { replicas, reason } });
  }
  return follow(pass, counselOf(pass), { conditions, told, end });
}

interface Telling {
  readonly conditions: Conditions;
  readonly told: (type: string, status: "True" | "False", reason: string, message: string) => void;
  readonly end: (desired: number, metrics: MetricStatus[], more?: Partial<Decision>) => Decision;
}

function follow(pass: Pass, counsel: Counsel, { told, end }: Telling): Decision {
  const { autoscaler, currentReplicas, memory, settings, nowMs } = pass;
  const { invalid, metrics, name } = counsel;
  const events: Said[] = invalid.map(({ reason, message }) => ({ type: "Warning", reason, message }));
  const total = autoscaler.spec?.metrics?.length ?? 0;
  const [first] = invalid;
  if (first !== undefined)
    events.push({
      type: "Warning",
      reason: "FailedComputeMetricsReplicas",
      message: `invalid metrics (${invalid.length} invalid out of ${total}), first error is: ${first.whole}`,
    });
  if (counsel.replicas === undefined) {
    const message = `the HPA was unable to compute the replica count: ${first?.message ?? ""}`;
    told("ScalingActive", "False", first?.reason ?? "InvalidMetricSourceType", message);
    return end(autoscaler.status?.desiredReplicas ?? 0, metrics, { events });
  }
  const message = `the HPA was able to successfully calculate a replica count from ${name}`;
  told("ScalingActive", "True", "ValidMetricFound", message);
  const desiredReplicas = counsel.replicas;
  const spec = autoscaler.spec ?? { maxReplicas: 0, scaleTargetRef: { kind: "", name: "" } };
  const { downscaleStabilizationMs } = settings;
  const allowed = allow({ spec, memory, currentReplicas, desiredReplicas, downscaleStabilizationMs, nowMs });
  for (const [type, one] of [
    ["AbleToScale", allowed.able],
    ["ScalingLimited", allowed.limited],
  ] as const)
    told(type, one.status, one.reason, one.message);
  const reason = desiredReplicas > currentReplicas ? `${name} above target` : "All metrics below target";
  const { replicas } = allowed;
  return end(replicas, metrics, {
    events,
    memory: allowed.memory,
    ...(replicas === currentReplicas ? {} : { scale: { replicas, reason } }),
  });
}

const carried = ({ status }: ReadAutoscaler): MetricStatus[] =>
  structuredClone(status?.currentMetrics ?? []) as MetricStatus[];

interface Found {
  readonly currentReplicas: number;
  readonly desiredReplicas: number;
  readonly metrics: MetricStatus[];
  readonly conditions: Conditions;
}

function statusOf(
  { status }: ReadAutoscaler,
  { currentReplicas, desiredReplicas, metrics, conditions }: Found,
): HorizontalPodAutoscalerStatus {
  const { lastScaleTime } = status ?? {};
  return {
    ...(lastScaleTime === undefined ? {} : { lastScaleTime }),
    ...(currentReplicas === 0 ? {} : { currentReplicas }),
    desiredReplicas,
    currentMetrics: metrics,
    conditions: conditions as HorizontalPodAutoscalerCondition[],
  };
}
