// Pods as a test looks at them: a few plain facts out of each, and the processes that a container really is.

import type { Client } from "#client/client.ts";
import { createClient } from "#client/client.ts";
import { createHttpsTransport } from "#client/https-transport.ts";
import { loadAccess } from "#client/kubeconfig.ts";
import { Nodes, Pods } from "#client/refs.ts";
import { readIfExists } from "#host/files.ts";
import { allPids, commandLine, identify, type ProcessIdentity } from "#host/identity.ts";
import type { Node, Pod } from "#machinery/gen/types/core-v1.ts";
import { until } from "./cluster-under-test.ts";

export interface ObservedPod {
  readonly name: string;
  readonly uid: string;
  readonly node: string;
  /** Running, all containers ready, and not on its way out. */
  readonly serving: boolean;
  readonly restarts: number;
  readonly containerId: string;
}

export async function connect(kubeconfig: string): Promise<Client> {
  return createClient(createHttpsTransport(await loadAccess(kubeconfig)), { userAgent: "leme-e2e" });
}

function observe(pod: Pod): ObservedPod {
  const containers = pod.status?.containerStatuses ?? [];
  return {
    name: pod.metadata?.name ?? "",
    uid: pod.metadata?.uid ?? "",
    node: pod.spec?.nodeName ?? "",
    serving:
      pod.status?.phase === "Running" &&
      pod.metadata?.deletionTimestamp === undefined &&
      (pod.status.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false),
    restarts: containers.reduce((sum, { restartCount }) => sum + (restartCount ?? 0), 0),
    containerId: containers[0]?.containerID ?? "",
  };
}

export async function listPods(client: Client, labelSelector = "name=app"): Promise<ObservedPod[]> {
  const { items } = await client.list<Pod>(Pods, { namespace: "default", labelSelector });
  return items.map(observe);
}

/** The pods, once exactly `count` serve and no other is left. */
export function servingPods(client: Client, count: number, msMax: number): Promise<ObservedPod[]> {
  return until(`${count} serving pods`, msMax, async (seen) => {
    const pods = await listPods(client);
    seen(JSON.stringify(pods, null, 1));
    return pods.length === count && pods.every((pod) => pod.serving) ? pods : undefined;
  });
}

export async function readyNodes(client: Client): Promise<string[]> {
  const { items } = await client.list<Node>(Nodes);
  return items
    .filter((node) =>
      node.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True"),
    )
    .map((node) => node.metadata?.name ?? "");
}

/** The processes whose cgroup's path holds `part`. */
export function processesInCgroup(part: string): ProcessIdentity[] {
  return allPids()
    .filter((pid) => readIfExists(`/proc/${pid}/cgroup`)?.includes(part) === true)
    .map(identify)
    .filter((identity) => identity !== undefined);
}

/** The processes in a pod's cgroup that run `program`. */
export function processesInPod(uid: string, program: string): ProcessIdentity[] {
  return processesInCgroup(`/pod${uid}/`).filter(({ pid }) =>
    commandLine(pid).some((word) => word.endsWith(program)),
  );
}
