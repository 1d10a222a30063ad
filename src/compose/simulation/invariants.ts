// What must hold at every moment, whatever fails, and what must hold when everything has come to rest. Pure: objects in,
// what is wrong out.

import type { DaemonSet, Deployment, ReplicaSet, StatefulSet } from "#machinery/gen/types/apps-v1.ts";
import type { Job } from "#machinery/gen/types/batch-v1.ts";
import type { Node, Pod } from "#machinery/gen/types/core-v1.ts";
import { controllerOf, objectKey, type KubeObject } from "#machinery/meta.ts";
import { amountsOf, podRequests } from "#resources/core/pod/requests.ts";
import { resolveFenceposts } from "#controllers/amounts.ts";

/** Everything of a cluster at one moment. */
export interface World {
  readonly nodes: readonly Node[];
  readonly pods: readonly Pod[];
  readonly replicaSets: readonly ReplicaSet[];
  readonly deployments: readonly Deployment[];
  readonly statefulSets: readonly StatefulSet[];
  readonly daemonSets: readonly DaemonSet[];
  readonly jobs: readonly Job[];
}

/** How long a plan of many slow requests may take. */
const planMsMax = 20_000;

/** What is remembered from one moment to the next. */
export class History {
  /** Where each pod was placed. */
  readonly #places = new Map<string, string>();
  /** Pods that have ended, by the Job that they are of. */
  readonly #ended = new Map<string, Set<string>>();
  /** The pods of ReplicaSets at the last look. */
  readonly #podsOf = new Map<string, ReadonlySet<string>>();
  /** The sizes that a ReplicaSet was asked for, and when. */
  readonly #sizes = new Map<string, { atMs: number; replicas: number }[]>();
  /** The largest sum that a Deployment may have had lately. */
  readonly #most = new Map<string, number>();

  /** What is wrong now that was right before. */
  look(world: World, nowMs: number): string[] {
    return [
      ...this.#placedOnce(world),
      ...overcommitted(world),
      ...this.#neverTooMany(world, nowMs),
      ...this.#withinSurge(world),
      ...this.#countedOnce(world),
      ...oneForEachName(world),
    ];
  }

  #placedOnce({ pods }: World): string[] {
    const wrong: string[] = [];
    for (const { metadata, spec } of pods) {
      const { uid = "", name = "" } = metadata ?? {};
      const node = spec?.nodeName ?? "";
      const before = this.#places.get(uid);
      if (before !== undefined && before !== node)
        wrong.push(`pod ${name} was on ${before} and is on ${node || "none"}`);
      if (node !== "") this.#places.set(uid, node);
    }
    return wrong;
  }

  /** A ReplicaSet makes no pod while it has as many as it was asked for. */
  #neverTooMany({ replicaSets, pods }: World, nowMs: number): string[] {
    const wrong: string[] = [];
    const byOwner = Map.groupBy(pods, (pod) => controllerOf(pod)?.uid ?? "");
    for (const { metadata, spec } of replicaSets) {
      const uid = metadata?.uid ?? "";
      const active = (byOwner.get(uid) ?? []).filter(isActive);
      const uids = new Set(active.map((pod) => pod.metadata?.uid ?? ""));
      const replicas = spec?.replicas ?? 1;
      const before = this.#podsOf.get(uid);
      const isMade = [...uids].some((one) => before?.has(one) !== true);
      const most = Math.max(replicas, this.#largestLately(uid, nowMs));
      if (isMade && active.length > most)
        wrong.push(`ReplicaSet ${metadata?.name} made pods: ${active.length} of ${most}`);
      this.#podsOf.set(uid, uids);
    }
    return wrong;
  }

  #withinSurge({ deployments, replicaSets }: World): string[] {
    const wrong: string[] = [];
    const byOwner = Map.groupBy(replicaSets, (set) => controllerOf(set)?.uid ?? "");
    for (const { metadata, spec } of deployments) {
      const uid = metadata?.uid ?? "";
      const { type, rollingUpdate } = spec?.strategy ?? {};
      const desired = spec?.replicas ?? 1;
      // One that was just made smaller still has the pods of before.
      const held = this.#most.get(uid);
      const total = (byOwner.get(uid) ?? []).reduce((sum, set) => sum + (set.spec?.replicas ?? 1), 0);
      const lately = Math.max(desired, held ?? 0);
      const allowed = (size: number): number => {
        if (type !== "RollingUpdate") return size;
        return (
          size + resolveFenceposts(rollingUpdate?.maxSurge, rollingUpdate?.maxUnavailable, size).maxSurge
        );
      };
      if (total > allowed(lately))
        wrong.push(`Deployment ${metadata?.name} asks for ${total} pods, ${allowed(lately)} are allowed`);
      this.#most.set(uid, total > allowed(desired) ? lately : desired);
    }
    return wrong;
  }

  /** Every change of a ReplicaSet, as the store tells it. */
  noteSet(set: ReplicaSet | undefined, nowMs: number): void {
    const uid = set?.metadata?.uid ?? "";
    const sizes = this.#sizes.get(uid) ?? [];
    this.#sizes.set(uid, sizes);
    const replicas = set?.spec?.replicas ?? 1;
    if (sizes.at(-1)?.replicas !== replicas) sizes.push({ atMs: nowMs, replicas });
  }

  /** What was planned for one size is done to its end, also when another is asked for meanwhile. */
  #largestLately(uid: string, nowMs: number): number {
    const sizes = this.#sizes.get(uid) ?? [];
    let most = 0;
    for (const [at, { replicas }] of sizes.entries()) {
      const untilMs = sizes[at + 1]?.atMs ?? Infinity;
      if (untilMs >= nowMs - planMsMax) most = Math.max(most, replicas);
    }
    return most;
  }

  /** Every change of a pod, as the store tells it: one that ends and goes at once is in no list. */
  notePod(pod: Pod | undefined, old: Pod | undefined): void {
    const one = pod ?? old;
    const owner = one === undefined ? undefined : controllerOf(one);
    if (one === undefined || owner?.kind !== "Job") return;
    const isEnded = one.status?.phase === "Succeeded" || one.status?.phase === "Failed";
    // A pod that is deleted while it runs counts as failed, as documented.
    if (pod !== undefined && !isEnded && one.metadata?.deletionTimestamp === undefined) return;
    const ended = this.#ended.get(owner.uid) ?? new Set();
    this.#ended.set(owner.uid, ended.add(one.metadata?.uid ?? ""));
  }

  /** No pod of a Job counts twice. */
  #countedOnce({ jobs }: World): string[] {
    const wrong: string[] = [];
    for (const { metadata, status } of jobs) {
      const told = (status?.succeeded ?? 0) + (status?.failed ?? 0);
      const seen = this.#ended.get(metadata?.uid ?? "")?.size ?? 0;
      if (told > seen) wrong.push(`Job ${metadata?.name} counts ${told} ended pods, there were ${seen}`);
    }
    return wrong;
  }
}

export const isActive = ({ metadata, status }: Pod): boolean =>
  metadata?.deletionTimestamp === undefined && status?.phase !== "Succeeded" && status?.phase !== "Failed";

function overcommitted({ nodes, pods }: World): string[] {
  const byNode = Map.groupBy(pods, ({ spec }) => spec?.nodeName ?? "");
  return nodes.flatMap(({ metadata, status }) => {
    const there = (byNode.get(metadata?.name ?? "") ?? []).filter(
      (pod) => pod.status?.phase !== "Succeeded" && pod.status?.phase !== "Failed",
    );
    const allocatable = amountsOf(status?.allocatable);
    const used: Record<string, number> = { pods: there.length };
    for (const { spec } of there)
      for (const [name, amount] of Object.entries(podRequests(spec ?? { containers: [] })))
        used[name] = (used[name] ?? 0) + amount;
    return Object.entries(used)
      .filter(([name, amount]) => amount > (allocatable[name] ?? 0))
      .map(
        ([name, amount]) =>
          `node ${metadata?.name} has ${allocatable[name] ?? 0} of ${name}, its pods ask for ${amount}`,
      );
  });
}

/** Of each ordinal of a StatefulSet there is one pod: the name says so, and the uid must stay with it. */
function oneForEachName({ pods }: World): string[] {
  const seen = new Set<string>();
  return pods.flatMap((pod) => {
    const key = objectKey(pod);
    if (seen.has(key)) return [`two pods are called ${key}`];
    seen.add(key);
    return [];
  });
}

export const isReady = ({ status }: Pod | Node): boolean =>
  status?.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True") === true;

const gone = (what: string, objects: readonly KubeObject[]): string[] =>
  objects
    .filter(({ metadata }) => metadata?.deletionTimestamp !== undefined)
    .map(({ metadata }) => `${what} ${metadata?.name} is still being deleted`);

/** Owners that are there, by uid. */
function orphans({ pods, replicaSets, ...world }: World): string[] {
  const owners = new Set(
    [...world.deployments, ...world.statefulSets, ...world.daemonSets, ...world.jobs, ...replicaSets].map(
      ({ metadata }) => metadata?.uid,
    ),
  );
  return [...pods, ...replicaSets]
    .filter((object) => controllerOf(object) !== undefined && !owners.has(controllerOf(object)?.uid))
    .map(({ metadata }) => `${metadata?.name} is left without its owner`);
}

/** What is not as it was asked for. Empty: everything has settled. */
export function unsettled(world: World): string[] {
  const { nodes, pods, replicaSets, deployments, statefulSets, daemonSets, jobs } = world;
  const waiting: string[] = [
    ...gone("pod", pods),
    ...gone("ReplicaSet", replicaSets),
    ...gone("Deployment", deployments),
    ...gone("StatefulSet", statefulSets),
    ...gone("DaemonSet", daemonSets),
    ...gone("Job", jobs),
    ...orphans(world),
  ];
  const expect = (is: boolean, what: string): void => {
    if (!is) waiting.push(what);
  };
  for (const node of nodes) expect(isReady(node), `node ${node.metadata?.name} is not ready`);
  for (const { metadata, spec, status } of deployments) {
    const wanted = spec?.replicas ?? 1;
    const counts = [
      status?.replicas,
      status?.updatedReplicas,
      status?.readyReplicas,
      status?.availableReplicas,
    ];
    const isDone =
      counts.every((count) => (count ?? 0) === wanted) && status?.observedGeneration === metadata?.generation;
    expect(isDone, `Deployment ${metadata?.name}: ${counts.join("/")} of ${wanted}`);
  }
  for (const { metadata, spec, status } of statefulSets) {
    const wanted = spec?.replicas ?? 1;
    const counts = [status?.replicas, status?.readyReplicas, status?.updatedReplicas];
    expect(
      counts.every((count) => (count ?? 0) === wanted) && status?.currentRevision === status?.updateRevision,
      `StatefulSet ${metadata?.name}: ${counts.join("/")} of ${wanted}`,
    );
  }
  for (const { metadata, status } of daemonSets)
    expect(
      status?.desiredNumberScheduled === nodes.length &&
        status.numberAvailable === nodes.length &&
        status.updatedNumberScheduled === nodes.length,
      `DaemonSet ${metadata?.name}: ${status?.numberAvailable}/${status?.updatedNumberScheduled} of ${nodes.length}`,
    );
  for (const { metadata, status } of jobs)
    expect(
      status?.conditions?.some(
        ({ type, status: value }) => ["Complete", "Failed"].includes(type) && value === "True",
      ) === true,
      `Job ${metadata?.name} has not ended`,
    );
  for (const job of jobs) waiting.push(...miscounted(job, pods));
  return waiting;
}

/** A Job that is complete has counted each of its pods. */
function miscounted({ metadata, spec, status }: Job, pods: readonly Pod[]): string[] {
  const isComplete = status?.conditions?.some(({ type }) => type === "Complete") === true;
  if (!isComplete) return [];
  const wanted = spec?.completions ?? 1;
  const wrong =
    (status?.succeeded ?? 0) < wanted ? [`Job ${metadata?.name} is complete with ${status?.succeeded}`] : [];
  const stuck = pods.filter(
    (pod) =>
      controllerOf(pod)?.uid === metadata?.uid &&
      pod.metadata?.finalizers?.includes("batch.kubernetes.io/job-tracking") === true,
  );
  return [...wrong, ...stuck.map((pod) => `pod ${pod.metadata?.name} of an ended Job keeps its finalizer`)];
}
