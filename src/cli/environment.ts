// What the local commands take from the environment: the variables of the kube-up scripts, and kubectl's.

import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import type { Leme } from "#cluster/commands.ts";

export interface LocalEnvironment {
  readonly clusterName: string;
  readonly nodes: number;
  readonly kubeconfig: string;
}

export function localEnvironment(env: NodeJS.ProcessEnv): LocalEnvironment {
  const nodes = env["NUM_NODES"] ?? "3";
  if (!/^\d+$/.test(nodes)) throw new Error(`NUM_NODES must be a number, not "${nodes}"`);
  const [first] = (env["KUBECONFIG"] ?? "").split(delimiter).filter((path) => path !== "");
  return {
    clusterName: env["CLUSTER_NAME"] || "leme",
    nodes: Number(nodes),
    kubeconfig: first ?? join(homedir(), ".kube", "config"),
  };
}

/** How to start this program again. */
export function ownCommand(): Leme {
  return [process.execPath, ...process.execArgv, process.argv[1] as string];
}

/** A root shell made with plain `su` lacks the system folders where ip, nft and iptables are. */
export function addSystemPath(env: NodeJS.ProcessEnv): void {
  const folders = (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const missing = ["/usr/local/sbin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"].filter(
    (folder) => !folders.includes(folder),
  );
  env["PATH"] = [...folders, ...missing].join(delimiter);
}
