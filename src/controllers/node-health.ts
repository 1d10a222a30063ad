// Is a node alive? Pure: what its Lease and status told and when we saw it, against the grace period.
// Time is ours: a heartbeat counts from when we saw it change, whatever the node's own clock says.

import type { Node, NodeCondition, Taint } from "#machinery/gen/types/core-v1.ts";
import { timestamp } from "#base/clock.ts";
import type { DeepReadonly } from "#machinery/meta.ts";

export type ReadNode = DeepReadonly<Node>;
type ReadTaint = DeepReadonly<Taint>;
type ReadCondition = DeepReadonly<NodeCondition>;

/** What one node last told, and when we saw it (by our clock, never going back). */
export interface Heartbeat {
  readonly uid: string;
  readonly leaseRenewed: string;
  readonly statusReported: string;
  readonly seenMs: number;
  /** It has never told anything: it may take longer to come up. */
  readonly isNew: boolean;
}

export const notReadyTaint = "node.kubernetes.io/not-ready";
export const unreachableTaint = "node.kubernetes.io/unreachable";

export function nodeCondition(node: ReadNode, type: string): ReadCondition | undefined {
  return node.status?.conditions?.find((condition) => condition.type === type);
}

/** Takes note of what the node tells now. */
export function observeHeartbeat(
  before: Heartbeat | undefined,
  node: ReadNode,
  leaseRenewed: string,
  nowMs: number,
): Heartbeat {
  const uid = node.metadata?.uid ?? "";
  const statusReported = nodeCondition(node, "Ready")?.lastHeartbeatTime ?? "";
  if (before === undefined || before.uid !== uid)
    return { uid, leaseRenewed, statusReported, seenMs: nowMs, isNew: statusReported === "" };
  const isFresh = before.leaseRenewed !== leaseRenewed || before.statusReported !== statusReported;
  if (!isFresh) return before;
  return { uid, leaseRenewed, statusReported, seenMs: nowMs, isNew: statusReported === "" };
}

/** Conditions that are judged; the kubelet reports them all. */
const watchedConditions = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"] as const;

/** The conditions of a node that has gone silent, or undefined when they already say so. */
export function silentConditions(node: ReadNode, nowMs: number): ReadCondition[] | undefined {
  const now = timestamp(nowMs);
  const held = node.status?.conditions ?? [];
  let changed = false;
  const next = held.map((condition): ReadCondition => {
    const isJudged = (watchedConditions as readonly string[]).includes(condition.type);
    if (!isJudged || condition.status === "Unknown") return condition;
    changed = true;
    return {
      ...condition,
      status: "Unknown",
      reason: "NodeStatusUnknown",
      message: "Kubelet stopped posting node status.",
      lastTransitionTime: now,
    };
  });
  for (const type of watchedConditions) {
    if (held.some((condition) => condition.type === type)) continue;
    changed = true;
    next.push({
      type,
      status: "Unknown",
      lastHeartbeatTime: node.metadata?.creationTimestamp ?? now,
      lastTransitionTime: now,
      reason: "NodeStatusNeverUpdated",
      message: "Kubelet never posted node status.",
    });
  }
  return changed ? next : undefined;
}

/** Taints that conditions and spec.unschedulable ask for, by effect NoSchedule. */
const noScheduleByCondition: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Ready: { False: notReadyTaint, Unknown: unreachableTaint },
  MemoryPressure: { True: "node.kubernetes.io/memory-pressure" },
  DiskPressure: { True: "node.kubernetes.io/disk-pressure" },
  NetworkUnavailable: { True: "node.kubernetes.io/network-unavailable" },
  PIDPressure: { True: "node.kubernetes.io/pid-pressure" },
};
const unschedulableTaint = "node.kubernetes.io/unschedulable";
const ownNoSchedule = new Set([
  unschedulableTaint,
  ...Object.values(noScheduleByCondition).flatMap((byStatus) => Object.values(byStatus)),
]);

export interface TaintRules {
  /** False holds evictions back: the taint NoExecute is not added now (but taken away). */
  readonly mayEvict: boolean;
}

/** The node's taints as they must be, or undefined when they are. Taints of others stay as they are. */
export function wantedTaints(
  node: ReadNode,
  nowMs: number,
  { mayEvict }: TaintRules,
): ReadTaint[] | undefined {
  const held = node.spec?.taints ?? [];
  const ready = nodeCondition(node, "Ready")?.status;
  const noSchedule = (node.status?.conditions ?? []).flatMap(
    ({ type, status }) => noScheduleByCondition[type]?.[status] ?? [],
  );
  if (node.spec?.unschedulable === true) noSchedule.push(unschedulableTaint);
  const noExecute = ready === "False" ? notReadyTaint : ready === "Unknown" ? unreachableTaint : undefined;
  const isKept = ({ key, effect }: ReadTaint): boolean => {
    if (effect === "NoSchedule" && ownNoSchedule.has(key)) return noSchedule.includes(key);
    if (effect === "NoExecute" && (key === notReadyTaint || key === unreachableTaint))
      return key === noExecute;
    return true;
  };
  const next: ReadTaint[] = held.filter(isKept);
  const timeAdded = timestamp(nowMs);
  const add = (key: string, effect: string): void => {
    if (!next.some((taint) => taint.key === key && taint.effect === effect))
      next.push({ key, effect, timeAdded });
  };
  for (const key of noSchedule) add(key, "NoSchedule");
  // A node that changes from one NoExecute taint to the other does not get time anew to wait for.
  const wasEvicting = held.some(
    ({ key, effect }) => effect === "NoExecute" && (key === notReadyTaint || key === unreachableTaint),
  );
  if (noExecute !== undefined && (mayEvict || wasEvicting)) add(noExecute, "NoExecute");
  const isSame = next.length === held.length && next.every((taint, at) => taint === held[at]);
  return isSame ? undefined : next;
}

export type ZoneState = "Normal" | "PartialDisruption" | "FullDisruption";

/** Of a zone's nodes: all silent is our own fault more likely than theirs; most silent asks for care. */
export function zoneState(ready: number, notReady: number, unhealthyThreshold: number): ZoneState {
  if (ready === 0 && notReady > 0) return "FullDisruption";
  if (notReady > 2 && notReady / (ready + notReady) >= unhealthyThreshold) return "PartialDisruption";
  return "Normal";
}

export interface EvictionRates {
  /** Nodes per second. */
  readonly normal: number;
  readonly secondary: number;
  readonly largeClusterNodes: number;
}

/** How many nodes of a zone may be tainted NoExecute per second. */
export function evictionRate(
  state: ZoneState,
  nodes: number,
  allZonesDown: boolean,
  rates: EvictionRates,
): number {
  if (allZonesDown) return 0;
  if (state === "PartialDisruption") return nodes > rates.largeClusterNodes ? rates.secondary : 0;
  return rates.normal;
}
