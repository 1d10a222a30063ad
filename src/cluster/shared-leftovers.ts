// What a node's containers leave in folders that the whole machine shares: runc's state, CNI's results, the shims'
// sockets. Every entry is tied to one of this node's sandboxes before it is removed.

import { createHash } from "node:crypto";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { hasCode, readIfExists, removeIfEmpty } from "#host/files.ts";
import { acceptsConnections } from "#host/unix-socket.ts";
import type { NodePlan } from "./plan.ts";

export interface SharedLeftovers {
  /** Sandboxes and containers. */
  readonly ids: ReadonlySet<string>;
  readonly shimSockets: readonly string[];
}

const cniResults = "/var/lib/cni/results";
const runcState = "/run/containerd/runc/k8s.io";
const shimSockets = "/run/containerd/s";

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return [];
    throw error;
  }
}

/** The container that a CNI result file is of: `NETWORK-ID-INTERFACE`. Pure. */
export function containerOfResult(file: string): string | undefined {
  return /-([0-9a-f]{64})-[^-]+$/.exec(file)?.[1];
}

/** True when a cached CNI result is of a network namespace that containerd made under `folder`. Pure. */
export function resultIsUnder(text: string, folder: string): boolean {
  return text.includes(`"sandbox":"${folder}/`);
}

/** Where containerd has a sandbox's shim listen. Pure. */
export function shimSocket(containerdSocket: string, sandbox: string): string {
  return join(
    shimSockets,
    createHash("sha256")
      .update(join(containerdSocket, "k8s.io", sandbox))
      .digest("hex"),
  );
}

/**
 * To be called before containerd's folders are removed. Its bundles name the containers; runc's states and CNI's
 * results name their bundle or namespace, and outlive a bundle that a crash or a reboot took away.
 */
export function findSharedLeftovers(node: NodePlan): SharedLeftovers {
  const running = entries(`${node.runDir}/containerd/io.containerd.runtime.v2.task/k8s.io`);
  const states = entries(runcState).filter((id) =>
    readIfExists(join(runcState, id, "state.json"))?.includes(`bundle=${node.runDir}/`),
  );
  const cached = entries(cniResults)
    .filter((file) => resultIsUnder(readIfExists(join(cniResults, file)) ?? "", node.runDir))
    .map(containerOfResult)
    .filter((id) => id !== undefined);
  const ids = new Set([...running, ...states, ...cached]);
  const sockets = [...ids].map((id) => shimSocket(node.containerd.socket, id));
  return { ids, shimSockets: sockets.filter((path) => existsSync(path)) };
}

/**
 * To be called before containerd starts again: it forgets the bundles of shims that died without it, and then
 * nobody knows whose their sockets were.
 */
export async function removeDeadShimSockets(node: NodePlan): Promise<void> {
  for (const socket of findSharedLeftovers(node).shimSockets)
    if (!(await acceptsConnections(socket))) rmSync(socket, { force: true });
}

export function removeSharedLeftovers({ ids, shimSockets: sockets }: SharedLeftovers): void {
  for (const id of ids) rmSync(join(runcState, id), { recursive: true, force: true });
  for (const socket of sockets) rmSync(socket, { force: true });
  for (const file of entries(cniResults)) {
    const id = containerOfResult(file);
    if (id !== undefined && ids.has(id)) rmSync(join(cniResults, file), { force: true });
  }
  // The folders themselves are made by containerd, runc and CNI when they need them.
  const made = [
    runcState,
    "/run/containerd/runc",
    shimSockets,
    "/run/containerd",
    cniResults,
    "/var/lib/cni",
  ];
  for (const folder of made) removeIfEmpty(folder);
}
