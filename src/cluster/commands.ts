// The command lines of a cluster's processes. Pure. `leme` is how this machine runs our own program.

import { streamPort } from "./node-files.ts";
import { securePort, type ClusterPlan, type NodePlan } from "./plan.ts";
import { addressAt, parseSubnet } from "./subnets.ts";
import { inNetns } from "#host/netns.ts";

export type Leme = readonly string[];

export function adminKubeconfig(plan: ClusterPlan): string {
  return `${plan.stateDir}/admin.kubeconfig`;
}

/** The balancer addresses, first and last; the last of all is the node subnet's broadcast address. */
export function loadBalancerRange(plan: ClusterPlan): string {
  const pool = plan.subnets.loadBalancers;
  return `${addressAt(pool, 0)}-${addressAt(pool, parseSubnet(pool).size - 2)}`;
}

export function serverCommand(leme: Leme, plan: ClusterPlan, extra: readonly string[] = []): string[] {
  return [
    ...leme,
    "server",
    `--data-dir=${plan.serverDir}`,
    `--bind-address=${plan.hostAddress}`,
    `--advertise-address=${plan.hostAddress}`,
    `--secure-port=${securePort}`,
    `--write-kubeconfig=${adminKubeconfig(plan)}`,
    `--service-cluster-ip-range=${plan.subnets.services}`,
    `--cluster-cidr=${plan.subnets.pods}`,
    `--cluster-name=${plan.name}`,
    `--load-balancer-range=${loadBalancerRange(plan)}`,
    ...extra,
  ];
}

export function nodeCommand(
  leme: Leme,
  plan: ClusterPlan,
  node: NodePlan,
  extra: readonly string[] = [],
): string[] {
  return inNetns(node.netns, [
    ...leme,
    "node",
    `--node-name=${node.name}`,
    `--kubeconfig=${node.kubeconfig}`,
    `--containerd-socket=${node.containerd.socket}`,
    `--data-dir=${node.kubeletDir}`,
    `--node-ip=${node.address}`,
    `--pod-cidr=${node.podCidr}`,
    `--cluster-cidr=${plan.subnets.pods}`,
    `--cluster-dns=${plan.clusterDns}`,
    `--service-cluster-ip-range=${plan.subnets.services}`,
    `--cgroup-root=/${node.cgroup}`,
    `--streaming-url=http://${node.address}:${streamPort}`,
    ...extra,
  ]);
}

/** The process of the host's side of the bridge: registry and routes. */
export function bridgeCommand(
  leme: Leme,
  plan: ClusterPlan,
  roots: { stateRoot: string; runRoot: string },
): string[] {
  return [
    ...leme,
    "bridge",
    `--cluster-name=${plan.name}`,
    `--state-root=${roots.stateRoot}`,
    `--run-root=${roots.runRoot}`,
  ];
}
