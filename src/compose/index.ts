// The package's public door: a Kubernetes control plane inside a Node program, for tests and tools.
// `import { startCluster } from "leme"`. Real API server, controllers and scheduler; nodes are not part of it.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger, type Logger } from "#base/log.ts";
import { ServiceAccounts } from "#client/refs.ts";
import { selectControllers } from "#controllers/index.ts";
import { createClient, type Client } from "#client/client.ts";
import { makeKubeConfig, type KubeConfig } from "#client/kubeconfig.ts";
import type { HollowNodesOptions } from "#kubelet/hollow/hollow-nodes.ts";
import { noLoad } from "#kubelet/hollow/simulated-runtime.ts";
import { admissionPluginNames, startControlPlane, type ControlPlane } from "./control-plane.ts";
import { VirtualTime } from "./virtual-time.ts";

export type { Logger } from "#base/log.ts";
export type {
  Client,
  DeleteOptions,
  ListOptions,
  PatchType,
  ResourceRef,
  WatchOptions,
} from "#client/client.ts";
export {
  simulate,
  type FaultName,
  type SimulationOptions,
  type SimulationResult,
} from "./simulation/simulate.ts";
export type { HollowNodesOptions } from "#kubelet/hollow/hollow-nodes.ts";
export type { KubeConfig } from "#client/kubeconfig.ts";
export {
  ConfigMaps,
  CronJobs,
  DaemonSets,
  Deployments,
  EndpointSlices,
  Endpoints,
  Events,
  Jobs,
  Leases,
  Namespaces,
  Nodes,
  Pods,
  ReplicaSets,
  ReplicationControllers,
  Secrets,
  ServiceAccounts,
  Services,
  StatefulSets,
} from "#client/refs.ts";
export type * as core from "#machinery/gen/types/core-v1.ts";
export type * as meta from "#machinery/gen/types/meta-v1.ts";
export { ApiError, isApiError } from "#machinery/status.ts";

export interface ClusterOptions {
  /** Where objects and certificates stay. Without it objects live in memory and everything is gone after `stop`. */
  readonly dataDir?: string;
  /** Name of the cluster, context and user in the kubeconfig. Default `leme`. */
  readonly name?: string;
  /** Where the API listens. Default 127.0.0.1. */
  readonly address?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Controllers to run, as `--controllers`: `*`, names, `-name`. Default all. */
  readonly controllers?: readonly string[];
  /** Nodes that run nothing: pods become Running and Ready on them. Default none. */
  readonly hollowNodes?: number | Partial<HollowNodesOptions>;
  /** Time stands still, and goes on only by `advance`, as fast as there is something to do. Default false. */
  readonly virtualTime?: boolean;
  /** Default: nothing is logged. */
  readonly log?: Logger;
}

export interface User {
  readonly name: string;
  readonly groups?: readonly string[];
}

export interface Cluster {
  /** `https://127.0.0.1:PORT` */
  readonly url: string;
  /** An administrator's access, with everything inline. As text it is a kubeconfig file: JSON is YAML. */
  readonly kubeconfig: KubeConfig;
  /**
   * As the administrator, without a socket. What it returns is shared with the server's cache:
   * copy an object (`structuredClone`) before you change it.
   */
  readonly client: Client;
  /** A client like it, as somebody else: authorization decides what it may do. */
  clientAs(user: User): Client;
  /**
   * With `virtualTime`: goes on by `90s`, `24h` or so many milliseconds, and comes back when all that was due is done.
   * Rejects where time is real.
   */
  advance(duration: string | number): Promise<void>;
  /** Rejects when a component of the control plane ends by itself. */
  readonly done: Promise<void>;
  stop(): Promise<void>;
}

const serviceClusterIpRange = "10.96.0.0/16";
const clusterDns = "10.96.0.10";
const tolerationSeconds = 300;

const hollowDefaults: HollowNodesOptions = {
  count: 1,
  prefix: "hollow",
  from: 0,
  size: { cpus: 8, memoryBytes: 32 * 1024 ** 3 },
  load: noLoad,
  zones: 0,
  allEvents: false,
  version: "v1.36.0",
};

const hollowOf = (asked: number | Partial<HollowNodesOptions>): HollowNodesOptions =>
  typeof asked === "number" ? { ...hollowDefaults, count: asked } : { ...hollowDefaults, ...asked };

/** Nothing is lost in one process: each that is due less makes hours of virtual time shorter. */
const virtualBookmarksMs = 3_600_000;

/** Starts a control plane in this process; resolves when the API answers and pods can be created. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { name = "leme", address = "127.0.0.1", dataDir } = options;
  const dir = dataDir ?? (await mkdtemp(join(tmpdir(), "leme-")));
  const forget = async (): Promise<void> => {
    if (dataDir === undefined) await rm(dir, { recursive: true, force: true });
  };
  let activity = (): number => 0;
  const time = options.virtualTime === true ? new VirtualTime(() => activity()) : undefined;
  try {
    const plane = await startControlPlane({
      ...(time === undefined ? {} : { clock: time.clock, bookmarkEveryMs: virtualBookmarksMs }),
      dataDir: dir,
      store: dataDir === undefined ? { engine: "memory" } : { engine: "embedded", dir: join(dir, "store") },
      bindAddress: address,
      securePort: options.port ?? 0,
      advertiseAddress: address === "0.0.0.0" ? "127.0.0.1" : address,
      clusterName: name,
      serviceClusterIpRange,
      serviceNodePortRange: { from: 30_000, to: 32_767 },
      clusterDns,
      authorizationModes: ["Node", "RBAC"],
      admissionPlugins: new Set(admissionPluginNames),
      defaultTolerationSeconds: { notReady: tolerationSeconds, unreachable: tolerationSeconds },
      controllers: options.controllers ?? ["*"],
      extraNames: [],
      ...(options.hollowNodes === undefined ? {} : { hollowNodes: hollowOf(options.hollowNodes) }),
      log: options.log ?? silentLogger,
    });
    activity = plane.activity;
    const cluster = clusterOver(plane, { name, address, forget, time });
    const chosen = selectControllers(options.controllers);
    if (chosen.some((one) => one.name === "serviceaccount-controller")) await defaultServiceAccount(cluster);
    return cluster;
  } catch (error) {
    await forget();
    throw error;
  }
}

/** Resolves when the namespace `default` has its service account: before that, it takes no pods. */
async function defaultServiceAccount({ client, done }: Cluster): Promise<void> {
  const abort = new AbortController();
  const fieldSelector = "metadata.name=default";
  const { items, metadata } = await client.list(ServiceAccounts, { namespace: "default", fieldSelector });
  if (items.length > 0) return;
  const appears = async (): Promise<void> => {
    const resourceVersion = metadata?.resourceVersion ?? "";
    const options = { namespace: "default", fieldSelector, resourceVersion, signal: abort.signal };
    for await (const batch of client.watch(ServiceAccounts, options))
      if (batch.some(({ type }) => type === "ADDED")) return;
  };
  try {
    await Promise.race([appears(), done]);
  } finally {
    abort.abort();
  }
}

interface Made {
  readonly name: string;
  readonly address: string;
  readonly forget: () => Promise<void>;
  readonly time: VirtualTime | undefined;
}

function clusterOver(plane: ControlPlane, { name, address, forget, time }: Made): Cluster {
  const url = `https://${address === "0.0.0.0" ? "127.0.0.1" : address}:${plane.port}`;
  const clientAs = ({ name: user, groups = [] }: User): Client =>
    createClient(plane.server.direct({ name: user, groups: [...groups, "system:authenticated"] }));
  // Whoever does not look at `done` still gets every other answer; nothing is lost by not waiting for it.
  plane.done.catch(() => undefined);
  return {
    url,
    kubeconfig: makeKubeConfig({
      name,
      access: {
        server: url,
        certificateAuthority: plane.pki.authority.certificate,
        clientCertificate: plane.pki.admin.certificate,
        clientKey: plane.pki.admin.key,
      },
    }),
    client: clientAs({ name: "kubernetes-admin", groups: ["system:masters"] }),
    clientAs,
    advance: (duration) =>
      time?.advance(duration) ??
      Promise.reject(new Error("time is real here: start the cluster with { virtualTime: true }")),
    done: plane.done,
    async stop() {
      await plane.stop();
      await forget();
    },
  };
}
