// Tells nodes how long they may remember Secrets and ConfigMaps: the longer, the more nodes ask.
// Watches: nodes.  Owns: nothing.  Writes: nodes.

import { Nodes } from "#client/refs.ts";
import type { Node } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { patchAction } from "#reconcile/action.ts";
import { defineController, watching, type ControllerDefinition, type Plan } from "#reconcile/controller.ts";

const annotation = "node.alpha.kubernetes.io/ttl";

interface Step {
  readonly from: number;
  readonly to: number;
  readonly seconds: number;
}

/** They overlap, so that a cluster at the edge of two does not change its mind all the time. */
const steps: readonly Step[] = [
  { from: 0, to: 100, seconds: 0 },
  { from: 90, to: 500, seconds: 15 },
  { from: 450, to: 1000, seconds: 30 },
  { from: 900, to: 2000, seconds: 60 },
  { from: 1800, to: Infinity, seconds: 300 },
];

/** The step for so many nodes, coming from another. */
export function stepFor(nodes: number, step: number): number {
  let at = step;
  while (nodes > (steps[at]?.to ?? Infinity)) at++;
  while (nodes < (steps[at]?.from ?? 0)) at--;
  return at;
}

export const secondsOf = (step: number): number => steps[step]?.seconds ?? 0;

export function planTtl(node: DeepReadonly<Node>, seconds: number): Plan {
  const { annotations, deletionTimestamp } = node.metadata ?? {};
  if (annotations?.[annotation] === String(seconds) || deletionTimestamp !== undefined)
    return { actions: [] };
  const patch = { metadata: { annotations: { [annotation]: String(seconds) } } };
  return { actions: [patchAction(Nodes, node, "merge", patch, { absentIsFine: true })] };
}

export function ttlController(): ControllerDefinition {
  let step = 0;
  return defineController<{ node: DeepReadonly<Node>; seconds: number }>({
    name: "ttl-controller",
    owns: [],
    writes: [Nodes],
    watches: [
      watching<Node>({
        ref: Nodes,
        // Of a change only what was annotated matters; when nodes come or go, all may have to know.
        keys: (node, reads, other) => {
          const own = [node.metadata?.name ?? ""];
          if (other !== undefined)
            return node.metadata?.annotations?.[annotation] === other.metadata?.annotations?.[annotation]
              ? []
              : own;
          const nodes = reads.of<Node>(Nodes);
          const before = step;
          step = stepFor(nodes.size, step);
          return step === before ? own : Array.from(nodes.list(), ({ metadata }) => metadata?.name ?? "");
        },
      }),
    ],
    read: (key, reads) => {
      const node = reads.of<Node>(Nodes).get(key);
      return node === undefined ? undefined : { node, seconds: secondsOf(step) };
    },
    plan: ({ node, seconds }) => planTtl(node, seconds),
  });
}
