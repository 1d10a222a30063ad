// Takes a local cluster away, from any state: processes, containers, namespaces, mounts, routes, rules, cgroups,
// files, kubeconfig entries. Only what carries this cluster's names.

import { existsSync, readdirSync, rmSync } from "node:fs";
import type { Clock } from "#base/clock.ts";
import { stopDaemon } from "#host/daemon.ts";
import { removeIfEmpty } from "#host/files.ts";
import { tryLock } from "#host/lock.ts";
import { unmountBelow } from "#host/mounts.ts";
import { bridgeDaemon, serverDaemon } from "./daemons.ts";
import { closeEgress } from "./egress.ts";
import { unsetKubeconfig } from "./kubeconfig.ts";
import { tearDownBridge } from "./network.ts";
import { removeNodeRuntime } from "./node-runtime.ts";
import { nodesMax, subnetsOfSlot, type ClusterPlan } from "./plan.ts";
import { otherRecords, planOf, readRecord, type ClusterRecord, type Roots } from "./record.ts";
import { removeRoutes } from "./routes.ts";

export interface DownOptions {
  readonly name: string;
  readonly roots: Roots;
  readonly kubeconfig: string;
}

const serverGraceMs = 5_000;

export async function down(options: DownOptions, deps: { clock: Clock }): Promise<void> {
  const { name, roots } = options;
  if (process.getuid?.() !== 0) throw new Error("taking a local cluster down needs root");
  const lock = await tryLock(`${roots.runRoot}/${name}`);
  if (lock === undefined) throw new Error(`another 'leme up' or 'leme down' of ${name} is running`);
  try {
    const plan = planOf(readableRecord(roots, name) ?? guessRecord(roots, name), roots);
    await removeCluster(plan, options, deps);
  } finally {
    await lock.release();
  }
}

/** A record that cannot be read says nothing; the names that it would give are known anyway. */
function readableRecord(roots: Roots, name: string): ClusterRecord | undefined {
  try {
    return readRecord(roots, name);
  } catch {
    return undefined;
  }
}

/** Without a record: as many nodes as names are found of. Names do not depend on subnets. */
function guessRecord(roots: Roots, name: string): ClusterRecord {
  const numbers = [
    "/run/netns",
    `${roots.stateRoot}/${name}/nodes`,
    "/sys/fs/cgroup",
    "/sys/fs/cgroup/memory",
  ]
    .flatMap((folder) => (existsSync(folder) ? readdirSync(folder) : []))
    .map((entry) => entry.replace(/^kubepods-/, ""))
    .filter((entry) => entry.startsWith(`${name}-node-`))
    .map((entry) => Number(entry.slice(`${name}-node-`.length)))
    .filter((number) => Number.isInteger(number) && number >= 1 && number <= nodesMax);
  return { format: 1, name, nodes: Math.max(1, ...numbers), subnets: subnetsOfSlot(0), mtu: 1500 };
}

async function removeCluster(
  plan: ClusterPlan,
  { name, roots, kubeconfig }: DownOptions,
  deps: { clock: Clock },
): Promise<void> {
  const { clock } = deps;
  await Promise.all([
    stopDaemon(serverDaemon(plan).record, serverGraceMs, clock),
    stopDaemon(bridgeDaemon(plan).record, serverGraceMs, clock),
    ...plan.nodes.map((node) => removeNodeRuntime(node, deps)),
  ]);
  await removeRoutes(plan);
  const last = otherRecords(roots, name).length === 0;
  await closeEgress(plan, roots.runRoot, last);
  await tearDownBridge(plan);
  await unsetKubeconfig(kubeconfig, name, clock);
  await unmountBelow(plan.runDir, plan.stateDir);
  for (const folder of [plan.runDir, plan.stateDir]) rmSync(folder, { recursive: true, force: true });
  for (const folder of [roots.runRoot, roots.stateRoot]) removeIfEmpty(folder);
}
