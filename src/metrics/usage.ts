// Two looks at a node → what it and its pods use now, as metrics.k8s.io tells it: CPU as the mean over the time between
// the looks, memory as it was last. Pure.

import type { NodeMetrics, PodMetrics } from "#machinery/gen/types/metrics-v1beta1.ts";
import { formatDuration } from "#machinery/schema/scalar-text.ts";
import type { Point, Sample } from "./exposition.ts";

export interface Usage {
  readonly atMs: number;
  readonly windowMs: number;
  readonly cpuNanoCores: number;
  readonly memoryBytes: number;
}

export interface PodUsage {
  readonly atMs: number;
  readonly windowMs: number;
  readonly containers: readonly (Usage & { readonly name: string })[];
}

export interface NodeUsage {
  readonly node: Usage | undefined;
  /** By `namespace/name`. */
  readonly pods: ReadonlyMap<string, PodUsage>;
}

/** A container that only the second look has seen is measured from its start, once that is so long ago. */
const freshMsMin = 10_000;

/** Where the time begins that `now` is measured over: the look before, or the start of what has started since. */
function beginning(before: Point | undefined, now: Point): Point | undefined {
  if (before !== undefined && before.cpuSeconds <= now.cpuSeconds) return before;
  const { startedAtMs } = now;
  if (startedAtMs === undefined || now.atMs - startedAtMs < freshMsMin) return undefined;
  return { atMs: startedAtMs, cpuSeconds: 0, memoryBytes: 0 };
}

function usageBetween(before: Point | undefined, now: Point): Usage | undefined {
  const from = beginning(before, now);
  if (from === undefined || from.atMs >= now.atMs) return undefined;
  const windowMs = now.atMs - from.atMs;
  return {
    atMs: now.atMs,
    windowMs,
    cpuNanoCores: Math.round(((now.cpuSeconds - from.cpuSeconds) / windowMs) * 1e12),
    memoryBytes: now.memoryBytes,
  };
}

function podUsage(
  before: ReadonlyMap<string, Point> | undefined,
  now: ReadonlyMap<string, Point>,
): PodUsage | undefined {
  const containers: (Usage & { name: string })[] = [];
  for (const [name, point] of now) {
    const usage = usageBetween(before?.get(name), point);
    if (usage === undefined) return undefined;
    containers.push({ name, ...usage });
  }
  if (containers.length === 0) return undefined;
  return {
    // The oldest figure, and the longest time: what is said is true of all.
    atMs: Math.min(...containers.map(({ atMs }) => atMs)),
    windowMs: Math.max(...containers.map(({ windowMs }) => windowMs)),
    containers,
  };
}

export function nodeUsage(before: Sample | undefined, now: Sample): NodeUsage {
  const pods = new Map<string, PodUsage>();
  for (const [key, points] of now.pods) {
    const usage = podUsage(before?.pods.get(key), points);
    if (usage !== undefined) pods.set(key, usage);
  }
  return { node: now.node === undefined ? undefined : usageBetween(before?.node, now.node), pods };
}

const amounts = ({ cpuNanoCores, memoryBytes }: Usage): Record<string, string> => ({
  cpu: cpuNanoCores === 0 ? "0" : `${cpuNanoCores}n`,
  memory: memoryBytes % 1024 === 0 ? `${memoryBytes / 1024}Ki` : String(memoryBytes),
});

const seconds = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
const windowText = (ms: number): string => formatDuration(BigInt(Math.round(ms)) * 1_000_000n);

interface Named {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

const metadata = (named: Named, nowMs: number) => ({
  name: named.name,
  ...(named.namespace === undefined ? {} : { namespace: named.namespace }),
  ...(named.labels === undefined ? {} : { labels: { ...named.labels } }),
  creationTimestamp: seconds(nowMs),
});

export const nodeMetrics = (named: Named, usage: Usage, nowMs: number): NodeMetrics => ({
  metadata: metadata(named, nowMs),
  timestamp: seconds(usage.atMs),
  window: windowText(usage.windowMs),
  usage: amounts(usage),
});

export const podMetrics = (named: Named, usage: PodUsage, nowMs: number): PodMetrics => ({
  metadata: metadata(named, nowMs),
  timestamp: seconds(usage.atMs),
  window: windowText(usage.windowMs),
  containers: usage.containers.map((one) => ({ name: one.name, usage: amounts(one) })),
});
