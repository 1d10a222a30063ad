// What comes in from the caches: nodes and placed pods into the snapshot, pending pods into the queue.

import type { Clock } from "#base/clock.ts";
import {
  Namespaces,
  Nodes,
  PodDisruptionBudgets,
  Pods,
  ReplicaSets,
  ReplicationControllers,
  Services,
  StatefulSets,
} from "#client/refs.ts";
import type { ReplicaSet, StatefulSet } from "#machinery/gen/types/apps-v1.ts";
import type { Namespace, Node, Pod, ReplicationController, Service } from "#machinery/gen/types/core-v1.ts";
import type { PodDisruptionBudget } from "#machinery/gen/types/policy-v1.ts";
import type { DeepReadonly, KubeObject } from "#machinery/meta.ts";
import { selectorFromMap, selectorFromObject, type Selector } from "#machinery/selectors.ts";
import type { Informer, InformerFactory } from "#reconcile/informer.ts";
import type { ClusterEvent } from "./plan/hints.ts";
import { podInfo, type PodInfo, type ReadPod } from "./plan/pod-info.ts";
import type { Budget } from "./plan/preemption.ts";
import type { SchedulingQueue } from "./plan/queue.ts";
import type { Snapshot } from "./plan/snapshot.ts";
import { workloadSelector } from "./plan/workload.ts";

type ReadNode = DeepReadonly<Node>;

export interface IntakeParts {
  readonly informers: InformerFactory;
  readonly snapshot: Snapshot;
  readonly queue: SchedulingQueue;
  readonly clock: Clock;
  /** Is it for us to place pods that name this scheduler? */
  readonly isOurs: (schedulerName: string) => boolean;
  /** Something came that may let a pod be placed. */
  readonly wake: () => void;
}

const isTerminal = (pod: ReadPod): boolean =>
  pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";

/** Selectors of Services, read once each, by namespace. */
class ServiceSelectors {
  readonly #byNamespace = new Map<string, Map<string, Selector>>();

  set(service: DeepReadonly<Service> | undefined, old: DeepReadonly<Service> | undefined): void {
    const { namespace = "", name = "" } = (service ?? old)?.metadata ?? {};
    const held = this.#byNamespace.get(namespace) ?? new Map<string, Selector>();
    if (service === undefined) held.delete(name);
    else held.set(name, selectorFromMap(service.spec?.selector));
    if (held.size === 0) this.#byNamespace.delete(namespace);
    else this.#byNamespace.set(namespace, held);
  }

  of(namespace: string): readonly Selector[] {
    return [...(this.#byNamespace.get(namespace)?.values() ?? [])];
  }
}

export class Intake {
  readonly #parts: IntakeParts;
  readonly #pods: Informer<Pod>;
  readonly #nodes: Informer<Node>;
  readonly #namespaces: Informer<Namespace>;
  readonly #services: Informer<Service>;
  readonly #budgets: Informer<PodDisruptionBudget>;
  readonly #replicationControllers: Informer<ReplicationController>;
  readonly #replicaSets: Informer<ReplicaSet>;
  readonly #statefulSets: Informer<StatefulSet>;
  readonly #selectors = new ServiceSelectors();
  readonly #unsubscribe: (() => void)[] = [];
  /** Placed by us, not yet seen bound: by uid. */
  readonly #assumed = new Set<string>();

  constructor(parts: IntakeParts) {
    this.#parts = parts;
    const { informers } = parts;
    this.#pods = informers.informer<Pod>(Pods);
    this.#nodes = informers.informer<Node>(Nodes);
    this.#namespaces = informers.informer<Namespace>(Namespaces);
    this.#services = informers.informer<Service>(Services);
    this.#budgets = informers.informer<PodDisruptionBudget>(PodDisruptionBudgets);
    this.#replicationControllers = informers.informer<ReplicationController>(ReplicationControllers);
    this.#replicaSets = informers.informer<ReplicaSet>(ReplicaSets);
    this.#statefulSets = informers.informer<StatefulSet>(StatefulSets);
  }

  async waitForSync(): Promise<void> {
    const all: readonly { waitForSync(): Promise<void> }[] = [
      this.#pods,
      this.#nodes,
      this.#namespaces,
      this.#services,
      this.#budgets,
      this.#replicationControllers,
      this.#replicaSets,
      this.#statefulSets,
    ];
    await Promise.all(all.map((informer) => informer.waitForSync()));
  }

  /** Nodes and what pods depend on first, so that no pod is planned for half a cluster. */
  start(): void {
    this.#unsubscribe.push(
      this.#namespaces.onChange((namespace, old) => this.#namespaceChanged(namespace, old)),
      this.#services.onChange((service, old) => this.#selectors.set(service, old)),
      this.#nodes.onChange((node, old) => this.#nodeChanged(node, old)),
      this.#pods.onChange((pod, old) => this.#podChanged(pod, old)),
    );
  }

  stop(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
  }

  pod(key: string): ReadPod | undefined {
    return this.#pods.get(key);
  }

  node(name: string): ReadNode | undefined {
    return this.#nodes.get(name);
  }

  /** What the pod is to be spread among. */
  workloadOf(info: PodInfo): Selector | undefined {
    return workloadSelector(info, this.#selectors.of(info.namespace), this.#controllerSelector(info));
  }

  budgets(): Budget[] {
    return [...this.#budgets.list()].map(({ metadata, spec, status }) => ({
      namespace: metadata?.namespace ?? "",
      selector: selectorFromObject(spec?.selector),
      disruptionsAllowed: status?.disruptionsAllowed ?? 0,
      disrupted: new Set(Object.keys(status?.disruptedPods ?? {})),
    }));
  }

  /** The pod counts as placed although its binding is still under way. */
  assume(info: PodInfo, node: string): void {
    this.#assumed.add(info.uid);
    this.#parts.snapshot.setPod(info, node);
    this.#parts.snapshot.nominate(info, "");
  }

  /** The binding failed. */
  unassume(info: PodInfo, node: string): void {
    if (!this.#assumed.delete(info.uid)) return;
    this.#parts.snapshot.removePod(info.uid);
    this.#happened("pod-removed", node);
  }

  #controllerSelector({ namespace, controller }: PodInfo): Selector | undefined {
    const [kind = "", name = ""] = controller?.split("/") ?? [];
    const key = `${namespace}/${name}`;
    if (kind === "ReplicationController")
      return selectorFromMap(this.#replicationControllers.get(key)?.spec?.selector);
    if (kind === "ReplicaSet") return selectorFromObject(this.#replicaSets.get(key)?.spec?.selector);
    if (kind === "StatefulSet") return selectorFromObject(this.#statefulSets.get(key)?.spec?.selector);
    return undefined;
  }

  #namespaceChanged(
    namespace: DeepReadonly<KubeObject> | undefined,
    old: DeepReadonly<KubeObject> | undefined,
  ): void {
    const name = (namespace ?? old)?.metadata?.name ?? "";
    const labels = namespace?.metadata?.labels;
    if (namespace === undefined) this.#parts.snapshot.removeNamespace(name);
    else if (old === undefined || JSON.stringify(old.metadata?.labels) !== JSON.stringify(labels))
      this.#parts.snapshot.setNamespace(name, labels);
  }

  #nodeChanged(node: ReadNode | undefined, old: ReadNode | undefined): void {
    const { snapshot } = this.#parts;
    if (node === undefined) {
      snapshot.removeNode(old?.metadata?.name ?? "");
      return;
    }
    // A heartbeat changes nothing that counts here.
    if (old !== undefined && fingerprint(old) === fingerprint(node)) return;
    snapshot.setNode(node);
    this.#happened(old === undefined ? "node-added" : "node-changed", node.metadata?.name ?? "");
  }

  #podChanged(pod: ReadPod | undefined, old: ReadPod | undefined): void {
    const uid = (pod ?? old)?.metadata?.uid ?? "";
    if (old !== undefined && pod !== undefined && old.metadata?.uid !== uid) this.#forget(old);
    if (pod === undefined || isTerminal(pod)) {
      this.#forget(pod ?? (old as ReadPod));
      return;
    }
    const { nodeName = "" } = pod.spec ?? {};
    if (nodeName === "") this.#pendingChanged(pod);
    else this.#placedChanged(podInfo(pod), nodeName);
  }

  #placedChanged(info: PodInfo, nodeName: string): void {
    const { snapshot, queue } = this.#parts;
    const { uid, shape } = info;
    const wasThere = snapshot.placeOf(uid) === nodeName;
    const before = wasThere ? snapshot.node(nodeName)?.pods.get(uid) : undefined;
    this.#assumed.delete(uid);
    queue.remove(uid);
    snapshot.nominate(info, "");
    snapshot.setPod(info, nodeName);
    if (!wasThere) this.#happened("pod-assigned", nodeName);
    // It may ask for less now, or be another's neighbour no longer: as good as gone for whoever waits for that.
    else if (before?.shape !== shape) this.#happened("pod-removed", nodeName);
  }

  #pendingChanged(pod: ReadPod): void {
    const { snapshot, queue, clock, isOurs, wake } = this.#parts;
    const info = podInfo(pod);
    if (this.#assumed.has(info.uid)) return;
    const waits =
      !isOurs(info.schedulerName) || (pod.spec?.schedulingGates ?? []).length > 0 || info.terminating;
    if (info.nominatedNode !== "" || snapshot.nominationOf(info.uid) !== undefined)
      snapshot.nominate(info, waits ? "" : info.nominatedNode);
    if (waits) queue.remove(info.uid);
    else queue.put(info, clock.monotonic());
    wake();
  }

  #forget(pod: ReadPod): void {
    const { snapshot, queue } = this.#parts;
    const uid = pod.metadata?.uid ?? "";
    queue.remove(uid);
    this.#assumed.delete(uid);
    snapshot.nominate(podInfo(pod), "");
    const node = snapshot.placeOf(uid);
    if (node === undefined) return;
    snapshot.removePod(uid);
    this.#happened("pod-removed", node);
  }

  #happened(kind: ClusterEvent["kind"], node: string): void {
    const { snapshot, queue, clock, wake } = this.#parts;
    queue.happened({ kind, node: snapshot.node(node) }, clock.monotonic());
    wake();
  }
}

/** What of a node counts for scheduling. */
function fingerprint(node: ReadNode): string {
  return JSON.stringify([
    node.metadata?.labels,
    node.spec?.taints,
    node.spec?.unschedulable,
    node.status?.allocatable,
    node.status?.images,
  ]);
}
