// The scheduler's shell: pods and nodes come in from the caches, the plan decides, bindings go out.
// A placed pod is assumed at once, so that the next one is planned while its binding is still under way.

import { toError } from "#base/assert.ts";
import type { Timer } from "#base/clock.ts";
import type { Client } from "#client/client.ts";
import type { Component, Deps } from "#reconcile/component.ts";
import { createEventRecorder, type EventRecorder } from "#reconcile/events.ts";
import type { InformerFactory } from "#reconcile/informer.ts";
import { Intake } from "./intake.ts";
import { turnMs, writesInFlightMax } from "./limits.ts";
import { hintFor } from "./plan/hints.ts";
import { keyOf, type PodInfo } from "./plan/pod-info.ts";
import { planPreemption, unschedulableMessage, type PreemptionPlan } from "./plan/preemption.ts";
import { defaultProfile, type Profile } from "./plan/profile.ts";
import { defaultBackoff, SchedulingQueue, type PodBackoff } from "./plan/queue.ts";
import { planSchedule, type Unschedulable } from "./plan/schedule.ts";
import { Snapshot } from "./plan/snapshot.ts";
import { bindPod, clearNomination, evictVictims, reportUnschedulable, type WriteDeps } from "./writes.ts";

export interface SchedulerOptions {
  /** By default one, for pods that name `default-scheduler` or none. */
  readonly profiles?: readonly Profile[];
  readonly podBackoff?: PodBackoff;
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
    { profiles = [defaultProfile], podBackoff = defaultBackoff }: SchedulerOptions,
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
    const plan = planSchedule(info, this.#snapshot, {
      random: this.#deps.random,
      profile: this.#profileOf(info),
      workload: this.#intake.workloadOf(info),
      startAt: this.#startAt,
    });
    this.#startAt = (this.#startAt + plan.evaluated) % Math.max(1, this.#snapshot.nodes.length);
    if (plan.node === undefined) return this.#refuse(info, plan);
    this.#intake.assume(info, plan.node);
    return this.#bind(info, plan.node);
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
  async #refuse(info: PodInfo, { summary, refusals, refusedBy }: Unschedulable): Promise<void> {
    const { clock, random } = this.#deps;
    const profile = this.#profileOf(info);
    const { preemption, message }: Partial<PreemptionPlan> =
      profile.preempts && this.#snapshot.nodes.length > 0
        ? planPreemption(info, refusals, {
            snapshot: this.#snapshot,
            profile,
            random,
            workload: this.#intake.workloadOf(info),
            budgets: this.#intake.budgets(),
          })
        : {};
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

  /** Less important pods that were promised the node: they look for another. */
  #displacedBy(info: PodInfo, node: string): PodInfo[] {
    const promised = this.#snapshot.nominatedTo(node)?.values() ?? [];
    const displaced = [...promised].filter(({ priority }) => priority < info.priority);
    for (const other of displaced) this.#snapshot.nominate(other, "");
    return displaced;
  }
}
