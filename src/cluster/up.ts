// Brings a local cluster up: what is missing is started, what runs is left alone. The same call is the first
// start, the repair of a half-dead cluster, and the restart after a reboot.

import { existsSync, mkdirSync, rmSync } from "node:fs";
import type { Clock } from "#base/clock.ts";
import { collectBody } from "#client/body.ts";
import { createClient, type Client } from "#client/client.ts";
import { createHttpsTransport } from "#client/https-transport.ts";
import { loadAccess, makeKubeConfig } from "#client/kubeconfig.ts";
import { Leases, Nodes } from "#client/refs.ts";
import { recordedDaemon, startDaemon } from "#host/daemon.ts";
import { readIfExists, writeAtomically, writeIfChanged } from "#host/files.ts";
import { bootId } from "#host/identity.ts";
import { tryLock, waitForLock } from "#host/lock.ts";
import { detectMachine, type Machine } from "#host/machine.ts";
import { unmountBelow } from "#host/mounts.ts";
import { listRoutes } from "#host/network.ts";
import type { KubeObject } from "#machinery/meta.ts";
import type { KeyPair } from "#pki/certificates.ts";
import { ensureAuthority, ensureNodePki } from "#pki/cluster-pki.ts";
import { isReady } from "./bridge.ts";
import { adminKubeconfig, bridgeCommand, nodeCommand, serverCommand, type Leme } from "./commands.ts";
import { agentDaemon, bridgeDaemon, lastLines, serverDaemon, type DaemonFiles } from "./daemons.ts";
import { openEgress } from "./egress.ts";
import { mergeKubeconfig } from "./kubeconfig.ts";
import { setUpBridge } from "./network.ts";
import { startNodeRuntime } from "./node-runtime.ts";
import { subnetsOfSlot, type ClusterPlan, type NodePlan } from "./plan.ts";
import { prerequisiteProblems } from "./prereqs.ts";
import {
  chooseSubnets,
  otherRecords,
  planOf,
  readRecord,
  writeRecord,
  type ClusterRecord,
  type Roots,
} from "./record.ts";
import { findSharedLeftovers, removeSharedLeftovers } from "./shared-leftovers.ts";
import { ensureRoutes, servicesRouted } from "./routes.ts";

export interface UpOptions {
  readonly name: string;
  readonly nodes: number;
  readonly roots: Roots;
  readonly leme: Leme;
  /** The user's kubeconfig file. */
  readonly kubeconfig: string;
  /** More flags for every `leme server` and `leme node`. */
  readonly serverFlags?: readonly string[];
  readonly nodeFlags?: readonly string[];
}

export interface UpDeps {
  readonly clock: Clock;
  /** One line for the user. */
  report(line: string): void;
}

export interface UpResult {
  readonly plan: ClusterPlan;
  /** Everything ran already. */
  readonly alreadyUp: boolean;
  /** Nodes that did not become Ready in time. */
  readonly notReady: readonly string[];
}

const serverReadyMsMax = 30_000;
const nodesReadyMsMax = 90_000;
const routesMsMax = 15_000;
const lockMsMax = 10_000;
const pollMs = 50;

/** A reason to stop that the user can act on. */
export class UpError extends Error {
  override name = "UpError";
}

export async function up(options: UpOptions, deps: UpDeps): Promise<UpResult> {
  const machine = await detectMachine();
  const problems = prerequisiteProblems(machine, process.getuid?.() ?? -1, process.platform);
  if (problems.length > 0)
    throw new UpError(`this machine cannot run a local cluster:\n  ${problems.join("\n  ")}`);
  const lock = await tryLock(`${options.roots.runRoot}/${options.name}`);
  if (lock === undefined) throw new UpError(`another 'leme up' or 'leme down' of ${options.name} is running`);
  try {
    return await upLocked(options, machine, deps);
  } finally {
    await lock.release();
  }
}

async function upLocked(options: UpOptions, machine: Machine, deps: UpDeps): Promise<UpResult> {
  const record = await recordOf(options, machine, deps);
  const plan = planOf(record, options.roots);
  await forgetEarlierBoot(plan);
  const dead = deadDaemons(plan);
  const startedMs = deps.clock.now();
  if (dead.length > 0) {
    await setUpBridge(plan);
    await openEgress(plan, options.roots.runRoot);
    await ensureRoutes(plan);
    const authority = await ensureAuthority(`${plan.serverDir}/pki`, startedMs);
    await startEverything(plan, options, machine, authority, deps);
  }
  const client = createClient(createHttpsTransport(await loadAccess(adminKubeconfig(plan))), {
    userAgent: "leme-up",
  });
  try {
    const fresh = plan.nodes.filter((node) => dead.includes(node.agentRecord)).map((node) => node.name);
    const notReady = await waitForNodes(client, plan, { fresh, startedMs }, deps);
    if (await mergeKubeconfig(options.kubeconfig, adminKubeconfig(plan), plan.name, deps.clock))
      deps.report(`kubectl is now configured to use the cluster "${plan.name}" (${options.kubeconfig})`);
    if (notReady.length < plan.nodes.length) await waitForRoutes(plan, deps.clock);
    return { plan, alreadyUp: dead.length === 0, notReady };
  } finally {
    await client.transport.close();
  }
}

async function recordOf(
  { name, nodes, roots }: UpOptions,
  machine: Machine,
  deps: UpDeps,
): Promise<ClusterRecord> {
  const existing = readRecord(roots, name);
  if (existing !== undefined) {
    if (existing.nodes !== nodes)
      deps.report(`the cluster "${name}" has ${existing.nodes} nodes; bring it down first to change that`);
    return existing;
  }
  // Two first starts at once must not choose the same subnets.
  const choosing = await waitForLock(`${roots.runRoot}/subnets`, lockMsMax, deps.clock);
  if (choosing === undefined) throw new UpError("another 'leme up' is choosing its subnets");
  try {
    const taken = otherRecords(roots, name).map((other) => other.subnets);
    const ours = planOf({ format: 1, name, nodes, subnets: subnetsOfSlot(0), mtu: 1500 }, roots).bridge;
    const routes = (await listRoutes()).filter((route) => route.dev !== ours);
    const mtu = Math.min(1500, machine.uplinkMtu);
    const record: ClusterRecord = { format: 1, name, nodes, subnets: chooseSubnets(taken, routes), mtu };
    writeRecord(roots, record);
    return record;
  } finally {
    await choosing.release();
  }
}

/** After a reboot sockets and container state are of processes that are gone; only the state folder counts. */
async function forgetEarlierBoot(plan: ClusterPlan): Promise<void> {
  const file = `${plan.runDir}/boot-id`;
  const earlier = readIfExists(file);
  if (earlier !== undefined && earlier !== bootId()) {
    await unmountBelow(plan.runDir);
    for (const node of plan.nodes) removeSharedLeftovers(findSharedLeftovers(node));
    rmSync(plan.runDir, { recursive: true, force: true });
  }
  mkdirSync(plan.runDir, { recursive: true, mode: 0o711 });
  writeAtomically(file, bootId());
}

/** Record files of the processes that do not run. */
export function deadDaemons(plan: ClusterPlan): string[] {
  const records = [
    serverDaemon(plan).record,
    bridgeDaemon(plan).record,
    ...plan.nodes.flatMap((node) => [node.containerd.record, node.agentRecord]),
  ];
  return records.filter((record) => recordedDaemon(record) === undefined);
}

async function ensureDaemon(files: DaemonFiles, command: readonly string[]): Promise<boolean> {
  if (recordedDaemon(files.record) !== undefined) return false;
  await startDaemon({ command, logFile: files.log, recordFile: files.record });
  return true;
}

/** Everything that can start side by side does; agents wait for the API server and their own containerd. */
async function startEverything(
  plan: ClusterPlan,
  options: UpOptions,
  machine: Machine,
  authority: KeyPair,
  deps: UpDeps,
): Promise<void> {
  const { leme, roots } = options;
  const begin = deps.clock.monotonic();
  const seconds = (): string => `${((deps.clock.monotonic() - begin) / 1000).toFixed(1)}s`;
  const server = ensureDaemon(serverDaemon(plan), serverCommand(leme, plan, options.serverFlags))
    .then((started) => waitForServer(plan, deps.clock).then(() => started))
    .then((started) => started && deps.report(`  control plane ready at ${plan.apiServer} (${seconds()})`));
  const bridge = ensureDaemon(bridgeDaemon(plan), bridgeCommand(leme, plan, roots));
  const nodes = plan.nodes.map(async (node) => {
    await writeNodeKubeconfig(plan, node, authority, deps.clock.now());
    const runtime = await startNodeRuntime(node, plan.nodes, machine, deps);
    if (runtime.started) deps.report(`  ${node.name}: containerd ready (${seconds()})`);
    await server;
    await ensureDaemon(agentDaemon(node), nodeCommand(leme, plan, node, options.nodeFlags));
  });
  await Promise.all([server, bridge, ...nodes]);
}

async function writeNodeKubeconfig(
  plan: ClusterPlan,
  node: NodePlan,
  authority: KeyPair,
  nowMs: number,
): Promise<void> {
  const pki = await ensureNodePki(authority, {
    dir: `${node.kubeletDir}/pki`,
    nodeName: node.name,
    ipAddresses: [node.address],
    nowMs,
  });
  const config = makeKubeConfig({
    name: plan.name,
    user: `system:node:${node.name}`,
    access: {
      server: plan.apiServer,
      certificateAuthority: authority.certificate,
      clientCertificate: pki.client.certificate,
      clientKey: pki.client.key,
    },
  });
  writeIfChanged(node.kubeconfig, `${JSON.stringify(config, null, 2)}\n`, 0o600);
}

async function waitForServer(plan: ClusterPlan, clock: Clock): Promise<void> {
  const { record, log } = serverDaemon(plan);
  const deadline = clock.monotonic() + serverReadyMsMax;
  let last = "";
  while (clock.monotonic() < deadline) {
    if (recordedDaemon(record) === undefined)
      throw new UpError(`the control plane ended while starting; the end of ${log}:\n${lastLines(log)}`);
    last = existsSync(adminKubeconfig(plan)) ? await askReady(plan) : "no kubeconfig yet";
    if (last === "") return;
    await clock.sleep(pollMs);
  }
  throw new UpError(`the control plane is not ready after ${serverReadyMsMax / 1000}s (${last}); see ${log}`);
}

/** Empty when /readyz says ok; otherwise why not. */
async function askReady(plan: ClusterPlan): Promise<string> {
  try {
    const transport = createHttpsTransport(await loadAccess(adminKubeconfig(plan)));
    try {
      const answer = await createClient(transport).raw({ method: "GET", path: "/readyz" });
      const text = (await collectBody(answer.body)).toString().trim();
      return answer.status === 200 ? "" : `/readyz answered ${answer.status} ${text}`;
    } finally {
      await transport.close();
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** A node counts when it is Ready and, if its agent was started just now, has renewed its Lease since. */
async function waitForNodes(
  client: Client,
  plan: ClusterPlan,
  { fresh, startedMs }: { fresh: readonly string[]; startedMs: number },
  { clock, report }: UpDeps,
): Promise<string[]> {
  const waiting = new Map(plan.nodes.map((node) => [node.name, node]));
  const begin = clock.monotonic();
  while (waiting.size > 0 && clock.monotonic() - begin < nodesReadyMsMax) {
    const { items } = await client.list<KubeObject>(Nodes);
    for (const node of items) {
      const name = node.metadata?.name ?? "";
      if (!waiting.has(name) || !isReady(node)) continue;
      if (fresh.includes(name) && !(await renewedSince(client, name, startedMs))) continue;
      waiting.delete(name);
      if (fresh.length > 0) report(`  ${name}: Ready (${((clock.now() - startedMs) / 1000).toFixed(1)}s)`);
    }
    for (const [name, node] of waiting) {
      if (recordedDaemon(node.agentRecord) !== undefined) continue;
      report(`  ${name}: the node agent ended; the end of ${node.agentLog}:\n${lastLines(node.agentLog)}`);
      return [...waiting.keys()];
    }
    if (waiting.size > 0) await clock.sleep(pollMs * 2);
  }
  return [...waiting.keys()];
}

/** The bridge process follows the nodes; a moment later the host's routes lead to those that are Ready. */
async function waitForRoutes(plan: ClusterPlan, clock: Clock): Promise<void> {
  const deadline = clock.monotonic() + routesMsMax;
  while (!(await servicesRouted(plan))) {
    if (clock.monotonic() > deadline)
      throw new UpError(`the host has no routes to the nodes; see ${bridgeDaemon(plan).log}`);
    await clock.sleep(pollMs);
  }
}

async function renewedSince(client: Client, name: string, sinceMs: number): Promise<boolean> {
  const { items } = await client.list<KubeObject>(Leases, {
    namespace: "kube-node-lease",
    fieldSelector: `metadata.name=${name}`,
  });
  const renewTime = (items[0] as { spec?: { renewTime?: string } } | undefined)?.spec?.renewTime;
  return renewTime !== undefined && Date.parse(renewTime) >= sinceMs - 1000;
}
