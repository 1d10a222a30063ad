// The controller loop. A controller is data (what it watches, owns, writes), a `read` from caches and a pure `plan`;
// this file is the shell around them: keys in, one worker per key at a time, execute, hold until the caches show it.

import { assert, toError } from "#base/assert.ts";
import type { Timer } from "#base/clock.ts";
import type { Client, ResourceRef } from "#client/client.ts";
import { ApiError } from "#machinery/status.ts";
import { objectKey, type DeepReadonly, type KubeObject } from "#machinery/meta.ts";
import type { Action } from "./action.ts";
import { checkPlan } from "./check-plan.ts";
import type { Component, Deps } from "./component.ts";
import { createEventRecorder, type EventRecorder } from "./events.ts";
import { execute, isNamespaceTerminating, type Failure, type Outcome, type Written } from "./execute.ts";
import { Holds } from "./holds.ts";
import type { Informer, InformerFactory, InformerOptions } from "./informer.ts";
import { holdMsMax } from "./limits.ts";
import { WorkQueue } from "./work-queue.ts";

/** The caches of what the controller watches; asking for another resource is a bug. */
export interface Reads {
  of<T extends KubeObject>(ref: ResourceRef): Informer<T>;
}

export interface WatchRule<T extends KubeObject = KubeObject> {
  readonly ref: ResourceRef;
  readonly options?: InformerOptions;
  readonly indexes?: Readonly<Record<string, (object: DeepReadonly<T>) => readonly string[]>>;
  /**
   * The work keys that this object concerns. Asked for the old and for the new state of each change;
   * `other` is the opposite one, undefined for additions and deletions.
   */
  readonly keys: (
    object: DeepReadonly<T>,
    reads: Reads,
    other: DeepReadonly<T> | undefined,
  ) => Iterable<string>;
}

/** Gives a rule for one kind the type that the table holds. */
export function watching<T extends KubeObject>(rule: WatchRule<T>): WatchRule {
  return rule as unknown as WatchRule;
}

export interface PlanContext {
  readonly nowMs: number;
}

export interface Plan {
  readonly actions: readonly Action[];
  /** Look at this key again after this long, whatever happens. */
  readonly againAfterMs?: number;
}

export interface ControllerDefinition<Input = unknown> {
  /** As `--controllers` and the sources of events name it. */
  readonly name: string;
  readonly watches: readonly WatchRule[];
  /** Kinds whose objects this controller creates as their controller. */
  readonly owns: readonly ResourceRef[];
  /** Everything that it writes, owned kinds and its own status included. */
  readonly writes: readonly ResourceRef[];
  readonly workers?: number;
  /** Besides changes: every so often, these keys. */
  readonly tick?: { readonly everyMs: number; readonly keys: (reads: Reads) => Iterable<string> };
  /** Gathers from the caches what the plan needs; undefined when there is nothing to decide. */
  readonly read: (key: string, reads: Reads, context: PlanContext) => Input | undefined;
  /** Reads live what the caches, which may be behind one another, cannot be trusted with. Before each plan. */
  readonly confirm?: (input: Input, client: Client) => Promise<Input>;
  /** Pure. Not asked when there is a `run`. */
  readonly plan: (input: Input, context: PlanContext) => Plan;
  /** What to write when a plan failed half-way (a condition in the status). Pure. */
  readonly planAfterFailure?: (input: Input, failure: Failure, context: PlanContext) => readonly Action[];
  /**
   * Instead of the plan, for controllers that must do I/O half-way; their header says why.
   * Resolves with the time after which to look again, if at all. An error means: again, after a backoff.
   */
  readonly run?: (input: Input, io: RunContext) => Promise<number | undefined>;
}

export interface RunContext extends PlanContext {
  readonly client: Client;
  readonly events: EventRecorder;
  /** Executes actions as a plan's; throws the first failure. */
  readonly execute: (actions: readonly Action[]) => Promise<void>;
}

/** Fixes the input type of a definition. */
export function defineController<Input>(definition: ControllerDefinition<Input>): ControllerDefinition {
  return definition as unknown as ControllerDefinition;
}

export interface ControllerDeps extends Pick<Deps, "clock" | "log"> {
  readonly client: Client;
  /** Shared with others; whoever made it starts and stops it. */
  readonly informers: InformerFactory;
  readonly events?: EventRecorder;
  /** Lint every plan before it runs (tests, simulation). */
  readonly check?: boolean;
}

export interface ControllerStats {
  /** Plans executed. */
  runs: number;
  failures: number;
  /** Holds that ended by time and not by what the cache showed. */
  holdsExpired: number;
}

export interface RunningController extends Component {
  readonly stats: Readonly<ControllerStats>;
  /** True when no key waits, runs or is held (delayed retries aside). */
  readonly idle: boolean;
}

const concurrentKeysDefault = 5;

export function startController(definition: ControllerDefinition, deps: ControllerDeps): RunningController {
  return new Loop(definition, deps);
}

class Loop implements RunningController {
  readonly name: string;
  readonly ready: Promise<void>;
  readonly done: Promise<void>;
  readonly stats: ControllerStats = { runs: 0, failures: 0, holdsExpired: 0 };
  readonly #definition: ControllerDefinition;
  readonly #deps: ControllerDeps;
  readonly #events: EventRecorder;
  readonly #informers = new Map<string, Informer<KubeObject>>();
  readonly #reads: Reads;
  readonly #queue: WorkQueue;
  readonly #holds = new Holds();
  /** Kinds of which a key has written something, perhaps: it is not looked at before that is known. */
  readonly #doubts = new Map<string, Map<string, ResourceRef>>();
  /** Keys that were taken from the queue while held; they go back when the hold ends. */
  readonly #parked = new Set<string>();
  readonly #working = new Set<Promise<void>>();
  readonly #unsubscribe: (() => void)[] = [];
  readonly #finish: () => void;
  #ticker: Timer | undefined;
  #sweeper: Timer | undefined;
  #synced = false;
  #stopped = false;

  constructor(definition: ControllerDefinition, deps: ControllerDeps) {
    this.name = definition.name;
    this.#definition = definition;
    this.#deps = { ...deps, log: deps.log.with({ controller: definition.name }) };
    this.#events =
      deps.events ?? createEventRecorder({ client: deps.client, component: definition.name }, deps);
    this.#queue = new WorkQueue({ clock: deps.clock, onReady: () => this.#pump() });
    this.#reads = {
      of: <T extends KubeObject>(ref: ResourceRef) => this.#informer(ref) as unknown as Informer<T>,
    };
    const { promise, resolve } = Promise.withResolvers<void>();
    this.done = promise;
    this.#finish = resolve;
    this.ready = this.#start();
  }

  get idle(): boolean {
    return this.#queue.length === 0 && this.#queue.processing === 0 && this.#holds.size === 0;
  }

  async stop(): Promise<void> {
    if (!this.#stopped) {
      this.#stopped = true;
      for (const unsubscribe of this.#unsubscribe) unsubscribe();
      this.#ticker?.cancel();
      this.#sweeper?.cancel();
      this.#queue.close();
      await Promise.all(this.#working);
      await this.#events.flush();
      this.#finish();
    }
    return this.done;
  }

  #informer(ref: ResourceRef): Informer<KubeObject> {
    const informer = this.#informers.get(`${ref.group}/${ref.resource}`);
    assert(informer !== undefined, `${this.name} reads ${ref.resource} but does not watch it`);
    return informer;
  }

  async #start(): Promise<void> {
    const { watches, tick } = this.#definition;
    for (const rule of watches) {
      const informer = this.#deps.informers.informer(rule.ref, rule.options);
      for (const [name, values] of Object.entries(rule.indexes ?? {})) informer.addIndex(name, values);
      this.#informers.set(`${rule.ref.group}/${rule.ref.resource}`, informer);
    }
    await Promise.all([...this.#informers.values()].map((informer) => informer.waitForSync()));
    if (this.#stopped) return;
    for (const rule of watches) {
      const informer = this.#informer(rule.ref);
      this.#unsubscribe.push(
        informer.onProgress(() => this.#progress(rule.ref, informer)),
        informer.onChange((object, old) => {
          if (old !== undefined) this.#addAll(rule.keys(old, this.#reads, object));
          if (object !== undefined) this.#addAll(rule.keys(object, this.#reads, old));
        }),
      );
    }
    this.#synced = true;
    if (tick !== undefined) this.#tick(tick.everyMs, tick.keys);
    this.#pump();
  }

  #addAll(keys: Iterable<string>): void {
    for (const key of keys) this.#queue.add(key);
  }

  #tick(everyMs: number, keys: (reads: Reads) => Iterable<string>): void {
    this.#ticker = this.#deps.clock.after(everyMs, () => {
      if (this.#stopped) return;
      this.#addAll(keys(this.#reads));
      this.#tick(everyMs, keys);
    });
  }

  #pump(): void {
    if (!this.#synced) return;
    while (!this.#stopped && this.#working.size < (this.#definition.workers ?? concurrentKeysDefault)) {
      const key = this.#queue.take();
      if (key === undefined) return;
      if (this.#holds.isHeld(key)) {
        this.#parked.add(key);
        this.#queue.done(key);
        continue;
      }
      const work = this.#work(key).finally(() => {
        this.#working.delete(work);
        this.#queue.done(key);
        this.#pump();
      });
      this.#working.add(work);
    }
  }

  /** One key once. Never rejects. */
  async #work(key: string): Promise<void> {
    try {
      if (this.#doubts.has(key)) {
        await this.#holdDoubts(key);
        if (this.#holds.isHeld(key)) {
          this.#parked.add(key);
          return;
        }
      }
      const again = await this.#reconcile(key);
      this.#queue.forget(key);
      if (again !== undefined) this.#queue.addAfter(key, again);
    } catch (thrown) {
      const error = toError(thrown);
      this.stats.failures++;
      const expected = error instanceof ApiError && error.code === 409;
      this.#deps.log[expected ? "debug" : "warn"]("reconcile failed", { key, error });
      this.#queue.retry(key);
    }
  }

  /** Resolves with the time after which the plan wants to be asked again. */
  async #reconcile(key: string): Promise<number | undefined> {
    const { clock, client, check } = this.#deps;
    const definition = this.#definition;
    const context: PlanContext = { nowMs: clock.now() };
    const cached = definition.read(key, this.#reads, context);
    if (cached === undefined) return undefined;
    const input = definition.confirm === undefined ? cached : await definition.confirm(cached, client);
    if (definition.run !== undefined) return this.#run(key, definition.run, input, context);
    const plan = definition.plan(input, context);
    if (plan.actions.length === 0) return plan.againAfterMs;
    if (check === true) checkPlan(definition, plan.actions);
    this.stats.runs++;
    const outcome = await execute(client, this.#events, plan.actions);
    const failure = outcome.failures[0];
    if (failure === undefined) {
      this.#hold(key, outcome);
      return plan.againAfterMs;
    }
    const afterwards = definition.planAfterFailure?.(input, failure, { nowMs: clock.now() }) ?? [];
    const second = await execute(client, this.#events, afterwards);
    this.#hold(key, outcome);
    this.#hold(key, second);
    this.#noteDoubts(key, outcome.failures);
    this.#noteDoubts(key, second.failures);
    if (isNamespaceTerminating(failure.error)) return plan.againAfterMs;
    throw failure.error;
  }

  #run(
    key: string,
    run: NonNullable<ControllerDefinition["run"]>,
    input: unknown,
    context: PlanContext,
  ): Promise<number | undefined> {
    const { client, check } = this.#deps;
    this.stats.runs++;
    return run(input, {
      ...context,
      client,
      events: this.#events,
      execute: async (actions) => {
        if (check === true) checkPlan(this.#definition, actions);
        const outcome = await execute(client, this.#events, actions);
        this.#hold(key, outcome);
        const [failure] = outcome.failures;
        if (failure !== undefined) throw failure.error;
      },
    });
  }

  #hold(key: string, outcome: Outcome): void {
    const nowMs = this.#deps.clock.monotonic();
    let held = false;
    for (const written of outcome.written) {
      const informer = this.#informers.get(`${written.ref.group}/${written.ref.resource}`);
      if (informer === undefined) continue;
      this.#holds.add(key, written, nowMs);
      held = true;
    }
    if (!held) return;
    for (const informer of this.#informers.values()) this.#progress(informer.ref, informer);
    if (this.#holds.size > 0) this.#sweepLater();
  }

  /** A write without an answer may have happened. */
  #noteDoubts(key: string, failures: readonly Failure[]): void {
    for (const { action, unknown } of failures) {
      if (!unknown || action.do === "event") continue;
      const { ref } = action;
      const id = `${ref.group}/${ref.resource}`;
      if (!this.#informers.has(id)) continue;
      const doubts = this.#doubts.get(key) ?? new Map<string, ResourceRef>();
      this.#doubts.set(key, doubts.set(id, ref));
    }
  }

  /** Until the caches have reached the collections' present. As long as that is not known, the key is not looked at. */
  async #holdDoubts(key: string): Promise<void> {
    for (const [id, ref] of this.#doubts.get(key) ?? []) {
      const list = await this.#deps.client.list(ref, { limit: 1 });
      const resourceVersion = list.metadata?.resourceVersion ?? "";
      const written = { ref, key: "", uid: "", resourceVersion, deleted: false };
      this.#holds.add(key, written, this.#deps.clock.monotonic());
      this.#doubts.get(key)?.delete(id);
      this.#progress(ref, this.#informer(ref));
    }
    this.#doubts.delete(key);
    if (this.#holds.size > 0) this.#sweepLater();
  }

  #progress(ref: ResourceRef, informer: Informer<KubeObject>): void {
    for (const key of this.#holds.progress(ref, informer)) this.#unpark(key);
  }

  #unpark(key: string): void {
    if (this.#parked.delete(key)) this.#queue.add(key);
  }

  /** One timer for all holds, only while there are any. */
  #sweepLater(): void {
    this.#sweeper ??= this.#deps.clock.after(holdMsMax / 4, () => {
      this.#sweeper = undefined;
      if (this.#stopped) return;
      const deadlineMs = this.#deps.clock.monotonic() - holdMsMax;
      const expired = this.#holds.olderThan(deadlineMs).map((key) => this.#expire(key));
      void Promise.all(expired).then(() => {
        if (this.#holds.size > 0) this.#sweepLater();
      });
    });
  }

  /** The caches are late: take the written objects from the server itself, then go on. */
  async #expire(key: string): Promise<void> {
    this.stats.holdsExpired++;
    try {
      for (const { written } of this.#holds.of(key)) await this.#readLive(written);
    } catch (thrown) {
      // Not to know is no reason to go on: at the next sweep it is tried again.
      this.#deps.log.warn("a live read failed", { key, error: toError(thrown) });
      return;
    }
    this.#holds.drop(key);
    this.#unpark(key);
  }

  /** By a list, since whoever watches a kind may list it, and not every controller may get. */
  async #readLive({ ref, key }: Written): Promise<void> {
    const { client } = this.#deps;
    const informer = this.#informer(ref);
    // Without a name: whatever may have been written is in a list of all.
    if (key === "") {
      for (const object of (await client.list(ref)).items) informer.observe(objectKey(object), object);
      return;
    }
    const slash = key.indexOf("/");
    const namespace = key.slice(0, Math.max(0, slash));
    const fieldSelector = `metadata.name=${key.slice(slash + 1)}`;
    const { items } = await client.list(ref, { fieldSelector, ...(namespace === "" ? {} : { namespace }) });
    informer.observe(key, items[0]);
  }
}
