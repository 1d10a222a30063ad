// Watches over nodes: a silent one becomes Unknown, its pods not ready; conditions become taints.
// Watches: nodes, leases of kube-node-lease, pods (by node).  Owns: nothing.
// Writes: nodes (taints), nodes/status, pods/status.

import { timestamp } from "#base/clock.ts";
import { Leases, Nodes, Pods } from "#client/refs.ts";
import type { Lease } from "#machinery/gen/types/coordination-v1.ts";
import type { Node, Pod } from "#machinery/gen/types/core-v1.ts";
import { patchAction, referenceTo, type Action } from "#reconcile/action.ts";
import {
  defineController,
  watching,
  type ControllerDefinition,
  type Plan,
  type PlanContext,
  type Reads,
} from "#reconcile/controller.ts";
import { EvictionGate, isNodeReady } from "./eviction-gate.ts";
import {
  nodeCondition,
  notReadyTaint,
  observeHeartbeat,
  silentConditions,
  unreachableTaint,
  wantedTaints,
  type Heartbeat,
  type ReadNode,
} from "./node-health.ts";
import { podCondition, type ReadPod } from "./pod-state.ts";

export interface NodeLifecycleOptions {
  /** `--node-monitor-period` */
  readonly nodeMonitorPeriodMs?: number;
  /** `--node-monitor-grace-period`: silent for longer is not alive. */
  readonly nodeMonitorGracePeriodMs?: number;
  /** `--node-startup-grace-period`: the same for nodes that never told anything. */
  readonly nodeStartupGracePeriodMs?: number;
  /** `--node-eviction-rate`, nodes per second; `--secondary-node-eviction-rate` in a zone that is in trouble. */
  readonly nodeEvictionRate?: number;
  readonly secondaryNodeEvictionRate?: number;
  readonly unhealthyZoneThreshold?: number;
  readonly largeClusterSizeThreshold?: number;
}

export const nodeLifecycleDefaults: Readonly<Record<keyof NodeLifecycleOptions, number>> = {
  nodeMonitorPeriodMs: 5_000,
  nodeMonitorGracePeriodMs: 50_000,
  nodeStartupGracePeriodMs: 60_000,
  nodeEvictionRate: 0.1,
  secondaryNodeEvictionRate: 0.01,
  unhealthyZoneThreshold: 0.55,
  largeClusterSizeThreshold: 50,
};

export interface NodeInput {
  readonly node: ReadNode;
  readonly heartbeat: Heartbeat;
  /** Pods on it. */
  readonly pods: readonly ReadPod[];
  readonly mayEvict: boolean;
  /** We see it for the first time. */
  readonly isFirst: boolean;
}

const isEvicting = (node: ReadNode): boolean =>
  (node.spec?.taints ?? []).some(
    ({ key, effect }) => effect === "NoExecute" && (key === notReadyTaint || key === unreachableTaint),
  );

/** Pods on a node that nobody hears of cannot be counted on. */
function notReadyPods(node: ReadNode, pods: readonly ReadPod[], nowMs: number): Action[] {
  const lastTransitionTime = timestamp(nowMs);
  return pods
    .filter((pod) => podCondition(pod, "Ready")?.status === "True")
    .flatMap((pod) => [
      patchAction(
        Pods,
        pod,
        "strategic",
        {
          metadata: { uid: pod.metadata?.uid },
          status: { conditions: [{ type: "Ready", status: "False", lastTransitionTime }] },
        },
        { subresource: "status", absentIsFine: true },
      ),
      {
        do: "event",
        about: referenceTo(Pods, pod),
        type: "Warning",
        reason: "NodeNotReady",
        message: "Node is not ready",
      } as const,
    ]);
}

export function planNode(
  input: NodeInput,
  options: Required<NodeLifecycleOptions>,
  nowMs: number,
  monotonicMs: number,
): Plan {
  const { node, heartbeat, pods, mayEvict, isFirst } = input;
  const graceMs = heartbeat.isNew ? options.nodeStartupGracePeriodMs : options.nodeMonitorGracePeriodMs;
  const silentMs = monotonicMs - heartbeat.seenMs;
  const isSilent = silentMs > graceMs;
  const conditions = isSilent ? silentConditions(node, nowMs) : undefined;
  const { name = "", uid = "" } = node.metadata ?? {};
  const about = { apiVersion: "v1", kind: "Node", name, uid };
  if (conditions !== undefined) {
    const { resourceVersion } = node.metadata ?? {};
    const patch = { metadata: { resourceVersion }, status: { conditions } };
    const message = `Node ${name} status is now: NodeNotReady`;
    return {
      actions: [
        patchAction(Nodes, node, "merge", patch, { subresource: "status", absentIsFine: true }),
        ...(isNodeReady(node)
          ? [{ do: "event", about, type: "Normal", reason: "NodeNotReady", message } as const]
          : []),
      ],
    };
  }
  const actions: Action[] = [];
  if (isFirst) {
    const message = `Node ${name} event: Registered Node ${name} in Controller`;
    actions.push({ do: "event", about, type: "Normal", reason: "RegisteredNode", message });
  }
  const taints = wantedTaints(node, nowMs, { mayEvict });
  if (taints !== undefined) {
    const { resourceVersion } = node.metadata ?? {};
    const patch = { metadata: { resourceVersion }, spec: { taints: taints.length === 0 ? null : taints } };
    actions.push(patchAction(Nodes, node, "merge", patch, { absentIsFine: true }));
  }
  if (isSilent && nodeCondition(node, "Ready")?.status === "Unknown")
    actions.push(...notReadyPods(node, pods, nowMs));
  return isSilent ? { actions } : { actions, againAfterMs: Math.max(1, graceMs - silentMs + 1) };
}

/** `monotonic` is the clock by which heartbeats are seen to stop. */
export function nodeLifecycleController(
  given: NodeLifecycleOptions,
  monotonic: () => number,
): ControllerDefinition {
  const options: Record<keyof NodeLifecycleOptions, number> = { ...nodeLifecycleDefaults };
  for (const name of Object.keys(options) as (keyof typeof options)[])
    options[name] = given[name] ?? options[name];
  const { nodeEvictionRate, secondaryNodeEvictionRate, largeClusterSizeThreshold, unhealthyZoneThreshold } =
    options;
  const gate = new EvictionGate({
    rates: {
      normal: nodeEvictionRate,
      secondary: secondaryNodeEvictionRate,
      largeClusterNodes: largeClusterSizeThreshold,
    },
    unhealthyZoneThreshold,
  });
  /** By node name; as many as there are nodes. */
  const heartbeats = new Map<string, Heartbeat>();
  const names = (reads: Reads): string[] =>
    [...reads.of<Node>(Nodes).list()].map((node) => node.metadata?.name ?? "");
  return defineController<NodeInput>({
    name: "node-controller",
    owns: [],
    writes: [Nodes, Pods],
    watches: [
      watching<Node>({
        ref: Nodes,
        keys: ({ metadata }, reads) => {
          const name = metadata?.name ?? "";
          gate.note(name, reads.of<Node>(Nodes).get(name));
          return [name];
        },
      }),
      watching<Lease>({
        ref: Leases,
        options: { namespace: "kube-node-lease" },
        // A renewal needs no work: the next tick sees it. Only a node that comes back is not kept waiting.
        keys: ({ metadata }, reads) => {
          const node = reads.of<Node>(Nodes).get(metadata?.name ?? "");
          return node === undefined || isNodeReady(node) ? [] : [metadata?.name ?? ""];
        },
      }),
      watching<Pod>({
        ref: Pods,
        indexes: { node: (pod) => [pod.spec?.nodeName ?? []].flat() },
        keys: () => [],
      }),
    ],
    tick: { everyMs: options.nodeMonitorPeriodMs, keys: names },
    read: (key, reads) => {
      const node = reads.of<Node>(Nodes).get(key);
      if (node === undefined) {
        heartbeats.delete(key);
        return undefined;
      }
      const renewed = reads.of<Lease>(Leases).get(`kube-node-lease/${key}`)?.spec?.renewTime ?? "";
      const heartbeat = observeHeartbeat(heartbeats.get(key), node, renewed, monotonic());
      const isFirst = heartbeats.get(key)?.uid !== heartbeat.uid;
      heartbeats.set(key, heartbeat);
      const mayEvict = isNodeReady(node) || isEvicting(node) || gate.mayEvict(node, monotonic());
      return { node, heartbeat, pods: reads.of<Pod>(Pods).byIndex("node", key), mayEvict, isFirst };
    },
    plan: (input, { nowMs }: PlanContext) => planNode(input, options, nowMs, monotonic()),
  });
}
