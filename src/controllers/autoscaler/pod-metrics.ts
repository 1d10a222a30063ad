// What pods use, as metrics tell it, and which pods a metric can speak for: those that are ready, those that are too
// young or not ready, those that nobody has measured. Pure.

import type { Container } from "#machinery/gen/types/core-v1.ts";
import type { PodMetrics } from "#machinery/gen/types/metrics-v1beta1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { quantityMilli } from "#machinery/quantity.ts";
import { durationNanos } from "#machinery/schema/scalar-text.ts";
import { podCondition, type ReadPod } from "../pod-state.ts";

export interface PodMetric {
  /** In thousandths. */
  readonly milli: number;
  readonly atMs: number;
  readonly windowMs: number;
}

/** By the name of the pod. */
export type Measured = ReadonlyMap<string, PodMetric>;

export interface PodGroups {
  /** The measurements that count. */
  readonly ready: ReadonlyMap<string, number>;
  readonly unready: ReadonlySet<string>;
  readonly missing: ReadonlySet<string>;
}

export interface Patience {
  /** After its start a pod's CPU tells of the start, and not of its work. */
  readonly cpuInitializationPeriodMs: number;
  /** A pod that is not ready for so long after its start has never been. */
  readonly initialReadinessDelayMs: number;
}

/** `1m30s`, as durations are written in metrics. */
const durationMs = (text: string): number => Number(durationNanos(text) ?? 0n) / 1e6;

/** What each pod uses of a resource, in all its containers or in one. Throws when the one is not measured. */
export function usageOf(items: readonly PodMetrics[], resource: string, container?: string): Measured {
  const measured = new Map<string, PodMetric>();
  for (const { metadata, containers = [], timestamp, window } of items) {
    const { name = "", namespace = "" } = metadata ?? {};
    const counted = container === undefined ? containers : containers.filter((one) => one.name === container);
    if (container !== undefined && counted.length === 0)
      throw new Error(`container ${container} not present in metrics for pod ${namespace}/${name}`);
    const usages = counted.map(({ usage }) => usage[resource]);
    // A pod of which one container is not measured is not measured.
    if (usages.length === 0 || usages.includes(undefined)) continue;
    const milli = usages.reduce<number>((sum, usage) => sum + quantityMilli(usage as string), 0);
    measured.set(name, { milli, atMs: Date.parse(timestamp ?? ""), windowMs: durationMs(window) });
  }
  return measured;
}

/** What each pod has asked for, of all its containers or of one. Throws for a pod that has not asked. */
export function requestsOf(
  pods: readonly ReadPod[],
  resource: string,
  container?: string,
): Map<string, number> {
  const requests = new Map<string, number>();
  for (const { metadata, spec } of pods) {
    const { name = "" } = metadata ?? {};
    const whole = spec?.resources?.requests?.[resource];
    if (container === undefined && whole !== undefined) {
      requests.set(name, quantityMilli(whole));
      continue;
    }
    const sidecars = (spec?.initContainers ?? []).filter((one) => one.restartPolicy === "Always");
    const all: readonly DeepReadonly<Container>[] = [...(spec?.containers ?? []), ...sidecars];
    let milli = 0;
    for (const one of all) {
      if (container !== undefined && one.name !== container) continue;
      const request = one.resources?.requests?.[resource];
      if (request === undefined)
        throw new Error(`missing request for ${resource} in container ${one.name} of Pod ${name}`);
      milli += quantityMilli(request);
    }
    requests.set(name, milli);
  }
  return requests;
}

function isUnready(pod: ReadPod, metric: PodMetric, nowMs: number, patience: Patience): boolean {
  const ready = podCondition(pod, "Ready");
  const startedMs = Date.parse(pod.status?.startTime ?? "");
  if (ready === undefined || Number.isNaN(startedMs)) return true;
  const changedMs = Date.parse(ready.lastTransitionTime ?? "") || 0;
  if (startedMs + patience.cpuInitializationPeriodMs > nowMs)
    // A measurement must be of a time when it was ready all along.
    return ready.status === "False" || metric.atMs < changedMs + metric.windowMs;
  return ready.status === "False" && startedMs + patience.initialReadinessDelayMs > changedMs;
}

export function groupPods(
  pods: readonly ReadPod[],
  measured: Measured,
  resource: string | undefined,
  nowMs: number,
  patience: Patience,
): PodGroups {
  const groups = { ready: new Map<string, number>(), unready: new Set<string>(), missing: new Set<string>() };
  for (const pod of pods) {
    const { name = "", deletionTimestamp } = pod.metadata ?? {};
    if (deletionTimestamp !== undefined || pod.status?.phase === "Failed") continue;
    const metric = measured.get(name);
    if (pod.status?.phase === "Pending") groups.unready.add(name);
    else if (metric === undefined) groups.missing.add(name);
    else if (resource === "cpu" && isUnready(pod, metric, nowMs, patience)) groups.unready.add(name);
    else groups.ready.set(name, metric.milli);
  }
  return groups;
}
