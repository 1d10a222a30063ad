// Keeps the pods of a StatefulSet, each with its name, its claims and its place in the order; the plan is in
// stateful-set/.
// Watches: statefulsets, pods (by owner; orphans by selector), controllerrevisions, persistentvolumeclaims.
// Owns: pods, controllerrevisions.
// Writes: those, persistentvolumeclaims, statefulsets/status.

import { ControllerRevisions, PersistentVolumeClaims, Pods, StatefulSets } from "#client/refs.ts";
import type { ControllerRevision, StatefulSet } from "#machinery/gen/types/apps-v1.ts";
import type { PersistentVolumeClaim, Pod } from "#machinery/gen/types/core-v1.ts";
import { controllerOf, objectKey } from "#machinery/meta.ts";
import { defineController, watching, type Reads } from "#reconcile/controller.ts";
import type { ReadPod } from "./pod-state.ts";
import { podIndexes } from "./replicas.ts";
import { keysOfDependent, selects } from "./selection.ts";
import { ordinalOf, type ReadStatefulSet } from "./stateful-set/identity.ts";
import { planStatefulFailure, planStatefulSet, type StatefulInput } from "./stateful-set/stateful-plan.ts";

const isMember = (set: ReadStatefulSet, pod: ReadPod): boolean =>
  selects(set, pod) && ordinalOf(set, pod) !== undefined;

/** `data-web-3` is of the pod `web-3`, if there is a set of that name that makes such claims. */
function keysOfClaim(
  { metadata }: { readonly metadata?: { readonly name?: string; readonly namespace?: string } },
  reads: Reads,
): string[] {
  const { name = "", namespace = "" } = metadata ?? {};
  return reads
    .of<StatefulSet>(StatefulSets)
    .byIndex("namespace", namespace)
    .filter((set) =>
      (set.spec?.volumeClaimTemplates ?? []).some((template) =>
        name.startsWith(`${template.metadata?.name ?? ""}-${set.metadata?.name ?? ""}-`),
      ),
    )
    .map((set) => objectKey(set));
}

export const statefulSetController = defineController<StatefulInput>({
  name: "statefulset-controller",
  owns: [Pods, ControllerRevisions],
  writes: [Pods, ControllerRevisions, PersistentVolumeClaims, StatefulSets],
  watches: [
    watching<StatefulSet>({
      ref: StatefulSets,
      indexes: { namespace: (set) => [set.metadata?.namespace ?? ""] },
      keys: (set) => [objectKey(set)],
    }),
    watching<Pod>({
      ref: Pods,
      indexes: podIndexes,
      keys: (pod, reads) =>
        keysOfDependent<StatefulSet>(StatefulSets, pod, reads, (set) => isMember(set, pod)),
    }),
    watching<ControllerRevision>({
      ref: ControllerRevisions,
      indexes: { "controller-uid": (revision) => [controllerOf(revision)?.uid ?? []].flat() },
      keys: (revision) => {
        const owner = controllerOf(revision);
        return owner?.kind === "StatefulSet" ? [`${revision.metadata?.namespace ?? ""}/${owner.name}`] : [];
      },
    }),
    watching<PersistentVolumeClaim>({ ref: PersistentVolumeClaims, keys: keysOfClaim }),
  ],
  read: (key, reads) => {
    const set = reads.of<StatefulSet>(StatefulSets).get(key);
    if (set === undefined) return undefined;
    const { uid = "", namespace = "" } = set.metadata ?? {};
    const pods = reads.of<Pod>(Pods);
    const orphans = pods.byIndex("orphans-by-namespace", namespace).filter((pod) => isMember(set, pod));
    const claims = reads.of<PersistentVolumeClaim>(PersistentVolumeClaims);
    return {
      set,
      pods: [...pods.byIndex("controller-uid", uid), ...orphans],
      revisions: reads.of<ControllerRevision>(ControllerRevisions).byIndex("controller-uid", uid),
      claim: (name) => claims.get(`${namespace}/${name}`),
    };
  },
  plan: planStatefulSet,
  planAfterFailure: planStatefulFailure,
});
