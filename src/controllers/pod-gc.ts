// Removes pods that nobody else will: of nodes that are gone, stuck without a node, or too many that have finished.
// Watches: pods, nodes.  Owns: nothing.  Writes: pods (delete), pods/status.
// Why run(): whether a node is really gone is asked of the server itself, not of a cache that may be behind.

import { timestamp } from "#base/clock.ts";
import type { Client } from "#client/client.ts";
import { Nodes, Pods } from "#client/refs.ts";
import type { Node, Pod } from "#machinery/gen/types/core-v1.ts";
import { ApiError } from "#machinery/status.ts";
import { deleteAction, patchAction, type Action } from "#reconcile/action.ts";
import { defineController, watching, type ControllerDefinition, type Plan } from "#reconcile/controller.ts";
import { isNodeReady } from "./eviction-gate.ts";
import { isPodTerminal, type ReadPod } from "./pod-state.ts";

export interface PodGcOptions {
  /** `--terminated-pod-gc-threshold`: finished pods beyond this many are removed, oldest first; 0: never. */
  readonly terminatedPodGcThreshold?: number;
  readonly podGcPeriodMs?: number;
  /** A node must have been missing for this long. */
  readonly podGcQuarantineMs?: number;
}

export interface PodGcInput {
  readonly pods: readonly ReadPod[];
  /** Names of nodes that certainly do not exist. */
  readonly goneNodes: ReadonlySet<string>;
  /** Names of nodes that are tainted out of service, and do not answer. */
  readonly outOfService: ReadonlySet<string>;
  readonly terminatedMax: number;
}

const byAge = (a: ReadPod, b: ReadPod): number => {
  const [x, y] = [a.metadata?.creationTimestamp ?? "", b.metadata?.creationTimestamp ?? ""];
  if (x !== y) return x < y ? -1 : 1;
  return (a.metadata?.name ?? "") < (b.metadata?.name ?? "") ? -1 : 1;
};

/** Marks a pod that has not finished as failed, then deletes it without grace. */
function removal(pod: ReadPod, message: string | undefined, nowMs: number): Action[] {
  const remove = deleteAction(Pods, pod, { options: { gracePeriodSeconds: 0 } });
  if (isPodTerminal(pod)) return [remove];
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    reason: "DeletionByPodGC",
    message,
    lastTransitionTime: timestamp(nowMs),
  };
  const status = { phase: "Failed", ...(message === undefined ? {} : { conditions: [condition] }) };
  const patch = { metadata: { uid: pod.metadata?.uid }, status };
  return [patchAction(Pods, pod, "strategic", patch, { subresource: "status", absentIsFine: true }), remove];
}

export function planPodGc({ pods, goneNodes, outOfService, terminatedMax }: PodGcInput, nowMs: number): Plan {
  const actions: Action[] = [];
  const finished: ReadPod[] = [];
  for (const pod of pods) {
    const { nodeName = "" } = pod.spec ?? {};
    const isDeleting = pod.metadata?.deletionTimestamp !== undefined;
    if (nodeName !== "" && goneNodes.has(nodeName))
      actions.push(...removal(pod, "PodGC: node no longer exists", nowMs));
    else if (nodeName === "" && isDeleting) actions.push(...removal(pod, undefined, nowMs));
    else if (isDeleting && outOfService.has(nodeName)) actions.push(...removal(pod, undefined, nowMs));
    else if (isPodTerminal(pod) && !isDeleting) finished.push(pod);
  }
  const surplus = terminatedMax > 0 ? Math.max(0, finished.length - terminatedMax) : 0;
  for (const pod of finished.sort(byAge).slice(0, surplus)) actions.push(...removal(pod, undefined, nowMs));
  return { actions };
}

async function isGone(client: Client, node: string): Promise<boolean> {
  try {
    await client.get(Nodes, "", node);
    return false;
  } catch (thrown) {
    if (thrown instanceof ApiError && thrown.code === 404) return true;
    throw thrown;
  }
}

const key = "all";
const outOfServiceTaint = "node.kubernetes.io/out-of-service";

export function podGcController(given: PodGcOptions, monotonic: () => number): ControllerDefinition {
  const { terminatedPodGcThreshold = 12_500, podGcPeriodMs = 20_000, podGcQuarantineMs = 40_000 } = given;
  /** Since when each node that pods name has been missing; as many as there are such nodes. */
  const missingSince = new Map<string, number>();
  return defineController<PodGcInput>({
    name: "pod-garbage-collector-controller",
    owns: [],
    writes: [Pods],
    workers: 1,
    watches: [watching<Pod>({ ref: Pods, keys: () => [] }), watching<Node>({ ref: Nodes, keys: () => [] })],
    tick: { everyMs: podGcPeriodMs, keys: () => [key] },
    read: (_key, reads) => {
      const nodes = reads.of<Node>(Nodes);
      const pods = [...reads.of<Pod>(Pods).list()];
      const named = new Set(pods.map((pod) => pod.spec?.nodeName ?? "").filter((name) => name !== ""));
      for (const name of [...missingSince.keys()])
        if (!named.has(name) || nodes.get(name) !== undefined) missingSince.delete(name);
      const goneNodes = new Set<string>();
      for (const name of named) {
        if (nodes.get(name) !== undefined) continue;
        const since = missingSince.get(name) ?? monotonic();
        missingSince.set(name, since);
        if (monotonic() - since >= podGcQuarantineMs) goneNodes.add(name);
      }
      const outOfService = new Set<string>();
      for (const node of nodes.list()) {
        const isTainted = node.spec?.taints?.some(({ key: taint }) => taint === outOfServiceTaint) === true;
        // Of a node that answers, the kubelet itself ends pods.
        if (isTainted && !isNodeReady(node)) outOfService.add(node.metadata?.name ?? "");
      }
      return { pods, goneNodes, outOfService, terminatedMax: terminatedPodGcThreshold };
    },
    plan: (input, { nowMs }) => planPodGc(input, nowMs),
    run: async (input, { client, nowMs, execute }) => {
      const goneNodes = new Set<string>();
      for (const name of input.goneNodes) if (await isGone(client, name)) goneNodes.add(name);
      await execute(planPodGc({ ...input, goneNodes }, nowMs).actions);
      return undefined;
    },
  });
}
