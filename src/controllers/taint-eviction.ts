// Deletes pods from nodes with NoExecute taints that they do not tolerate, or no longer.
// Watches: pods (by node), nodes.  Owns: nothing.  Writes: pods (delete), pods/status.

import { timestamp, type Clock } from "#base/clock.ts";
import { Nodes, Pods } from "#client/refs.ts";
import type { Node, Pod, Taint } from "#machinery/gen/types/core-v1.ts";
import { objectKey, type DeepReadonly } from "#machinery/meta.ts";
import { toleratedFor } from "#resources/core/pod/tolerations.ts";
import { deleteAction, patchAction, referenceTo } from "#reconcile/action.ts";
import {
  defineController,
  watching,
  type ControllerDefinition,
  type Plan,
  type PlanContext,
} from "#reconcile/controller.ts";
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
  // The time begins with the newest of the taints, but not before the pod is there.
  const { metadata, status } = pod;
  const begins = [
    ...taints.map(({ timeAdded }) => timeAdded),
    metadata?.creationTimestamp,
    status?.startTime,
  ].map((text) => Date.parse(text ?? "") || 0);
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

/** Since when taints are there that do not say so themselves (`kubectl taint`): by node and taint, of tainted nodes only. */
class SeenTaints {
  readonly #sinceMs = new Map<string, ReadonlyMap<string, number>>();

  /** Of a node as it is now; gone is without taints. */
  note(name: string, node: DeepReadonly<Node> | undefined, nowMs: number): void {
    const before = this.#sinceMs.get(name);
    const taints = noExecute(node);
    if (taints.length === 0) this.#sinceMs.delete(name);
    else this.#sinceMs.set(name, new Map(taints.map((one) => [idOf(one), before?.get(idOf(one)) ?? nowMs])));
  }

  dated(name: string, taints: Taints, nowMs: number): Taints {
    const since = this.#sinceMs.get(name);
    return taints.map((one) =>
      one.timeAdded == null
        ? { ...one, timeAdded: new Date(since?.get(idOf(one)) ?? nowMs).toISOString() }
        : one,
    );
  }
}

const idOf = ({ key, value = "" }: DeepReadonly<Taint>): string => `${key}=${value}`;

export function taintEvictionController(clock: Clock): ControllerDefinition {
  const seen = new SeenTaints();
  return defineController<EvictionInput>({
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
        keys: (node, reads) => {
          const name = node.metadata?.name ?? "";
          seen.note(name, reads.of<Node>(Nodes).get(name), clock.now());
          if (noExecute(node).length === 0) return [];
          const pods = reads.of<Pod>(Pods).byIndex("node", name);
          return pods.map((pod) => objectKey(pod));
        },
      }),
    ],
    read: (key, reads, { nowMs }) => {
      const pod = reads.of<Pod>(Pods).get(key);
      if (pod === undefined) return undefined;
      const node = pod.spec?.nodeName ?? "";
      return { pod, taints: seen.dated(node, noExecute(reads.of<Node>(Nodes).get(node)), nowMs) };
    },
    plan: planEviction,
  });
}
