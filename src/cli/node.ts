// `leme node`: kubelet, proxy and DNS of one node, in the foreground, inside the node's network namespace.

import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import type { LogLevel } from "#base/log.ts";

interface NodeFlags {
  nodeName: string;
  kubeconfig: string;
  containerdSocket: string;
  dataDir: string;
  nodeIp: string;
  podCidr?: string;
  clusterCidr: string;
  clusterDns: string;
  clusterDomain: string;
  serviceClusterIpRange?: string;
  cgroupRoot: string;
  streamingUrl?: string;
  resolvConf: string;
  logLevel: string;
}

/** The `nameserver` lines of a resolv.conf. */
function nameservers(text: string): string[] {
  return [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map((match) => match[1] as string);
}

async function run(flags: NodeFlags): Promise<void> {
  const [{ startNode }, { createLogger }, { loadAccess }] = await Promise.all([
    import("#compose/node.ts"),
    import("#base/log.ts"),
    import("#client/kubeconfig.ts"),
  ]);
  const log = createLogger({ level: flags.logLevel as LogLevel });
  const pki = (name: string): Promise<string> => readFile(`${flags.dataDir}/pki/${name}`, "utf8");
  const [access, certificate, key, resolvers] = await Promise.all([
    loadAccess(flags.kubeconfig),
    pki("kubelet.crt"),
    pki("kubelet.key"),
    readFile(flags.resolvConf, "utf8").then(nameservers, () => []),
  ]);
  if (access.certificateAuthority === undefined)
    throw new Error(
      `${flags.kubeconfig} names no certificate authority: the node needs one to know its API server`,
    );
  const node = startNode({
    nodeName: flags.nodeName,
    nodeIp: flags.nodeIp,
    access,
    containerdSocket: flags.containerdSocket,
    dataDir: flags.dataDir,
    clusterCidr: flags.clusterCidr,
    clusterDns: flags.clusterDns,
    clusterDomain: flags.clusterDomain,
    cgroup: flags.cgroupRoot,
    serving: { certificate, key, clientCa: access.certificateAuthority },
    // A resolver on loopback is the host's own: nothing answers there inside the node's namespace.
    upstreams: resolvers.filter((address) => !address.startsWith("127.")),
    resolvConf: flags.resolvConf,
    log,
  });
  const signal = new Promise<void>((resolve) => {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => resolve());
  });
  try {
    await Promise.race([signal, node.done]);
  } finally {
    await node.stop();
  }
}

export function registerNodeCommand(program: Command): void {
  program
    .command("node")
    .description("kubelet, proxy and DNS of one node, in the foreground (Linux, root)")
    .requiredOption("--node-name <name>", "name of the Node object")
    .requiredOption("--kubeconfig <file>", "how to reach the API server, as system:node:NAME")
    .requiredOption("--containerd-socket <file>", "socket of this node's containerd")
    .requiredOption(
      "--data-dir <folder>",
      "where the node keeps its state; certificates are in pki/ below it",
    )
    .requiredOption("--node-ip <address>", "the node's own address")
    .option("--pod-cidr <cidr>", "addresses of this node's pods")
    .option("--cluster-cidr <cidr>", "addresses of all pods", "10.244.0.0/16")
    .option("--cluster-dns <address>", "address of the cluster's DNS Service", "10.96.0.10")
    .option("--cluster-domain <name>", "domain of the cluster's DNS", "cluster.local")
    .option("--service-cluster-ip-range <cidr>", "addresses of Services")
    .option("--cgroup-root <path>", "parent group of this node's pods", "/kubepods")
    .option("--streaming-url <url>", "where containerd serves streams")
    .option("--resolv-conf <file>", "resolvers for names outside the cluster", "/etc/resolv.conf")
    .option("--log-level <level>", "debug, info, warn or error", "info")
    .addHelpText(
      "after",
      "\nExample:\n  leme node --node-name n1 --kubeconfig ./n1.kubeconfig --containerd-socket /run/containerd/containerd.sock --data-dir /var/lib/leme-node --node-ip 192.0.2.10\n",
    )
    .action(run);
}
