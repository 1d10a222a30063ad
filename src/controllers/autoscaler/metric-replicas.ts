// What one metric of an autoscaler says: how many replicas, and what its status shows; or why it says nothing. Pure.

import { toError } from "#base/assert.ts";
import type {
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
} from "#machinery/gen/types/autoscaling-v2.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { formatQuantity, quantityMilli } from "#machinery/quantity.ts";
import { isPodReady, type ReadPod } from "../pod-state.ts";
import { goSelector, type Reading } from "./metric-source.ts";
import { groupPods, requestsOf, type Measured, type Patience } from "./pod-metrics.ts";
import { replicasByPods, replicasByRatio, replicasByShare, sum, type Tolerance } from "./replica-count.ts";

type ReadSpec = DeepReadonly<MetricSpec>;
type ReadTarget = DeepReadonly<MetricTarget>;

export interface Situation {
  readonly pods: readonly ReadPod[];
  /** As the scale asks for, and as it tells. */
  readonly currentReplicas: number;
  readonly statusReplicas: number;
  readonly tolerance: Tolerance;
  readonly patience: Patience;
  readonly nowMs: number;
}

export interface Opinion {
  readonly replicas: number;
  readonly status: MetricStatus;
  /** How conditions and events call it. */
  readonly name: string;
}

export interface NoOpinion {
  readonly reason: string;
  /** For the event and the condition. */
  readonly message: string;
  /** The same, as part of what is said of all metrics. */
  readonly whole: string;
}

const shown = (milli: number): string =>
  formatQuantity({ nano: BigInt(Math.trunc(milli)) * 1_000_000n, format: "DecimalSI" });

interface Result {
  readonly replicas: number;
  readonly current: MetricValueStatus;
}

/** Use as a percentage of what was asked for. */
function byUtilization(
  measured: Measured,
  spec: { name: string; container?: string; target: number },
  situation: Situation,
): Result {
  const { pods, currentReplicas, tolerance, patience, nowMs } = situation;
  const groups = groupPods(pods, measured, spec.name, nowMs, patience);
  if (groups.ready.size === 0)
    throw new Error("did not receive metrics for targeted pods (pods might be unready)");
  const requests = requestsOf(pods, spec.name, spec.container);
  const percent = (usage: ReadonlyMap<string, number>): number => {
    let asked = 0;
    for (const pod of usage.keys()) asked += requests.get(pod) ?? 0;
    if (asked === 0) throw new Error("no metrics returned matched known pods");
    return Math.trunc((sum(usage) * 100) / asked);
  };
  const averageUtilization = percent(groups.ready);
  const replicas = replicasByPods({
    groups,
    ratioOf: (usage) => percent(usage) / spec.target,
    assumed: (pod) => Math.trunc(((requests.get(pod) ?? 0) * Math.max(100, spec.target)) / 100),
    currentReplicas,
    tolerance,
  });
  return {
    replicas,
    current: { averageUtilization, averageValue: shown(sum(groups.ready) / groups.ready.size) },
  };
}

/** Use of each pod, in itself. */
function byAverage(
  measured: Measured,
  resource: string | undefined,
  targetMilli: number,
  situation: Situation,
): Result {
  const { pods, currentReplicas, tolerance, patience, nowMs } = situation;
  const groups = groupPods(pods, measured, resource, nowMs, patience);
  if (groups.ready.size === 0)
    throw new Error("did not receive metrics for targeted pods (pods might be unready)");
  const average = (usage: ReadonlyMap<string, number>): number => Math.trunc(sum(usage) / usage.size);
  const replicas = replicasByPods({
    groups,
    ratioOf: (usage) => average(usage) / targetMilli,
    assumed: () => targetMilli,
    currentReplicas,
    tolerance,
  });
  return { replicas, current: { averageValue: shown(average(groups.ready)) } };
}

/** One value for all, or to be shared out among them. */
function byValues(milli: readonly number[], target: ReadTarget, situation: Situation): Result {
  const { pods, currentReplicas, statusReplicas, tolerance } = situation;
  const total = milli.reduce((all, one) => all + one, 0);
  if (target.value !== undefined) {
    const ready = pods.filter((pod) => pod.status?.phase === "Running" && isPodReady(pod)).length;
    const ratio = total / quantityMilli(target.value);
    return {
      replicas: replicasByRatio(ratio, currentReplicas, ready, tolerance),
      current: { value: shown(total) },
    };
  }
  if (target.averageValue === undefined)
    throw new Error("invalid metric source: neither a value target nor an average value target was set");
  const counts = { current: currentReplicas, observed: statusReplicas };
  return {
    replicas: replicasByShare(total, quantityMilli(target.averageValue), counts, tolerance),
    current: { averageValue: shown(Math.ceil(total / Math.max(1, statusReplicas))) },
  };
}

function ofResource(
  measured: Measured,
  { name, target, container }: { name: string; target: ReadTarget; container?: string },
  situation: Situation,
): Result {
  if (target.averageValue !== undefined)
    return byAverage(measured, name, quantityMilli(target.averageValue), situation);
  if (target.averageUtilization === undefined)
    throw new Error(
      "invalid resource metric source: neither an average utilization target nor an average value (usage) target was set",
    );
  const about = {
    name,
    target: target.averageUtilization,
    ...(container === undefined ? {} : { container }),
  };
  return byUtilization(measured, about, situation);
}

interface Wording {
  readonly reason: string;
  /** What failed, for the event, and for what is said of all metrics. */
  readonly failed: string;
  readonly whole: string;
  readonly name: string;
}

const kindOf = (target: ReadTarget): string => (target.averageValue === undefined ? "utilization" : "usage");

function wordingOf(spec: ReadSpec): Wording {
  const { resource, containerResource, pods, object, external } = spec;
  const percent = " utilization (percentage of request)";
  if (resource !== undefined) {
    const { name, target } = resource;
    return {
      reason: "FailedGetResourceMetric",
      failed: `failed to get ${name} ${kindOf(target)}`,
      whole: `failed to get ${name} resource metric value`,
      name: `${name} resource${target.averageValue === undefined ? percent : ""}`,
    };
  }
  if (containerResource !== undefined) {
    const { name, target } = containerResource;
    return {
      reason: "FailedGetContainerResourceMetric",
      failed: `failed to get ${name} ${kindOf(target)}`,
      whole: `failed to get ${name} container metric value`,
      name: `${name} container resource${target.averageValue === undefined ? percent : ""}`,
    };
  }
  if (pods !== undefined)
    return {
      reason: "FailedGetPodsMetric",
      failed: "failed to get pods metric value",
      whole: "failed to get pods metric value",
      name: `pods metric ${pods.metric.name}`,
    };
  if (object !== undefined)
    return {
      reason: "FailedGetObjectMetric",
      failed: "failed to get object metric value",
      whole: "failed to get object metric value",
      name: `${object.describedObject.kind} metric ${object.metric.name}`,
    };
  if (external !== undefined)
    return {
      reason: "FailedGetExternalMetric",
      failed: `failed to get ${external.metric.name} external metric`,
      whole: `failed to get ${external.metric.name} external metric value`,
      name: `external metric ${external.metric.name}(${goSelector(external.metric)})`,
    };
  return { reason: "InvalidMetricSourceType", failed: "", whole: "", name: spec.type };
}

function resultOf(
  spec: ReadSpec,
  reading: Exclude<Reading, { kind: "failed" }>,
  situation: Situation,
): Result {
  const { resource, containerResource, pods, object, external } = spec;
  if (reading.kind === "values")
    return byValues(reading.milli, object?.target ?? external?.target ?? { type: "" }, situation);
  if (resource !== undefined) return ofResource(reading.measured, resource, situation);
  if (containerResource !== undefined) return ofResource(reading.measured, containerResource, situation);
  return byAverage(reading.measured, undefined, quantityMilli(pods?.target.averageValue ?? "0"), situation);
}

function statusOf(spec: ReadSpec, current: MetricValueStatus): MetricStatus {
  const { type, resource, containerResource, pods, object, external } = structuredClone(spec) as MetricSpec;
  return {
    type,
    ...(resource === undefined ? {} : { resource: { name: resource.name, current } }),
    ...(containerResource === undefined
      ? {}
      : {
          containerResource: {
            name: containerResource.name,
            container: containerResource.container,
            current,
          },
        }),
    ...(pods === undefined ? {} : { pods: { metric: pods.metric, current } }),
    ...(object === undefined
      ? {}
      : { object: { metric: object.metric, describedObject: object.describedObject, current } }),
    ...(external === undefined ? {} : { external: { metric: external.metric, current } }),
  };
}

export function judgeMetric(spec: ReadSpec, reading: Reading, situation: Situation): Opinion | NoOpinion {
  const { reason, failed, whole, name } = wordingOf(spec);
  const nothing = (why: string): NoOpinion => {
    const message = failed === "" ? why : `${failed}: ${why}`;
    // What is said of a resource names it twice.
    const outer = whole === "" || whole === failed ? message : `${whole}: ${message}`;
    return { reason, message, whole: outer };
  };
  if (reading.kind === "failed") return nothing(reading.error);
  try {
    const { replicas, current } = resultOf(spec, reading, situation);
    return { replicas, status: statusOf(spec, current), name };
  } catch (thrown) {
    return nothing(toError(thrown).message);
  }
}
