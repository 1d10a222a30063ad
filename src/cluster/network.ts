// The bridge and the nodes' network namespaces: makes what is missing, leaves what is there, removes all of it.

import { deleteLink, ipBatch, listLinks, nftApply, writeSysctls, type Link } from "#host/network.ts";
import { addNetns, deleteNetns } from "#host/netns.ts";
import { streamPort } from "./node-files.ts";
import type { ClusterPlan, NodePlan } from "./plan.ts";

type BridgePlan = Pick<ClusterPlan, "bridge" | "hostAddress" | "hostPrefixLength" | "mtu">;

/** The `ip` commands that the bridge still needs. Pure. */
export function bridgeCommands(plan: BridgePlan, links: readonly Link[]): string[] {
  const link = links.find((each) => each.ifname === plan.bridge);
  const addressed = link?.addr_info?.some((address) => address.local === plan.hostAddress) ?? false;
  return [
    ...(link === undefined ? [`link add ${plan.bridge} mtu ${plan.mtu} type bridge`] : []),
    ...(addressed ? [] : [`address add ${plan.hostAddress}/${plan.hostPrefixLength} dev ${plan.bridge}`]),
    `link set ${plan.bridge} up`,
  ];
}

/** The commands on the host for one node's veth pair. Pure. */
export function vethCommands(node: NodePlan, links: readonly Link[]): string[] {
  const exists = links.some((each) => each.ifname === node.hostLink);
  return [
    ...(exists
      ? []
      : [
          `link add ${node.hostLink} mtu ${node.mtu} type veth peer name eth0 mtu ${node.mtu} netns ${node.netns}`,
        ]),
    `link set ${node.hostLink} master ${node.bridge} up`,
  ];
}

/** The commands inside a node: its address, its way out, and the way to the other nodes' pods. Pure. */
export function nodeCommands(node: NodePlan, others: readonly NodePlan[], links: readonly Link[]): string[] {
  const eth0 = links.find((each) => each.ifname === "eth0");
  const addressed = eth0?.addr_info?.some((address) => address.local === node.address) ?? false;
  return [
    "link set lo up",
    ...(addressed ? [] : [`address add ${node.address}/${node.prefixLength} dev eth0`]),
    "link set eth0 up",
    `route replace default via ${node.gateway}`,
    ...others
      .filter((other) => other.name !== node.name)
      .map((other) => `route replace ${other.podCidr} via ${other.address}`),
  ];
}

const nodeSysctls = {
  "net.ipv4.ip_forward": "1",
  // Replies between pods of one node must pass the NAT, although they are bridged.
  "net.bridge.bridge-nf-call-iptables": "1",
};

/** containerd's stream server knows no users: the host and the node itself may reach it, pods may not. Pure. */
export function guardRuleset(podCidr: string): string {
  return `add table inet leme-guard
delete table inet leme-guard
table inet leme-guard {
  chain input {
    type filter hook input priority filter; policy accept;
    iifname "cni0" tcp dport ${streamPort} drop
    ip saddr ${podCidr} tcp dport ${streamPort} drop
  }
}
`;
}

export async function setUpBridge(plan: BridgePlan): Promise<void> {
  await ipBatch(bridgeCommands(plan, await listLinks()));
}

export async function setUpNodeNetwork(node: NodePlan, others: readonly NodePlan[]): Promise<void> {
  await addNetns(node.netns);
  await ipBatch(vethCommands(node, await listLinks()));
  await ipBatch(nodeCommands(node, others, await listLinks(node.netns)), node.netns);
  await writeSysctls(nodeSysctls, node.netns);
  await nftApply(guardRuleset(node.clusterPods), node.netns);
}

export async function tearDownNodeNetwork(node: NodePlan): Promise<void> {
  await deleteNetns(node.netns);
  await deleteLink(node.hostLink);
}

export async function tearDownBridge(plan: BridgePlan): Promise<void> {
  await deleteLink(plan.bridge);
}
