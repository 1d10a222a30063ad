// Rolls the pods of a Deployment over to its template, through one ReplicaSet for each template; the plan is in
// deployment/.
// Watches: deployments, replicasets (by owner; orphans by selector), pods (of those that recreate).  Owns: replicasets.
// Writes: replicasets (create, update, patch, delete, owner references), deployments/status.

import { Deployments, Pods, ReplicaSets } from "#client/refs.ts";
import type { Deployment, ReplicaSet } from "#machinery/gen/types/apps-v1.ts";
import type { Pod } from "#machinery/gen/types/core-v1.ts";
import { controllerOf, objectKey } from "#machinery/meta.ts";
import { defineController, watching, type Reads } from "#reconcile/controller.ts";
import { planDeployment, planDeploymentFailure, type DeploymentInput } from "./deployment/deployment-plan.ts";
import type { ReadDeployment } from "./deployment/replica-sets.ts";
import type { ReadPod } from "./pod-state.ts";
import { podIndexes } from "./replicas.ts";
import { keysOfDependent, selects } from "./selection.ts";

const isRecreate = ({ spec }: ReadDeployment): boolean => spec?.strategy?.type === "Recreate";

/** Only a Deployment that waits for its old pods to be gone looks at pods at all. */
function keysOfPod(pod: ReadPod, reads: Reads): string[] {
  const owner = controllerOf(pod);
  if (owner?.kind !== "ReplicaSet") return [];
  const namespace = pod.metadata?.namespace ?? "";
  const set = reads.of<ReplicaSet>(ReplicaSets).get(`${namespace}/${owner.name}`);
  const deployment = set === undefined ? undefined : controllerOf(set);
  if (deployment?.kind !== "Deployment") return [];
  const key = `${namespace}/${deployment.name}`;
  const found = reads.of<Deployment>(Deployments).get(key);
  return found !== undefined && isRecreate(found) ? [key] : [];
}

export const deploymentController = defineController<DeploymentInput>({
  name: "deployment-controller",
  owns: [ReplicaSets],
  writes: [ReplicaSets, Deployments],
  watches: [
    watching<Deployment>({
      ref: Deployments,
      indexes: { namespace: (deployment) => [deployment.metadata?.namespace ?? ""] },
      keys: (deployment) => [objectKey(deployment)],
    }),
    watching<ReplicaSet>({
      ref: ReplicaSets,
      indexes: {
        "controller-uid": (set) => [controllerOf(set)?.uid ?? []].flat(),
        "orphans-by-namespace": (set) =>
          controllerOf(set) === undefined ? [set.metadata?.namespace ?? ""] : [],
      },
      keys: (set, reads) =>
        keysOfDependent<Deployment>(Deployments, set, reads, (deployment) => selects(deployment, set)),
    }),
    watching<Pod>({ ref: Pods, indexes: podIndexes, keys: keysOfPod }),
  ],
  read: (key, reads) => {
    const deployment = reads.of<Deployment>(Deployments).get(key);
    if (deployment === undefined) return undefined;
    const sets = reads.of<ReplicaSet>(ReplicaSets);
    const own = sets.byIndex("controller-uid", deployment.metadata?.uid ?? "");
    const orphans = sets
      .byIndex("orphans-by-namespace", deployment.metadata?.namespace ?? "")
      .filter((set) => selects(deployment, set));
    const pods = isRecreate(deployment)
      ? own.flatMap(({ metadata }) => reads.of<Pod>(Pods).byIndex("controller-uid", metadata?.uid ?? ""))
      : [];
    return { deployment, sets: [...own, ...orphans], pods };
  },
  plan: planDeployment,
  planAfterFailure: planDeploymentFailure,
});
