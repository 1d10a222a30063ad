// One local node without its agent: network namespace, links, containerd. Starting it twice changes nothing;
// stopping it works from any half-made state and removes only what the plan names.

import { mkdirSync, rmSync } from "node:fs";
import type { Clock } from "#base/clock.ts";
import { detectCgroups, removeCgroup } from "#host/cgroups.ts";
import { endProcess, recordedDaemon, startDaemon, stopDaemon } from "#host/daemon.ts";
import { writeIfChanged } from "#host/files.ts";
import { allPids, commandLine, identify, networkNamespaceOf } from "#host/identity.ts";
import type { ProcessIdentity } from "#host/identity.ts";
import { unmountBelow } from "#host/mounts.ts";
import { acceptsConnections } from "#host/unix-socket.ts";
import { inNetns, netnsIdentity } from "#host/netns.ts";
import { setUpNodeNetwork, tearDownNodeNetwork } from "./network.ts";
import { nodeRuntimeFiles, type RuntimeFacts } from "./node-files.ts";
import type { NodePlan } from "./plan.ts";
import { findSharedLeftovers, removeDeadShimSockets, removeSharedLeftovers } from "./shared-leftovers.ts";

export interface NodeRuntimeDeps {
  readonly clock: Clock;
}

export interface NodeRuntime {
  readonly containerd: ProcessIdentity;
  /** False when it was running already. */
  readonly started: boolean;
}

const containerdReadyMsMax = 30_000;
const containerdGraceMs = 3_000;

/** Network namespace and containerd of one node; resolves when containerd accepts connections. */
export async function startNodeRuntime(
  node: NodePlan,
  others: readonly NodePlan[],
  facts: RuntimeFacts,
  deps: NodeRuntimeDeps,
): Promise<NodeRuntime> {
  mkdirSync(node.runDir, { recursive: true, mode: 0o711 });
  mkdirSync(node.kubeletDir, { recursive: true });
  const changed = nodeRuntimeFiles(node, facts).map((file) => writeIfChanged(file.path, file.content));
  await setUpNodeNetwork(node, others);
  let containerd = recordedDaemon(node.containerd.record);
  const running = containerd !== undefined;
  if (containerd !== undefined && changed[0] === true) {
    await stopDaemon(node.containerd.record, containerdGraceMs, deps.clock);
    containerd = undefined;
  }
  containerd ??= await startContainerd(node);
  await waitForSocket(node.containerd.socket, containerd, node.containerd.log, deps.clock);
  return { containerd, started: !running || changed[0] === true };
}

async function startContainerd(node: NodePlan): Promise<ProcessIdentity> {
  await removeDeadShimSockets(node);
  return startDaemon({
    command: inNetns(node.netns, ["containerd", "--config", node.containerd.config]),
    logFile: node.containerd.log,
    recordFile: node.containerd.record,
  });
}

async function waitForSocket(path: string, owner: ProcessIdentity, log: string, clock: Clock): Promise<void> {
  const deadline = clock.monotonic() + containerdReadyMsMax;
  while (!(await acceptsConnections(path))) {
    if (identify(owner.pid)?.startTicks !== owner.startTicks)
      throw new Error(`containerd ended while starting; see ${log}`);
    if (clock.monotonic() > deadline) throw new Error(`containerd does not answer at ${path}; see ${log}`);
    await clock.sleep(20);
  }
}

/** containerd, shims and everything that runs inside the node's namespace or under its socket. */
export function processesOfNode(node: NodePlan): ProcessIdentity[] {
  const namespace = netnsIdentity(node.netns);
  const ours = (pid: number): boolean => {
    if (pid === process.pid) return false;
    if (namespace !== undefined && networkNamespaceOf(pid) === namespace) return true;
    // Shims carry the address of the containerd that started them.
    const args = commandLine(pid);
    return args[0]?.includes("containerd-shim") === true && args.includes(node.containerd.socket);
  };
  return allPids()
    .filter(ours)
    .map(identify)
    .filter((identity) => identity !== undefined);
}

/** Kills and removes everything of the node; `keepState` leaves its folders (images, leases, kubelet data). */
export async function removeNodeRuntime(
  node: NodePlan,
  deps: NodeRuntimeDeps,
  options: { keepState?: boolean } = {},
): Promise<void> {
  const { clock } = deps;
  const shared = findSharedLeftovers(node);
  await stopDaemon(node.agentRecord, containerdGraceMs, clock);
  await stopDaemon(node.containerd.record, containerdGraceMs, clock);
  await Promise.all(processesOfNode(node).map((identity) => endProcess(identity, 0, clock)));
  await removeCgroup(detectCgroups().roots, node.cgroup, clock);
  await unmountBelow(node.runDir, node.stateDir);
  await tearDownNodeNetwork(node);
  removeSharedLeftovers(shared);
  rmSync(node.runDir, { recursive: true, force: true });
  if (options.keepState !== true) rmSync(node.stateDir, { recursive: true, force: true });
}
