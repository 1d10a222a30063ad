// The scheduler's shell: pods and nodes come in from the caches, the plan decides, bindings go out.
// A placed pod is assumed at once, so that the next one is planned while its binding is still under way.

import { toError } from "#base/assert.ts";
import type { Timer } from "#base/clock.ts";
import type { Client } from "#client/client.ts";
import type { Component, Deps } from "#reconcile/component.ts";
import { createEventRecorder, type EventRecorder } from "#reconcile/events.ts";
import type { InformerFactory } from "#reconcile/informer.ts";
import { planPreemptionWithExtenders, planWithExtenders, type Asking } from "./extended-plan.ts";
import { Extenders } from "./extenders.ts";
import { Intake } from "./intake.ts";
import { turnMs, writesInFlightMax } from "./limits.ts";
import { hintFor } from "./plan/hints.ts";
import type { ExtenderConfig } from "./plan/extender-protocol.ts";
import { keyOf, type PodInfo, type ReadPod } from "./plan/pod-info.ts";
import { planPreemption, unschedulableMessage, type PreemptionPlan } from "./plan/preemption.ts";
import { defaultProfile, type Profile } from "./plan/profile.ts";
import { defaultBackoff, SchedulingQueue, type PodBackoff } from "./plan/queue.ts";
import type { Refusals } from "./plan/refusal.ts";
import { planSchedule, type Unschedulable } from "./plan/schedule.ts";
import { Snapshot } from "./plan/snapshot.ts";
import {
  bindPod,
  clearNomination,
  evictVictims,
  reportUnschedulable,
  tellBound,
  type WriteDeps,
} from "./writes.ts";

export interface SchedulerOptions {
  /** By default one, for pods that name `default-scheduler` or none. */
  readonly profiles?: readonly Profile[];
  readonly podBackoff?: PodBackoff;
  readonly extenders?: readonly ExtenderConfig[];
}

export interface SchedulerDeps extends Pick<Deps, "clock" | "random" | "log"> {
  readonly client: Client;
  /** Shared with others; whoever made it starts and stops it. */
  readonly informers: InformerFactory;
  /** What turns of the event loop are measured by, in milliseconds; a simulation's stands still. */
  readonly turnClock?: () => number;
}

export interface RunningScheduler extends Component {
  /** Pods that wait for a node. */
  readonly pending: number;
}

export function startScheduler(options: SchedulerOptions, deps: SchedulerDeps): RunningScheduler {
  return new Scheduler(options, deps);
}

class Scheduler implements RunningScheduler {
  readonly name = "scheduler";
  readonly ready: Promise<void>;
  readonly done: Promise<void>;
  readonly #deps: SchedulerDeps;
  readonly #profiles: ReadonlyMap<string, Profile>;
  readonly #events = new Map<string, EventRecorder>();
  readonly #writes: WriteDeps;
  readonly #snapshot = new Snapshot();
  readonly #queue: SchedulingQueue;
  readonly #intake: Intake;
  /** Undefined without any: then nobody is asked for whom they are. */
  readonly #extenders: Extenders | undefined;
  readonly #underWay = new Set<Promise<void>>();
  readonly #finish: () => void;
  /** Goes on when a write has ended. */
  #freed: (() => void) | undefined;
  #timer: Timer | undefined;
  #running = false;
  /** Something came since the queue was last asked. */
  #woken = false;
  #stopped = false;
  #startAt = 0;

  constructor(
    { profiles = [defaultProfile], podBackoff = defaultBackoff, extenders = [] }: SchedulerOptions,
    deps: SchedulerDeps,
  ) {
    this.#deps = deps;
    this.#profiles = new Map(profiles.map((profile) => [profile.schedulerName, profile]));
    this.#queue = new SchedulingQueue(
      (info, refusedBy, event) => hintFor(this.#profileOf(info))(info, refusedBy, event),
      podBackoff,
    );
    const { client, clock, log, informers } = deps;
    this.#writes = { client, clock, log, events: (schedulerName) => this.#recorderOf(schedulerName) };
    this.#intake = new Intake({
      informers,
      snapshot: this.#snapshot,
      queue: this.#queue,
      clock,
      isOurs: (schedulerName) => this.#profiles.has(schedulerName),
      wake: () => this.#wake(),
    });
    const whole = {
      node: (name: string) => this.#intake.node(name),
      pod: (uid: string) => this.#placedPod(uid),
    };
    this.#extenders = extenders.length === 0 ? undefined : new Extenders(extenders, whole, log);
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
      this.#intake.stop();
      this.#extenders?.close();
      await Promise.all(this.#underWay);
      await Promise.all([...this.#events.values()].map((recorder) => recorder.flush()));
      this.#finish();
    }
    return this.done;
  }

  async #start(): Promise<void> {
    await this.#intake.waitForSync();
    if (this.#stopped) return;
    this.#intake.start();
    this.#wake();
  }

  #recorderOf(schedulerName: string): EventRecorder {
    let recorder = this.#events.get(schedulerName);
    if (recorder === undefined) {
      recorder = createEventRecorder({ client: this.#deps.client, component: schedulerName }, this.#deps);
      this.#events.set(schedulerName, recorder);
    }
    return recorder;
  }

  #profileOf({ schedulerName }: PodInfo): Profile {
    return this.#profiles.get(schedulerName) ?? defaultProfile;
  }

  #wake(): void {
    this.#woken = true;
    if (this.#running || this.#stopped) return;
    this.#running = true;
    // Not in the turn of whoever told us: changes come in batches.
    setImmediate(() => {
      const run = this.#run().finally(() => {
        this.#underWay.delete(run);
        this.#running = false;
        if (this.#woken) this.#wake();
        else this.#sleep();
      });
      this.#underWay.add(run);
    });
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
    const { clock, log, turnClock = () => performance.now() } = this.#deps;
    let writing = 0;
    let turnBeganMs = turnClock();
    while (!this.#stopped) {
      this.#woken = false;
      const info = this.#queue.pop(clock.monotonic());
      if (info === undefined) break;
      try {
        writing++;
        const write = this.#schedule(info).finally(() => {
          writing--;
          this.#underWay.delete(write);
          this.#freed?.();
        });
        this.#underWay.add(write);
      } catch (thrown) {
        writing--;
        log.error("a pod could not be planned", { pod: keyOf(info), error: toError(thrown) });
        this.#queue.failed(info.uid, undefined, clock.monotonic());
      }
      if (writing >= writesInFlightMax)
        await new Promise<void>((resolve) => {
          this.#freed = resolve;
        });
      if (turnClock() - turnBeganMs < turnMs) continue;
      await new Promise((resolve) => setImmediate(resolve));
      turnBeganMs = turnClock();
    }
  }

  /** Plans at once; the promise is of the writes that follow, and never rejects. */
  #schedule(info: PodInfo): Promise<void> {
    const clients = this.#extenders?.interestedIn(info) ?? [];
    const pod = clients.length === 0 ? undefined : this.#intake.pod(keyOf(info));
    if (this.#extenders !== undefined && pod !== undefined)
      return this.#scheduleAsking(info, { extenders: this.#extenders, clients, pod });
    const plan = planSchedule(info, this.#snapshot, {
      random: this.#deps.random,
      profile: this.#profileOf(info),
      workload: this.#intake.workloadOf(info),
      startAt: this.#startAt,
    });
    this.#goOnAfter(plan.evaluated);
    if (plan.node === undefined) return this.#refuse(info, plan);
    this.#intake.assume(info, plan.node);
    return this.#bind(info, plan.node);
  }

  #goOnAfter(evaluated: number): void {
    this.#startAt = (this.#startAt + evaluated) % Math.max(1, this.#snapshot.nodes.length);
  }

  #placedPod(uid: string): ReadPod | undefined {
    const info = this.#snapshot.node(this.#snapshot.placeOf(uid) ?? "")?.pods.get(uid);
    return info && this.#intake.pod(keyOf(info));
  }

  /** A pod that extenders have a say in; when one fails that may not, the pod is tried again later. */
  async #scheduleAsking(info: PodInfo, asking: Asking): Promise<void> {
    const { clock, random } = this.#deps;
    try {
      const plan = await planWithExtenders(info, asking, {
        snapshot: this.#snapshot,
        profile: this.#profileOf(info),
        workload: this.#intake.workloadOf(info),
        startAt: this.#startAt,
        random,
      });
      if (!this.#isWanted(info)) return;
      this.#goOnAfter(plan?.evaluated ?? 0);
      if (plan === undefined) this.#queue.failed(info.uid, undefined, clock.monotonic());
      else if (plan.node === undefined) await this.#refuse(info, plan, asking);
      else await this.#bindAsking(info, plan.node, asking);
    } catch (thrown) {
      if (!this.#isWanted(info)) return;
      const message = toError(thrown).message;
      this.#queue.failed(info.uid, undefined, clock.monotonic());
      const now = this.#intake.pod(keyOf(info));
      const report = { message, nomination: undefined, now, reason: "SchedulerError" } as const;
      await reportUnschedulable(info, report, this.#writes);
    }
  }

  /** It is still there to be placed, by us. */
  #isWanted({ uid }: PodInfo): boolean {
    return !this.#stopped && this.#queue.has(uid);
  }

  async #bindAsking(info: PodInfo, node: string, { extenders, clients }: Asking): Promise<void> {
    this.#intake.assume(info, node);
    let isBound: boolean;
    try {
      isBound = await extenders.bind(clients, info, node);
    } catch (thrown) {
      this.#intake.unassume(info, node);
      throw thrown;
    }
    if (!isBound) return this.#bind(info, node);
    this.#queue.remove(info.uid);
    tellBound(info, node, this.#writes);
  }

  async #bind(info: PodInfo, node: string): Promise<void> {
    if (await bindPod(info, node, this.#writes)) {
      this.#queue.remove(info.uid);
      return;
    }
    this.#intake.unassume(info, node);
    this.#queue.failed(info.uid, undefined, this.#deps.clock.monotonic());
  }

  /** No node takes it as things are: perhaps one does when less important pods leave. */
  async #refuse(info: PodInfo, plan: Unschedulable, asking?: Asking): Promise<void> {
    const { clock } = this.#deps;
    const { summary, refusals, refusedBy } = plan;
    const planned = this.#planPreemption(info, refusals, asking);
    // Without extenders there is nothing to wait for: the pod is back in the queue in the same turn.
    const { preemption, message } = planned instanceof Promise ? await planned : planned;
    if (asking !== undefined && !this.#isWanted(info)) return;
    this.#queue.failed(info.uid, refusedBy, clock.monotonic());
    const isAwaited = message?.startsWith("not eligible") === true;
    const nomination = preemption?.node ?? (isAwaited || info.nominatedNode === "" ? undefined : "");
    const displaced = preemption === undefined ? [] : this.#displacedBy(info, preemption.node);
    if (nomination !== undefined) this.#snapshot.nominate(info, nomination);
    const now = this.#intake.pod(keyOf(info));
    const text = unschedulableMessage(summary, message);
    await reportUnschedulable(info, { message: text, nomination, now }, this.#writes);
    if (preemption === undefined) return;
    await evictVictims(preemption, info, this.#writes);
    for (const other of displaced) {
      await clearNomination(other, this.#writes);
      this.#queue.activate(other.uid, clock.monotonic());
    }
  }

  #planPreemption(
    info: PodInfo,
    refusals: Refusals,
    asking: Asking | undefined,
  ): Partial<PreemptionPlan> | Promise<PreemptionPlan> {
    const profile = this.#profileOf(info);
    if (!profile.preempts || this.#snapshot.nodes.length === 0) return {};
    const context = {
      snapshot: this.#snapshot,
      profile,
      random: this.#deps.random,
      workload: this.#intake.workloadOf(info),
      budgets: this.#intake.budgets(),
    };
    return asking === undefined
      ? planPreemption(info, refusals, context)
      : planPreemptionWithExtenders(info, refusals, asking, context);
  }

  /** Less important pods that were promised the node: they look for another. */
  #displacedBy(info: PodInfo, node: string): PodInfo[] {
    const promised = this.#snapshot.nominatedTo(node)?.values() ?? [];
    const displaced = [...promised].filter(({ priority }) => priority < info.priority);
    for (const other of displaced) this.#snapshot.nominate(other, "");
    return displaced;
  }
}
