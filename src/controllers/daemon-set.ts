// Keeps one pod of a DaemonSet on each node that should run it; the plan is in daemon-set/.
// Watches: daemonsets, nodes, pods (by owner; orphans by selector), controllerrevisions.  Owns: pods, controllerrevisions.
// Writes: those, daemonsets/status.

import { backoffDelay } from "#base/backoff.ts";
import { ControllerRevisions, DaemonSets, Nodes, Pods } from "#client/refs.ts";
import type { ControllerRevision, DaemonSet } from "#machinery/gen/types/apps-v1.ts";
import type { Node, Pod } from "#machinery/gen/types/core-v1.ts";
import { controllerOf, objectKey } from "#machinery/meta.ts";
import { defineController, watching, type ControllerDefinition } from "#reconcile/controller.ts";
import { planDaemonFailure, planDaemonSet, type DaemonInput } from "./daemon-set/daemon-plan.ts";
import { targetOf, type ReadDaemonSet, type ReadNode } from "./daemon-set/placement.ts";
import type { ReadPod } from "./pod-state.ts";
import { podIndexes } from "./replicas.ts";
import { keysOfDependent, selects } from "./selection.ts";

const failureBackoff = { initialMs: 1000, maxMs: 15 * 60_000 } as const;
/** Nodes whose failures are remembered; beyond that the oldest are forgotten. */
const failuresMax = 10_000;

interface Failures {
  count: number;
  lastUid: string;
  lastMs: number;
}

/** How often the pods of a DaemonSet have failed on a node lately: each failure doubles the wait. */
class FailureMemory {
  readonly #failures = new Map<string, Failures>();

  waitMs(set: ReadDaemonSet, pod: ReadPod, nowMs: number): number {
    const key = `${set.metadata?.uid ?? ""}/${targetOf(pod) ?? ""}`;
    const uid = pod.metadata?.uid ?? "";
    let known = this.#failures.get(key);
    if (known === undefined || nowMs - known.lastMs > 2 * failureBackoff.maxMs)
      known = { count: 0, lastUid: "", lastMs: nowMs };
    if (known.lastUid !== uid) known = { count: known.count + 1, lastUid: uid, lastMs: nowMs };
    this.#failures.delete(key);
    this.#failures.set(key, known);
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > failuresMax && oldest !== undefined) this.#failures.delete(oldest);
    // The first goes at once.
    const wait = known.count <= 1 ? 0 : backoffDelay(known.count - 1, failureBackoff);
    return Math.max(0, known.lastMs + wait - nowMs);
  }
}

/** What of a node decides who runs there. */
const placementText = ({ metadata, spec }: ReadNode): string =>
  JSON.stringify([metadata?.labels, spec?.taints]);

export function daemonSetController(): ControllerDefinition {
  const failures = new FailureMemory();
  return defineController<DaemonInput>({
    name: "daemonset-controller",
    owns: [Pods, ControllerRevisions],
    writes: [Pods, ControllerRevisions, DaemonSets],
    watches: [
      watching<DaemonSet>({
        ref: DaemonSets,
        indexes: { namespace: (set) => [set.metadata?.namespace ?? ""] },
        keys: (set) => [objectKey(set)],
      }),
      watching<Node>({
        ref: Nodes,
        keys: (node, reads, other) =>
          other !== undefined && placementText(other) === placementText(node)
            ? []
            : [...reads.of<DaemonSet>(DaemonSets).list()].map((set) => objectKey(set)),
      }),
      watching<Pod>({
        ref: Pods,
        indexes: podIndexes,
        keys: (pod, reads) => keysOfDependent<DaemonSet>(DaemonSets, pod, reads, (set) => selects(set, pod)),
      }),
      watching<ControllerRevision>({
        ref: ControllerRevisions,
        indexes: { "controller-uid": (revision) => [controllerOf(revision)?.uid ?? []].flat() },
        keys: (revision) => {
          const owner = controllerOf(revision);
          return owner?.kind === "DaemonSet" ? [`${revision.metadata?.namespace ?? ""}/${owner.name}`] : [];
        },
      }),
    ],
    read: (key, reads, { nowMs }) => {
      const set = reads.of<DaemonSet>(DaemonSets).get(key);
      if (set === undefined) return undefined;
      const { uid = "", namespace = "" } = set.metadata ?? {};
      const pods = reads.of<Pod>(Pods);
      const orphans = pods.byIndex("orphans-by-namespace", namespace).filter((pod) => selects(set, pod));
      return {
        set,
        nodes: [...reads.of<Node>(Nodes).list()],
        pods: [...pods.byIndex("controller-uid", uid), ...orphans],
        revisions: reads.of<ControllerRevision>(ControllerRevisions).byIndex("controller-uid", uid),
        failedForMs: (pod) => failures.waitMs(set, pod, nowMs),
      };
    },
    plan: planDaemonSet,
    planAfterFailure: planDaemonFailure,
  });
}
