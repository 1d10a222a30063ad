// A whole cluster in one process on a clock that only moves when told to: store, API server, controllers, scheduler and
// hollow nodes, each component over a wire of its own that can be bad, and each of which can be killed and started again.

import { ManualClock } from "#base/manual-clock.ts";
import { silentLogger, type Logger } from "#base/log.ts";
import { seededRandom, type Random } from "#base/random.ts";
import { chainAuthorizers, privilegedGroupAuthorizer } from "#apiserver/auth/authorizers.ts";
import type { Authorizer } from "#apiserver/auth/contract.ts";
import { rbacAuthorizer } from "#apiserver/auth/rbac.ts";
import { reconcileBootstrapRoles } from "#apiserver/auth/reconcile-bootstrap.ts";
import { createRbacView } from "#apiserver/auth/views.ts";
import { defaultTolerationSeconds } from "#apiserver/admission/default-toleration-seconds.ts";
import { limitRanger } from "#apiserver/admission/limit-ranger.ts";
import { namespaceLifecycle } from "#apiserver/admission/namespace-lifecycle.ts";
import { priorityAdmission } from "#apiserver/admission/priority.ts";
import { resourceQuotaAdmission } from "#apiserver/admission/resource-quota.ts";
import { createApiServer, type ApiServer } from "#apiserver/server.ts";
import { eviction } from "#apiserver/subresources/eviction.ts";
import { finalizeNamespace } from "#apiserver/subresources/finalize.ts";
import { binding } from "#apiserver/subresources/pods.ts";
import { createClient, type Client, type ResourceRef } from "#client/client.ts";
import { Namespaces } from "#client/refs.ts";
import { startControllers } from "#controllers/index.ts";
import { startHollowNodes } from "#kubelet/hollow/hollow-nodes.ts";
import type { SimulatedLoad } from "#kubelet/hollow/simulated-runtime.ts";
import type { Caller } from "#machinery/api-request.ts";
import type { KubeObject } from "#machinery/meta.ts";
import type { Component } from "#reconcile/component.ts";
import { createInformerFactory } from "#reconcile/informers.ts";
import type { InformerFactory } from "#reconcile/informer.ts";
import { builtinResources } from "#resources/index.ts";
import { startScheduler } from "#scheduler/index.ts";
import { openStore } from "#store/open.ts";
import type { Store } from "#store/store.ts";
import { FaultyTransport, noFaults, type WireFaults } from "./faulty-transport.ts";

export interface VirtualClusterOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly load: SimulatedLoad;
  readonly log?: Logger;
}

interface Running {
  readonly component: Component;
  readonly informers: InformerFactory;
  readonly wires: readonly FaultyTransport[];
}

interface Parts {
  readonly options: VirtualClusterOptions;
  readonly clock: ManualClock;
  readonly random: Random;
  readonly server: ApiServer;
  readonly store: Store;
  readonly own: InformerFactory;
  readonly admin: Client;
}

/** Requests at one moment, far more than there is to do. */
const busyMax = 20_000;
const recentMax = 12;
/** Turns of the event loop without anything going in or out, after which all is quiet. */
const quietTurns = 4;
const namespaces = ["default", "kube-system", "kube-node-lease"];
const user = (name: string, ...groups: string[]): Caller => ({
  name,
  groups: [...groups, "system:authenticated"],
});

export class VirtualCluster {
  readonly clock: ManualClock;
  readonly random: Random;
  /** As system:masters, over a wire that never fails. */
  readonly admin: Client;
  readonly server: ApiServer;
  readonly #store: Store;
  readonly #options: VirtualClusterOptions;
  readonly #own: InformerFactory;
  readonly #running = new Map<string, Running>();
  readonly #ended: Promise<unknown>[] = [];
  readonly #starts = new Map<string, () => Running>();
  #activity = 0;
  readonly #recent: string[] = [];
  #faults: WireFaults = noFaults;

  private constructor({ options, clock, random, server, store, own, admin }: Parts) {
    this.#options = options;
    this.clock = clock;
    this.random = random;
    this.server = server;
    this.#store = store;
    this.#own = own;
    this.admin = admin;
  }

  static async start(options: VirtualClusterOptions): Promise<VirtualCluster> {
    const clock = new ManualClock();
    const random = seededRandom(options.seed);
    const log = options.log ?? silentLogger;
    const store = await openStore({ engine: "memory" }, clock);
    let authorizer: Authorizer = privilegedGroupAuthorizer;
    const server = await createApiServer({
      store,
      resources: builtinResources,
      settings: {
        serviceClusterIpRanges: ["10.96.0.0/16"],
        serviceNodePortRange: { from: 30_000, to: 32_767 },
      },
      clock,
      random,
      log,
      admission: (reads) => [
        namespaceLifecycle(reads),
        limitRanger(reads),
        priorityAdmission(reads),
        defaultTolerationSeconds({ notReady: 300, unreachable: 300 }),
        resourceQuotaAdmission(reads, clock),
      ],
      authenticator: { authenticate: () => undefined },
      authorizer: { authorize: (attributes) => authorizer.authorize(attributes) },
      subresources: {
        "pods/binding": binding,
        "pods/eviction": eviction,
        "namespaces/finalize": finalizeNamespace,
      },
      rulesOf: () => [],
      issuer: "https://kubernetes.default.svc",
      jwks: () => ({ keys: [] }),
      turnClock: () => 0,
    });
    const admin = createClient(server.direct(user("admin", "system:masters")));
    const own = createInformerFactory(admin, { clock, random, log });
    const cluster = new VirtualCluster({ options, clock, random, server, store, own, admin });
    await reconcileBootstrapRoles(admin);
    authorizer = chainAuthorizers([privilegedGroupAuthorizer, rbacAuthorizer(createRbacView(own))]);
    for (const name of namespaces) await admin.create(Namespaces, "", { metadata: { name } });
    await own.start();
    cluster.#define(log);
    for (const name of cluster.components) cluster.restart(name);
    await cluster.settle();
    return cluster;
  }

  /** Every change of every object of a kind, however short it lasted. */
  onChange<T extends KubeObject>(
    ref: ResourceRef,
    handler: (object: T | undefined, old: T | undefined) => void,
  ): void {
    this.#own
      .informer<T>(ref)
      .onChange((object, old) => handler(object as T | undefined, old as T | undefined));
  }

  /** `controllers`, `scheduler`, `node-0`, … */
  get components(): readonly string[] {
    return [...this.#starts.keys()];
  }

  isRunning(name: string): boolean {
    return this.#running.has(name);
  }

  set faults(faults: WireFaults) {
    this.#faults = faults;
  }

  /** As `kill -9`: nothing of it reaches anybody any more, and what it knew is gone. */
  kill(name: string): void {
    const running = this.#running.get(name);
    if (running === undefined) return;
    this.#running.delete(name);
    for (const wire of running.wires) wire.cut();
    const { component, informers } = running;
    this.#ended.push(
      component.stop().catch(() => undefined),
      informers.stop().catch(() => undefined),
    );
  }

  /** Starts it, unless it runs. */
  restart(name: string): void {
    const start = this.#starts.get(name);
    if (start !== undefined && !this.#running.has(name)) this.#running.set(name, start());
  }

  /** Until nothing more happens without time going on. Throws when that never comes: somebody tries without a pause. */
  async settle(): Promise<void> {
    const before = this.#activity;
    let seen = -1;
    for (let quiet = 0; quiet < quietTurns;) {
      quiet = this.#activity === seen ? quiet + 1 : 0;
      seen = this.#activity;
      if (seen - before > busyMax) {
        for (const name of [...this.#running.keys()]) this.kill(name);
        throw new Error(`no rest at one moment: the last requests were\n  ${this.#recent.join("\n  ")}`);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Moves time, instant by instant in which something is due; after each everything comes to rest, and is looked at. */
  async advance(ms: number, look: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    const endMs = this.clock.now() + ms;
    for (let dueMs = this.clock.nextMs; dueMs !== undefined && dueMs <= endMs; dueMs = this.clock.nextMs) {
      this.clock.advance(Math.max(0, dueMs - this.clock.now()));
      await this.settle();
      await look();
    }
    this.clock.advance(Math.max(0, endMs - this.clock.now()));
    await this.settle();
  }

  async stop(): Promise<void> {
    for (const name of [...this.#running.keys()]) this.kill(name);
    await this.#own.stop();
    // What a killed component still waits for comes with time.
    await this.advance(60_000);
    await Promise.all(this.#ended);
    await this.server.stop();
    await this.#store.close();
  }

  #define(log: Logger): void {
    const { nodes, load } = this.#options;
    this.#starts.set("controllers", () => this.#startControllers(log));
    this.#starts.set("scheduler", () => this.#startScheduler(log));
    for (let at = 0; at < nodes; at++) this.#starts.set(`node-${at}`, () => this.#startNode(at, load, log));
  }

  #wire(caller: Caller, wires: FaultyTransport[]): FaultyTransport {
    const wire = new FaultyTransport({
      transport: this.server.direct(caller),
      clock: this.clock,
      random: this.random,
      faults: () => this.#faults,
      active: (request) => {
        this.#activity++;
        if (request === undefined) return;
        this.#recent.push(`${caller.name}: ${request.method} ${request.path}`);
        if (this.#recent.length > recentMax) this.#recent.shift();
      },
    });
    wires.push(wire);
    return wire;
  }

  #parts(caller: Caller, log: Logger) {
    const wires: FaultyTransport[] = [];
    const { clock, random } = this;
    const deps = { clock, random, log };
    const transport = this.#wire(caller, wires);
    const informers = createInformerFactory(createClient(transport), deps);
    const started = (component: Component): Running => {
      component.ready.catch(() => undefined);
      component.done.catch(() => undefined);
      informers.start().catch(() => undefined);
      return { component, informers, wires };
    };
    return { wires, deps, transport, informers, started };
  }

  #startControllers(log: Logger): Running {
    const { wires, deps, informers, started } = this.#parts(user("system:kube-controller-manager"), log);
    const clientFor = (account: string): Client =>
      createClient(
        this.#wire(
          user(
            `system:serviceaccount:kube-system:${account}`,
            "system:serviceaccounts",
            "system:serviceaccounts:kube-system",
          ),
          wires,
        ),
      );
    return started(startControllers({}, { ...deps, clientFor, informers, check: true }));
  }

  #startScheduler(log: Logger): Running {
    const { deps, transport, informers, started } = this.#parts(user("system:kube-scheduler"), log);
    return started(
      startScheduler({}, { ...deps, client: createClient(transport), informers, turnClock: () => 0 }),
    );
  }

  #startNode(at: number, load: SimulatedLoad, log: Logger): Running {
    const { deps, transport, informers, started } = this.#parts(user(`hollow-${at}`, "system:masters"), log);
    const size = { cpus: 4, memoryBytes: 8 * 1024 ** 3 };
    const nodes = {
      count: 1,
      prefix: "node",
      from: at,
      size,
      load,
      zones: 0,
      allEvents: false,
      version: "v1.36.0",
    };
    return started(startHollowNodes(nodes, { ...deps, informers, transportFor: () => transport }));
  }
}
