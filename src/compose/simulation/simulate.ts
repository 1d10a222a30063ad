// One run of a simulated cluster from one seed: users act, things fail, invariants are looked at after every step, and in
// the end, when nothing fails any longer, everything has to settle. The same seed gives the same run.

import { noLoad } from "#kubelet/hollow/simulated-runtime.ts";
import type { Client, ResourceRef } from "#client/client.ts";
import { DaemonSets, Deployments, Jobs, Nodes, Pods, ReplicaSets, StatefulSets } from "#client/refs.ts";
import { toError } from "#base/assert.ts";
import type { Logger } from "#base/log.ts";
import type { ReplicaSet } from "#machinery/gen/types/apps-v1.ts";
import type { Pod } from "#machinery/gen/types/core-v1.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { noFaults, type WireFaults } from "./faulty-transport.ts";
import { Availability } from "./availability.ts";
import { History, unsettled, type World } from "./invariants.ts";
import { Users } from "./scenario.ts";
import { VirtualCluster } from "./virtual-cluster.ts";

export const faultNames = ["watches", "writes", "requests", "crashes", "nodes", "clock"] as const;
export type FaultName = (typeof faultNames)[number];

export interface SimulationOptions {
  readonly seed: number;
  /** Of simulated time in which users act and things fail; settling comes after. */
  readonly minutes: number;
  readonly faults: readonly FaultName[];
  readonly nodes?: number;
  /** What is done and what fails, as it happens. */
  readonly report?: (line: string) => void;
  readonly log?: Logger;
}

export interface SimulationResult {
  readonly seed: number;
  readonly simulatedMs: number;
  /** What was wrong, and when; empty when the run was clean. */
  readonly violations: readonly string[];
}

const settleMinutesMax = 45;
const minute = 60_000;
/** A node that was silent is given up, and what it says again is believed, within this time. */
const nodeLossMs = 2 * minute;

async function worldOf(client: Client): Promise<World> {
  const all = async <T extends KubeObject>(ref: ResourceRef): Promise<T[]> =>
    (await client.list<T>(ref)).items;
  const [nodes, pods, replicaSets, deployments, statefulSets, daemonSets, jobs] = await Promise.all([
    all(Nodes),
    all(Pods),
    all(ReplicaSets),
    all(Deployments),
    all(StatefulSets),
    all(DaemonSets),
    all(Jobs),
  ]);
  return { nodes, pods, replicaSets, deployments, statefulSets, daemonSets, jobs };
}

function wireFaults(faults: readonly FaultName[]): WireFaults {
  const on = (name: FaultName, value: number): number => (faults.includes(name) ? value : 0);
  return {
    dropped: on("watches", 0.02),
    lost: on("writes", 0.03),
    failed: on("requests", 0.03),
    slow: on("requests", 0.05),
    slowMsMax: 3000,
  };
}

class Run {
  readonly #cluster: VirtualCluster;
  readonly #options: SimulationOptions;
  readonly #history = new History();
  readonly #availability = new Availability();
  readonly #violations: string[] = [];
  readonly #beganMs: number;
  /** Killed components, and when they come back. */
  readonly #down = new Map<string, number>();

  constructor(cluster: VirtualCluster, options: SimulationOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#beganMs = cluster.clock.now();
    cluster.onChange<Pod>(Pods, (pod, old) => this.#history.notePod(pod, old));
    cluster.onChange<ReplicaSet>(ReplicaSets, (set) => this.#history.noteSet(set, cluster.clock.now()));
  }

  get #atSeconds(): string {
    return ((this.#cluster.clock.now() - this.#beganMs) / 1000).toFixed(1);
  }

  async run(): Promise<SimulationResult> {
    const { seed, minutes, faults } = this.#options;
    const cluster = this.#cluster;
    const users = new Users(cluster.admin, cluster.random, () => this.#disturbed(0));
    cluster.faults = wireFaults(faults);
    const endMs = this.#beganMs + minutes * minute;
    while (cluster.clock.now() < endMs && this.#violations.length === 0) {
      this.#tell(await users.act());
      this.#disturb();
      await this.#pass(1000 + cluster.random.integer(15_000));
    }
    await this.#settle();
    return { seed, simulatedMs: cluster.clock.now() - this.#beganMs, violations: this.#violations };
  }

  broken({ message }: Error): SimulationResult {
    const { seed } = this.#options;
    const simulatedMs = this.#cluster.clock.now() - this.#beganMs;
    return { seed, simulatedMs, violations: [...this.#violations, `${this.#atSeconds} s: ${message}`] };
  }

  #tell(line: string): void {
    this.#options.report?.(`${this.#atSeconds} s: ${line}`);
  }

  /** Sometimes something dies, or time jumps. */
  #disturb(): void {
    const { faults } = this.#options;
    const { random, clock } = this.#cluster;
    const die = (name: string, ms: number): void => {
      if (this.#down.has(name)) return;
      this.#tell(`kill ${name} for ${Math.round(ms / 1000)} s`);
      this.#cluster.kill(name);
      this.#down.set(name, clock.now() + ms);
    };
    if (faults.includes("crashes") && random.integer(5) === 0)
      die(random.integer(2) === 0 ? "controllers" : "scheduler", 500 + random.integer(30_000));
    const nodes = this.#cluster.components.filter((name) => name.startsWith("node-"));
    const node = nodes[random.integer(nodes.length)];
    if (faults.includes("nodes") && random.integer(8) === 0 && node !== undefined)
      die(node, 1000 + random.integer(8 * minute));
    if (faults.includes("clock") && random.integer(10) === 0) {
      const ms = random.integer(2 * minute);
      this.#tell(`the clock jumps by ${Math.round(ms / 1000)} s`);
      clock.jump(ms);
      this.#disturbed(nodeLossMs);
    }
  }

  #disturbed(forMs: number): void {
    this.#availability.disturb(this.#cluster.clock.now() + forMs);
  }

  async #pass(ms: number): Promise<void> {
    const { clock } = this.#cluster;
    const endMs = clock.now() + ms;
    while (clock.now() < endMs && this.#violations.length === 0) {
      await this.#revive(clock.now());
      const next = Math.min(endMs, ...this.#down.values());
      await this.#cluster.advance(Math.max(1, next - clock.now()), async () => void (await this.#look()));
    }
  }

  async #revive(nowMs: number): Promise<void> {
    // What a dead one had sent arrives before its successor has started to look: as the Lease, or exec, makes sure of.
    await this.#cluster.settle();
    for (const [name, atMs] of this.#down) {
      if (atMs > nowMs) continue;
      this.#down.delete(name);
      this.#tell(`start ${name} again`);
      this.#cluster.restart(name);
    }
  }

  async #look(): Promise<World> {
    const world = await worldOf(this.#cluster.admin);
    if ([...this.#down.keys()].some((name) => name.startsWith("node-"))) this.#disturbed(nodeLossMs);
    const wrong = [
      ...this.#history.look(world, this.#cluster.clock.now()),
      ...this.#availability.look(world, this.#cluster.clock.now()),
    ];
    // What is wrong stays wrong: the first moment says it.
    if (this.#violations.length === 0)
      for (const one of wrong) this.#violations.push(`${this.#atSeconds} s: ${one}`);
    return world;
  }

  /** Nothing fails any longer: in a while everything is as asked for. */
  async #settle(): Promise<void> {
    const cluster = this.#cluster;
    cluster.faults = noFaults;
    await this.#revive(Infinity);
    let waiting: string[] = [];
    for (let minutes = 0; minutes < settleMinutesMax && this.#violations.length === 0; minutes++) {
      await this.#pass(minute);
      waiting = unsettled(await this.#look());
      if (waiting.length === 0) return;
    }
    for (const one of waiting) this.#violations.push(`${this.#atSeconds} s: does not settle: ${one}`);
  }
}

/** Runs one seed to its end. What ends it early is a violation, too. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const cluster = await VirtualCluster.start({
    seed: options.seed,
    nodes: options.nodes ?? 4,
    load: { ...noLoad, startDelayMs: 200 },
    ...(options.log === undefined ? {} : { log: options.log }),
  });
  const run = new Run(cluster, options);
  try {
    return await run.run();
  } catch (thrown) {
    return run.broken(toError(thrown));
  } finally {
    await cluster.stop();
  }
}
