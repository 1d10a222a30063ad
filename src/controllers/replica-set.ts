// Keeps spec.replicas pods alive; a Deployment has one for each of its templates.
// Watches: replicasets, pods (by owner; orphans by selector).  Owns: pods.
// Writes: pods (create, delete, owner references), replicasets/status.

import { Pods, ReplicaSets } from "#client/refs.ts";
import type { ReplicaSet } from "#machinery/gen/types/apps-v1.ts";
import type { Pod } from "#machinery/gen/types/core-v1.ts";
import { controllerOf, type DeepReadonly } from "#machinery/meta.ts";
import { selectorFromObject } from "#machinery/selectors.ts";
import { defineController, type Reads } from "#reconcile/controller.ts";
import type { ReadPod } from "./pod-state.ts";
import { replicaLoop, type ReplicaKind } from "./replicas.ts";

export const replicaSetKind: ReplicaKind<DeepReadonly<ReplicaSet>> = {
  ref: ReplicaSets,
  selectorOf: ({ spec }) => selectorFromObject(spec?.selector) ?? [],
  countsTerminating: true,
};

/** With those of the other ReplicaSets of its Deployment, so that nodes with many of them together are relieved. */
function podsOfDeployment(owner: DeepReadonly<ReplicaSet>, reads: Reads): readonly ReadPod[] | undefined {
  const deployment = controllerOf(owner);
  if (deployment === undefined) return undefined;
  return reads
    .of<ReplicaSet>(ReplicaSets)
    .byIndex("controller-uid", deployment.uid)
    .flatMap(({ metadata }) => reads.of<Pod>(Pods).byIndex("controller-uid", metadata?.uid ?? ""));
}

export const replicaSetController = defineController({
  name: "replicaset-controller",
  ...replicaLoop<ReplicaSet>(replicaSetKind, podsOfDeployment),
});
