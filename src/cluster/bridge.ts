// The host's side of a local cluster, one process: the bridge registry, the host's routes to Ready nodes, and the
// size of the logs.

import { toError } from "#base/assert.ts";
import { backoffDelay } from "#base/backoff.ts";
import type { Clock } from "#base/clock.ts";
import type { Logger } from "#base/log.ts";
import { createClient, type Client } from "#client/client.ts";
import { createHttpsTransport } from "#client/https-transport.ts";
import { loadAccess } from "#client/kubeconfig.ts";
import { Nodes } from "#client/refs.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { adminKubeconfig } from "./commands.ts";
import { keepLogsBounded } from "./log-bounds.ts";
import { registryPort, type ClusterPlan } from "./plan.ts";
import { pushPauseImage } from "./images/pause-push.ts";
import { startRegistry } from "./registry/server.ts";
import { applyRoutes } from "./routes.ts";

export interface BridgeDeps {
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Bridge {
  stop(): Promise<void>;
}

const retry = { initialMs: 250, maxMs: 5_000 };

/** Resolves when the registry serves and has the sandbox image. Routes follow the API server from then on. */
export async function startBridge(plan: ClusterPlan, deps: BridgeDeps): Promise<Bridge> {
  const { log } = deps;
  const address = { dir: plan.registryDir, address: plan.hostAddress, port: registryPort };
  const registry = await startRegistry(address, log);
  await pushPauseImage(plan.registry);
  const stopping = new AbortController();
  const work = [
    followNodes(plan, deps, stopping.signal),
    keepLogsBounded(plan.logDir, deps.clock, stopping.signal),
  ];
  return {
    async stop() {
      stopping.abort();
      await Promise.all([registry.stop(), ...work]);
    },
  };
}

/** True when the Node's Ready condition says so. Pure. */
export function isReady(node: KubeObject): boolean {
  const { status } = node as { status?: { conditions?: { type: string; status: string }[] } };
  const conditions = status?.conditions;
  return conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

async function followNodes(
  plan: ClusterPlan,
  { clock, log }: BridgeDeps,
  signal: AbortSignal,
): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    try {
      const access = await loadAccess(adminKubeconfig(plan));
      const transport = createHttpsTransport(access);
      try {
        await followOnce(plan, createClient(transport, { userAgent: "leme-bridge" }), log, signal, () => {
          failures = 0;
        });
      } finally {
        await transport.close();
      }
    } catch (thrown) {
      // The control plane is down or restarting: the routes stay as they are until it says otherwise.
      if (!signal.aborted && failures === 0)
        log.info("routes wait for the API server", { error: toError(thrown) });
      failures++;
    }
    await clock.sleep(backoffDelay(Math.max(1, failures), retry), signal);
  }
}

/** Lists, then watches until the stream ends. */
async function followOnce(
  plan: ClusterPlan,
  client: Client,
  log: Logger,
  signal: AbortSignal,
  onAnswer: () => void,
): Promise<void> {
  const ready = new Set<string>();
  const apply = async (): Promise<void> => {
    const changes = await applyRoutes(plan, ready);
    for (const change of changes) log.info("route", { change });
  };
  const note = (name: string, isUp: boolean): boolean => {
    if (isUp === ready.has(name)) return false;
    if (isUp) ready.add(name);
    else ready.delete(name);
    return true;
  };
  const list = await client.list(Nodes);
  onAnswer();
  for (const node of list.items) note(node.metadata?.name ?? "", isReady(node));
  await apply();
  const resourceVersion = list.metadata?.resourceVersion;
  for await (const batch of client.watch(Nodes, { resourceVersion, signal })) {
    const changed = batch.filter(
      ({ type, object }) =>
        type !== "BOOKMARK" && note(object.metadata?.name ?? "", type !== "DELETED" && isReady(object)),
    );
    if (changed.length > 0) await apply();
  }
}
