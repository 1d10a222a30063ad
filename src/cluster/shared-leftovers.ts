// What a node's containers leave in folders that the whole machine shares: runc's state, CNI's results, the shims'
// sockets. Every entry is tied to one of this node's sandboxes before it is removed.

import { readdirSync, rmSync } from "node:fs";
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

/** To be called before containerd's folders are removed: its bundles say which shims and containers there are. */
export function findSharedLeftovers(node: NodePlan): SharedLeftovers {
  const bundles = `${node.runDir}/containerd/io.containerd.runtime.v2.task/k8s.io`;
  const running = entries(bundles);
  const sockets = running
    .map((id) =>
      readIfExists(join(bundles, id, "address"))
        ?.trim()
        .replace(/^unix:\/\//, ""),
    )
    .filter((path) => path?.startsWith(`${shimSockets}/`) === true) as string[];
  // Results outlive a bundle that a crash or a reboot took away.
  const cached = entries(cniResults)
    .filter((file) => resultIsUnder(readIfExists(join(cniResults, file)) ?? "", node.runDir))
    .map(containerOfResult)
    .filter((id) => id !== undefined);
  return { ids: new Set([...running, ...cached]), shimSockets: [...new Set(sockets)] };
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
