// The scheduler's shell: pods and nodes come in from the caches, the plan decides, bindings go out.
// A placed pod is assumed at once, so that the next one is planned while its binding is still under way.

import { toError } from "#base/assert.ts";
import { timestamp, type Timer } from "#base/clock.ts";
import type { Client } from "#client/client.ts";
import { Nodes, Pods, ReplicationControllers, Services } from "#client/refs.ts";
import type { Node, Pod, ReplicationController, Service } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { ApiError } from "#machinery/status.ts";
import { referenceTo } from "#reconcile/action.ts";
import type { Component, Deps } from "#reconcile/component.ts";
import { createEventRecorder, type EventRecorder } from "#reconcile/events.ts";
import type { Informer, InformerFactory } from "#reconcile/informer.ts";
import { bindsInFlightMax, turnMs } from "./limits.ts";
import { mayHelp } from "./plan/hints.ts";
import { podInfo, type PodInfo, type ReadPod } from "./plan/pod-info.ts";
import { SchedulingQueue, type ClusterEvent } from "./plan/queue.ts";
import { planSchedule, type Unschedulable } from "./plan/schedule.ts";
import { Snapshot } from "./plan/snapshot.ts";
import { workloadSelector } from "./plan/workload.ts";

export interface SchedulerOptions {
  /** Pods that name this scheduler are ours. */
  readonly schedulerName?: string;
}

export interface SchedulerDeps extends Pick<Deps, "clock" | "random" | "log"> {
  readonly client: Client;
  /** Shared with others; whoever made it starts and stops it. */
  readonly informers: InformerFactory;
}

export interface RunningScheduler extends Component {
  /** Pods that wait for a node. */
  readonly pending: number;
}

type ReadNode = DeepReadonly<Node>;

export function startScheduler(options: SchedulerOptions, deps: SchedulerDeps): RunningScheduler {
  return new Scheduler(options, deps);
}

const isTerminal = (pod: ReadPod): boolean =>
  pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";

class Scheduler implements RunningScheduler {
  readonly name = "scheduler";
  readonly ready: Promise<void>;
  readonly done: Promise<void>;
  readonly #deps: SchedulerDeps;
  readonly #schedulerName: string;
  readonly #events: EventRecorder;
  readonly #pods: Informer<Pod>;
  readonly #nodes: Informer<Node>;
  readonly #services: Informer<Service>;
  readonly #controllers: Informer<ReplicationController>;
  readonly #snapshot = new Snapshot();
  readonly #queue = new SchedulingQueue(mayHelp);
  /** Placed by us, not yet seen bound: by uid. */
  readonly #assumed = new Set<string>();
  readonly #underWay = new Set<Promise<void>>();
  /** Bindings and reports among them. */
  readonly #binding = new Set<Promise<void>>();
  readonly #unsubscribe: (() => void)[] = [];
  readonly #finish: () => void;
  #timer: Timer | undefined;
  #running = false;
  /** Something came since the queue was last asked. */
  #woken = false;
  #stopped = false;
  #startAt = 0;

  constructor({ schedulerName = "default-scheduler" }: SchedulerOptions, deps: SchedulerDeps) {
    this.#deps = deps;
    this.#schedulerName = schedulerName;
    this.#events = createEventRecorder({ client: deps.client, component: schedulerName }, deps);
    this.#pods = deps.informers.informer<Pod>(Pods);
    this.#nodes = deps.informers.informer<Node>(Nodes);
    this.#services = deps.informers.informer<Service>(Services);
    this.#controllers = deps.informers.informer<ReplicationController>(ReplicationControllers);
    this.#services.addIndex("namespace", ({ metadata }) => [metadata?.namespace ?? ""]);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.done = promise;
    this.#finish = resolve;
    this.ready = this.#start();
  }

  get pending(): number {
    return this.#queue.size;
  }

  async stop(): Promise<void> {
    if (!this.#stopped) {
      this.#stopped = true;
      this.#timer?.cancel();
      for (const unsubscribe of this.#unsubscribe) unsubscribe();
      await Promise.all(this.#underWay);
      await this.#events.flush();
      this.#finish();
    }
    return this.done;
  }

  async #start(): Promise<void> {
    const informers = [this.#pods, this.#nodes, this.#services, this.#controllers];
    await Promise.all(informers.map((informer) => informer.waitForSync()));
    if (this.#stopped) return;
    this.#unsubscribe.push(
      this.#nodes.onChange((node, old) => this.#nodeChanged(node, old)),
      this.#pods.onChange((pod, old) => this.#podChanged(pod, old)),
    );
    this.#wake();
  }

  #nodeChanged(node: ReadNode | undefined, old: ReadNode | undefined): void {
    if (node === undefined) {
      this.#snapshot.removeNode(old?.metadata?.name ?? "");
      return;
    }
    // A heartbeat changes nothing that counts here.
    if (old !== undefined && fingerprint(old) === fingerprint(node)) return;
    this.#snapshot.setNode(node);
    this.#happened(old === undefined ? "node-added" : "node-changed", node.metadata?.name ?? "");
  }

  #podChanged(pod: ReadPod | undefined, old: ReadPod | undefined): void {
    const uid = (pod ?? old)?.metadata?.uid ?? "";
    if (old !== undefined && pod !== undefined && old.metadata?.uid !== uid)
      this.#forget(old.metadata?.uid ?? "");
    if (pod === undefined || isTerminal(pod)) {
      this.#forget(uid);
      return;
    }
    const { nodeName = "" } = pod.spec ?? {};
    if (nodeName !== "") {
      this.#assumed.delete(uid);
      this.#queue.remove(uid);
      const wasHere = this.#snapshot.placeOf(uid) === nodeName;
      this.#snapshot.setPod(podInfo(pod), nodeName);
      if (!wasHere) this.#happened("pod-assigned", nodeName);
      return;
    }
    if (this.#assumed.has(uid)) return;
    const isOurs =
      (pod.spec?.schedulerName ?? "default-scheduler") === this.#schedulerName &&
      (pod.spec?.schedulingGates ?? []).length === 0 &&
      pod.metadata?.deletionTimestamp === undefined;
    if (isOurs) this.#queue.put(podInfo(pod), this.#deps.clock.monotonic());
    else this.#queue.remove(uid);
    this.#wake();
  }

  #forget(uid: string): void {
    this.#queue.remove(uid);
    this.#assumed.delete(uid);
    const node = this.#snapshot.placeOf(uid);
    if (node === undefined) return;
    this.#snapshot.removePod(uid);
    this.#happened("pod-removed", node);
  }

  #happened(kind: ClusterEvent["kind"], node: string): void {
    this.#queue.happened({ kind, node: this.#snapshot.node(node) }, this.#deps.clock.monotonic());
    this.#wake();
  }

  #wake(): void {
    this.#woken = true;
    if (this.#running || this.#stopped) return;
    this.#running = true;
    // Not in the turn of whoever told us: changes come in batches.
    setImmediate(() =>
      this.#track(
        this.#run().finally(() => {
          this.#running = false;
          if (this.#woken) this.#wake();
          else this.#sleep();
        }),
      ),
    );
  }

  /** stop() waits for it. */
  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#underWay.delete(tracked));
    this.#underWay.add(tracked);
  }

  /** Until time alone makes a pod ready to be tried. */
  #sleep(): void {
    this.#timer?.cancel();
    const dueMs = this.#queue.nextDueMs();
    if (dueMs === undefined || this.#stopped) return;
    const waitMs = Math.max(1, dueMs - this.#deps.clock.monotonic());
    this.#timer = this.#deps.clock.after(waitMs, () => this.#wake());
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#deps;
    const binding = this.#binding;
    let turnBeganMs = performance.now();
    while (!this.#stopped) {
      this.#woken = false;
      const info = this.#queue.pop(clock.monotonic());
      if (info === undefined) return;
      try {
        const write = this.#schedule(info).finally(() => binding.delete(write));
        binding.add(write);
        this.#track(write);
      } catch (thrown) {
        log.error("a pod could not be planned", { pod: info.key, error: toError(thrown) });
        this.#queue.failed(info.uid, undefined, clock.monotonic());
      }
      if (binding.size >= bindsInFlightMax) await Promise.race(binding);
      if (performance.now() - turnBeganMs < turnMs) continue;
      await new Promise((resolve) => setImmediate(resolve));
      turnBeganMs = performance.now();
    }
  }

  /** Plans at once; the promise is of the writes that follow, and never rejects. */
  #schedule(info: PodInfo): Promise<void> {
    const { random, clock } = this.#deps;
    const workload = workloadSelector(info, this.#services.byIndex("namespace", info.namespace), (key) =>
      this.#controllers.get(key),
    );
    const plan = planSchedule(info, this.#snapshot, { random, workload, startAt: this.#startAt });
    this.#startAt = (this.#startAt + plan.evaluated) % Math.max(1, this.#snapshot.nodes.length);
    if (plan.node === undefined) {
      this.#queue.failed(info.uid, plan.refusedBy, clock.monotonic());
      return this.#report(info, plan);
    }
    this.#assumed.add(info.uid);
    this.#snapshot.setPod(info, plan.node);
    return this.#bind(info, plan.node);
  }

  async #bind(info: PodInfo, node: string): Promise<void> {
    const { client, clock, log } = this.#deps;
    const { name = "", namespace = "" } = info.pod.metadata ?? {};
    const binding = {
      apiVersion: "v1",
      kind: "Binding",
      metadata: { name, namespace, uid: info.uid },
      target: { kind: "Node", name: node },
    };
    try {
      await client.createSub(Pods, namespace, name, "binding", binding);
      this.#queue.remove(info.uid);
      const about = referenceTo(Pods, info.pod);
      this.#events.event(about, "Normal", "Scheduled", `Successfully assigned ${info.key} to ${node}`);
    } catch (thrown) {
      const error = toError(thrown);
      const isStale = error instanceof ApiError && (error.code === 404 || error.code === 409);
      log[isStale ? "debug" : "warn"]("a pod was not bound", { pod: info.key, node, error });
      if (!this.#assumed.delete(info.uid)) return;
      this.#snapshot.removePod(info.uid);
      this.#queue.failed(info.uid, undefined, clock.monotonic());
      this.#happened("pod-removed", node);
    }
  }

  /** Tells in an event and in the pod's condition why it goes nowhere. */
  async #report(info: PodInfo, { message }: Unschedulable): Promise<void> {
    const { client, clock, log } = this.#deps;
    const { name = "", namespace = "", uid } = info.pod.metadata ?? {};
    this.#events.event(referenceTo(Pods, info.pod), "Warning", "FailedScheduling", message);
    const now = this.#pods.get(info.key);
    const held = (now?.status?.conditions ?? []).find(({ type }) => type === "PodScheduled");
    if (held?.status === "False" && held.reason === "Unschedulable" && held.message === message) return;
    const lastTransitionTime =
      held?.status === "False" && held.lastTransitionTime != null
        ? held.lastTransitionTime
        : timestamp(clock.now());
    const condition = {
      type: "PodScheduled",
      status: "False",
      reason: "Unschedulable",
      message,
      lastTransitionTime,
    };
    const patch = { metadata: { uid }, status: { conditions: [{ ...condition, lastProbeTime: null }] } };
    try {
      await client.patch(Pods, namespace, name, "strategic", patch, "status");
    } catch (thrown) {
      log.debug("a condition was not written", { pod: info.key, error: toError(thrown) });
    }
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
