// A rollout never takes away more than it may: as long as nothing but controllers touches the pods of a workload, no fewer
// are available than its strategy leaves. Watched from the moment in which all are, until somebody disturbs them: a user
// who deletes a pod or asks for another size, a node that dies, a clock that jumps. Pure.

import type { DaemonSet, Deployment, StatefulSet } from "#machinery/gen/types/apps-v1.ts";
import { controllerOf, type KubeObject } from "#machinery/meta.ts";
import { resolveFenceposts } from "#controllers/amounts.ts";
import { isActive, isReady, type World } from "./invariants.ts";

interface Watched {
  readonly wanted: number;
  readonly fewest: number;
}

/** What a Deployment that rolls leaves; one that recreates, or that is not what its status speaks of, leaves anything. */
function ofDeployment({ metadata, spec, status }: Deployment): Watched | undefined {
  if (spec?.strategy?.type !== "RollingUpdate" || status?.observedGeneration !== metadata?.generation)
    return undefined;
  const wanted = spec?.replicas ?? 1;
  const { maxSurge, maxUnavailable } = spec.strategy.rollingUpdate ?? {};
  return { wanted, fewest: wanted - resolveFenceposts(maxSurge, maxUnavailable, wanted).maxUnavailable };
}

/** One after the other, also where pods are made all at once. */
function ofStatefulSet({ spec }: StatefulSet): Watched {
  const wanted = spec?.replicas ?? 1;
  return { wanted, fewest: wanted - 1 };
}

function ofDaemonSet({ spec }: DaemonSet, nodes: number): Watched {
  const { maxSurge, maxUnavailable } = spec?.updateStrategy?.rollingUpdate ?? {};
  return { wanted: nodes, fewest: nodes - resolveFenceposts(maxSurge, maxUnavailable, nodes).maxUnavailable };
}

export class Availability {
  /** Undisturbed workloads by uid, and the size that they had all of. */
  readonly #whole = new Map<string, number>();

  #calmFromMs = 0;

  /** Pods may go, until then, by no controller's doing. */
  disturb(untilMs: number): void {
    this.#calmFromMs = Math.max(this.#calmFromMs, untilMs);
    this.#whole.clear();
  }

  look(world: World, nowMs: number): string[] {
    if (nowMs < this.#calmFromMs) return [];
    const setsOf = new Map(
      world.replicaSets.map((set) => [set.metadata?.uid ?? "", controllerOf(set)?.uid ?? ""]),
    );
    // Pods of a DaemonSet count once for a node: while one surges, two are there.
    const available = new Map<string, Set<string>>();
    for (const pod of world.pods) {
      if (!isActive(pod) || !isReady(pod)) continue;
      const { uid = "", kind } = controllerOf(pod) ?? {};
      const owner = setsOf.get(uid) ?? uid;
      const counts = available.get(owner) ?? new Set();
      available.set(owner, counts.add((kind === "DaemonSet" ? pod.spec?.nodeName : pod.metadata?.uid) ?? ""));
    }
    const look = (object: KubeObject, watched: Watched | undefined): string[] =>
      this.#lookAt(object, available.get(object.metadata?.uid ?? "")?.size ?? 0, watched);
    return [
      ...world.deployments.flatMap((object) => look(object, ofDeployment(object))),
      ...world.statefulSets.flatMap((object) => look(object, ofStatefulSet(object))),
      ...world.daemonSets.flatMap((object) => look(object, ofDaemonSet(object, world.nodes.length))),
    ];
  }

  #lookAt({ kind, metadata }: KubeObject, available: number, watched: Watched | undefined): string[] {
    const uid = metadata?.uid ?? "";
    const isWatched = this.#whole.get(uid) === watched?.wanted;
    this.#whole.delete(uid);
    if (watched === undefined || metadata?.deletionTimestamp !== undefined) return [];
    const { wanted, fewest } = watched;
    if (isWatched && available < fewest)
      return [
        `${kind} ${metadata?.name} has ${available} available pods, no fewer than ${fewest} are allowed`,
      ];
    if (isWatched || available >= wanted) this.#whole.set(uid, wanted);
    return [];
  }
}
