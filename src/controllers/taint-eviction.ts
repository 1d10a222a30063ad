// Deletes pods from nodes with NoExecute taints that they do not tolerate, or no longer.
// Watches: pods (by node), nodes.  Owns: nothing.  Writes: pods (delete), pods/status.

import { timestamp } from "#base/clock.ts";
import { Nodes, Pods } from "#client/refs.ts";
import type { Node, Pod, Taint } from "#machinery/gen/types/core-v1.ts";
import { objectKey, type DeepReadonly } from "#machinery/meta.ts";
import { toleratedFor } from "#resources/core/pod/tolerations.ts";
import { deleteAction, patchAction, referenceTo } from "#reconcile/action.ts";
import { defineController, watching, type Plan, type PlanContext } from "#reconcile/controller.ts";
import { podCondition, type ReadPod } from "./pod-state.ts";

type Taints = readonly DeepReadonly<Taint>[];

export interface EvictionInput {
  readonly pod: ReadPod;
  /** The NoExecute taints of its node. */
  readonly taints: Taints;
}

const noExecute = (node: DeepReadonly<Node> | undefined): Taints =>
  (node?.spec?.taints ?? []).filter(({ effect }) => effect === "NoExecute");

export function planEviction({ pod, taints }: EvictionInput, { nowMs }: PlanContext): Plan {
  if (taints.length === 0 || pod.metadata?.deletionTimestamp !== undefined) return { actions: [] };
  const stays = toleratedFor(taints, pod.spec?.tolerations ?? []);
  if (stays === "stay") return { actions: [] };
  // The time begins with the newest of the taints.
  const begins = taints.map(({ timeAdded }) => Date.parse(timeAdded ?? "") || 0);
  const dueMs = stays === "evict" ? 0 : Math.max(...begins) + stays * 1000;
  if (dueMs > nowMs) return { actions: [], againAfterMs: dueMs - nowMs };
  const { namespace, name } = pod.metadata ?? {};
  const about = referenceTo(Pods, pod);
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    reason: "DeletionByTaintManager",
    message: "Taint manager: deleting due to NoExecute taint",
    lastTransitionTime: timestamp(nowMs),
  };
  const patch = { metadata: { uid: pod.metadata?.uid }, status: { conditions: [condition] } };
  const isMarked = podCondition(pod, "DisruptionTarget")?.status === "True";
  return {
    actions: [
      {
        do: "event",
        about,
        type: "Normal",
        reason: "TaintManagerEviction",
        message: `Marking for deletion Pod ${namespace}/${name}`,
      },
      ...(isMarked
        ? []
        : [patchAction(Pods, pod, "strategic", patch, { subresource: "status", absentIsFine: true })]),
      deleteAction(Pods, pod),
    ],
  };
}

export const taintEvictionController = defineController<EvictionInput>({
  name: "taint-eviction-controller",
  owns: [],
  writes: [Pods],
  watches: [
    watching<Pod>({
      ref: Pods,
      indexes: { node: (pod) => [pod.spec?.nodeName ?? []].flat() },
      keys: (pod, reads) =>
        noExecute(reads.of<Node>(Nodes).get(pod.spec?.nodeName ?? "")).length === 0 ? [] : [objectKey(pod)],
    }),
    watching<Node>({
      ref: Nodes,
      keys: (node, reads) =>
        noExecute(node).length === 0
          ? []
          : reads
              .of<Pod>(Pods)
              .byIndex("node", node.metadata?.name ?? "")
              .map((pod) => objectKey(pod)),
    }),
  ],
  read: (key, reads) => {
    const pod = reads.of<Pod>(Pods).get(key);
    if (pod === undefined) return undefined;
    return { pod, taints: noExecute(reads.of<Node>(Nodes).get(pod.spec?.nodeName ?? "")) };
  },
  plan: planEviction,
});
