// The local provider as one object: the cluster folder's operations with the real clock and this program's own
// command line filled in.

import { realClock } from "#base/clock.ts";
import { createLogger, type LogLevel } from "#base/log.ts";
import { startBridge, type Bridge } from "#cluster/bridge.ts";
import type { Leme } from "#cluster/commands.ts";
import { down } from "#cluster/down.ts";
import { defaultRoots, planOf, readRecord, type Roots } from "#cluster/record.ts";
import { clusterStatus, type ClusterStatus } from "#cluster/status.ts";
import { up, type UpResult } from "#cluster/up.ts";

export interface LocalClusterOptions {
  readonly name: string;
  /** How to run this program again: Node and the entry file. */
  readonly leme: Leme;
  /** The user's kubeconfig file. */
  readonly kubeconfig: string;
  readonly roots?: Roots;
}

export interface LocalCluster {
  up(
    nodes: number,
    report: (line: string) => void,
    flags?: { server?: readonly string[]; node?: readonly string[] },
  ): Promise<UpResult>;
  down(): Promise<void>;
  status(): Promise<ClusterStatus>;
  /** Runs the bridge process of this cluster until it is stopped. */
  bridge(level?: LogLevel): Promise<Bridge>;
  /** `host:port` of the registry; throws when there is no such cluster. */
  registry(): string;
}

export function localCluster({
  name,
  leme,
  kubeconfig,
  roots = defaultRoots,
}: LocalClusterOptions): LocalCluster {
  const plan = (): ReturnType<typeof planOf> => {
    const record = readRecord(roots, name);
    if (record === undefined) throw new Error(`there is no cluster "${name}" on this machine`);
    return planOf(record, roots);
  };
  return {
    up: (nodes, report, flags = {}) =>
      up(
        { name, nodes, roots, leme, kubeconfig, serverFlags: flags.server, nodeFlags: flags.node },
        { clock: realClock, report },
      ),
    down: () => down({ name, roots, kubeconfig }, { clock: realClock }),
    status: () => clusterStatus(name, roots),
    bridge: (level) => startBridge(plan(), { clock: realClock, log: createLogger({ level }) }),
    registry: () => plan().registry,
  };
}
