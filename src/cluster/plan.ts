// The plan of a local cluster: from its name, size and subnets to every name, address and path that it uses.
// Pure. What it does not decide: the content of files (node-files.ts) and how things are made (node-runtime.ts).

import { createHash } from "node:crypto";
import { addressAt, parseSubnet, subnetOf } from "./subnets.ts";

export interface Subnets {
  /** The bridge: `.1` is the host, nodes from `.11`. */
  readonly nodes: string;
  /** A /16, of which every node has a /24; or a /24, for one node. */
  readonly pods: string;
  readonly services: string;
  /** Inside `nodes`, above the nodes. */
  readonly loadBalancers: string;
}

export interface ClusterOptions {
  readonly name: string;
  readonly nodes: number;
  readonly subnets: Subnets;
  /** Kept over reboots. Default /var/lib/leme. */
  readonly stateRoot?: string;
  /** Sockets and process records. Default /run/leme. */
  readonly runRoot?: string;
  readonly mtu?: number;
}

export interface NodePlan {
  readonly name: string;
  readonly netns: string;
  readonly address: string;
  readonly prefixLength: number;
  readonly gateway: string;
  readonly podCidr: string;
  /** All nodes' pods. */
  readonly clusterPods: string;
  readonly bridge: string;
  /** The host's end of the veth pair; inside it is eth0. */
  readonly hostLink: string;
  readonly mtu: number;
  /** The registry that every image name is mirrored to. */
  readonly registry: string;
  /** Parent of all pod cgroups of this node, in every hierarchy. */
  readonly cgroup: string;
  readonly stateDir: string;
  readonly runDir: string;
  readonly containerd: {
    readonly config: string;
    readonly socket: string;
    readonly log: string;
    readonly record: string;
  };
  readonly cniConfDir: string;
  readonly certsDir: string;
  readonly kubeconfig: string;
  /** The kubelet's own folder. */
  readonly kubeletDir: string;
  readonly agentLog: string;
  readonly agentRecord: string;
}

export interface ClusterPlan {
  readonly name: string;
  readonly subnets: Subnets;
  readonly bridge: string;
  /** The host on the bridge: API server, registry, the nodes' gateway. */
  readonly hostAddress: string;
  readonly hostPrefixLength: number;
  readonly mtu: number;
  readonly apiServer: string;
  readonly clusterDns: string;
  readonly registry: string;
  readonly nftTable: string;
  readonly stateDir: string;
  readonly runDir: string;
  readonly logDir: string;
  readonly serverDir: string;
  readonly registryDir: string;
  readonly nodes: readonly NodePlan[];
}

export const securePort = 6443;
export const registryPort = 5000;
const firstNodeOffset = 11;
/** Node addresses end below the balancers' half of a /24. */
export const nodesMax = 100;
const clusterNameLengthMax = 40;

/** What is wrong with a cluster name, or undefined. */
export function clusterNameProblem(name: string): string | undefined {
  if (name.length > clusterNameLengthMax) return `must be no more than ${clusterNameLengthMax} characters`;
  if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name))
    return "must consist of lower case letters, digits and '-', and start and end with a letter or digit";
  return undefined;
}

/** A link name of at most 15 characters: the kernel takes no more. Long names are cut and told apart by a hash. */
export function linkName(prefix: string, name: string, suffix = ""): string {
  const room = 15 - prefix.length - suffix.length;
  if (name.length <= room) return `${prefix}${name}${suffix}`;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 5);
  return `${prefix}${name.slice(0, room - hash.length)}${hash}${suffix}`;
}

/** The subnets of the n-th cluster on one machine; slot 0 is everybody's first. */
export const slotsMax = 8;
export function subnetsOfSlot(slot: number): Subnets {
  return {
    nodes: `10.200.${slot}.0/24`,
    pods: `10.${244 - slot}.0.0/16`,
    services: `10.${96 + slot}.0.0/16`,
    loadBalancers: `10.200.${slot}.128/25`,
  };
}

export function planCluster(options: ClusterOptions): ClusterPlan {
  const { name, subnets, stateRoot = "/var/lib/leme", runRoot = "/run/leme", mtu = 1500 } = options;
  const problem = clusterNameProblem(name);
  if (problem !== undefined) throw new Error(`invalid cluster name "${name}": ${problem}`);
  if (!Number.isInteger(options.nodes) || options.nodes < 1 || options.nodes > nodesMax)
    throw new Error(`invalid number of nodes ${options.nodes}: must be between 1 and ${nodesMax}`);
  const hostAddress = addressAt(subnets.nodes, 1);
  const bridge = linkName("lm-", name);
  const cluster = {
    name,
    subnets,
    bridge,
    hostAddress,
    hostPrefixLength: parseSubnet(subnets.nodes).prefixLength,
    mtu,
    apiServer: `https://${hostAddress}:${securePort}`,
    clusterDns: addressAt(subnets.services, 10),
    registry: `${hostAddress}:${registryPort}`,
    nftTable: `leme-${name}`,
    stateDir: `${stateRoot}/${name}`,
    runDir: `${runRoot}/${name}`,
    logDir: `${stateRoot}/${name}/logs`,
    serverDir: `${stateRoot}/${name}/server`,
    registryDir: `${stateRoot}/${name}/registry`,
  };
  const nodes = Array.from({ length: options.nodes }, (_, index) => planNode(cluster, index + 1));
  return { ...cluster, nodes };
}

function planNode(cluster: Omit<ClusterPlan, "nodes">, number: number): NodePlan {
  const name = `${cluster.name}-node-${number}`;
  const stateDir = `${cluster.stateDir}/nodes/${name}`;
  // Short: a unix socket path has 107 bytes.
  const runDir = `${cluster.runDir}/node-${number}`;
  return {
    name,
    netns: name,
    address: addressAt(cluster.subnets.nodes, firstNodeOffset + number - 1),
    prefixLength: cluster.hostPrefixLength,
    gateway: cluster.hostAddress,
    podCidr: subnetOf(cluster.subnets.pods, 24, number),
    clusterPods: cluster.subnets.pods,
    bridge: cluster.bridge,
    hostLink: linkName("lm", cluster.name, `-${number}`),
    mtu: cluster.mtu,
    registry: cluster.registry,
    cgroup: `kubepods-${name}`,
    stateDir,
    runDir,
    containerd: {
      config: `${stateDir}/containerd.toml`,
      socket: `${runDir}/containerd.sock`,
      log: `${cluster.logDir}/${name}-containerd.log`,
      record: `${runDir}/containerd.pid`,
    },
    cniConfDir: `${stateDir}/cni`,
    certsDir: `${stateDir}/certs.d`,
    kubeconfig: `${stateDir}/kubeconfig`,
    kubeletDir: `${stateDir}/kubelet`,
    agentLog: `${cluster.logDir}/${name}.log`,
    agentRecord: `${runDir}/agent.pid`,
  };
}
