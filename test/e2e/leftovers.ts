// What a cluster has on this machine, found by its names and addresses only: after kube-down it must be nothing.

import { existsSync, globSync, readFileSync } from "node:fs";
import { allPids, commandLine } from "#host/identity.ts";
import { readIfExists } from "#host/files.ts";
import { runOk } from "#host/run.ts";
import type { ClusterPlan } from "#cluster/plan.ts";

/** One line per thing that is there, with the place where it was found. */
export async function leftoversOf(plan: ClusterPlan, kubeconfig: string): Promise<string[]> {
  const owned = [plan.stateDir, plan.runDir, ...plan.nodes.map((node) => node.netns)];
  const names = [...owned, plan.bridge, plan.nftTable, ...plan.nodes.map((node) => node.hostLink)];
  const prefixes = [plan.subnets.nodes, plan.subnets.pods, plan.subnets.services].map(prefixOf);
  const mentions = (text: string, words: readonly string[]): string[] =>
    text.split("\n").filter((line) => words.some((word) => line.includes(word)));
  const found: [string, string[]][] = [
    ["ip netns", mentions(await runOk(["ip", "netns"]), names)],
    ["mount", mentions(readFileSync("/proc/self/mountinfo", "utf8"), names)],
    ["nft list ruleset", mentions(await runOk(["nft", "list", "ruleset"]), [...names, ...prefixes])],
    ["ip address", mentions(await runOk(["ip", "-o", "address"]), [...names, ...prefixes])],
    ["ip route", mentions(await runOk(["ip", "route", "show", "table", "all"]), [...names, ...prefixes])],
    ["ps", processesOf(plan, owned)],
    ["files", [plan.stateDir, plan.runDir].filter((folder) => existsSync(folder))],
    [
      "cgroups",
      plan.nodes.flatMap(({ cgroup }) =>
        globSync([`/sys/fs/cgroup/${cgroup}`, `/sys/fs/cgroup/*/${cgroup}`]),
      ),
    ],
    ["kubeconfig", mentions(readIfExists(kubeconfig) ?? "", [`name: ${plan.name}`, plan.apiServer])],
  ];
  return found.flatMap(([place, lines]) => lines.map((line) => `${place}: ${line}`));
}

/** `10.200.0.0/24` → `10.200.0.`: how the addresses of a subnet begin. */
function prefixOf(subnet: string): string {
  const [address = "", bits = "0"] = subnet.split("/");
  return (
    address
      .split(".")
      .slice(0, Number(bits) / 8)
      .join(".") + "."
  );
}

/** By their arguments, or by the cgroup that only containers of this cluster are in. */
function processesOf(plan: ClusterPlan, owned: readonly string[]): string[] {
  return allPids()
    .filter((pid) => pid !== process.pid)
    .filter((pid) => {
      const words = commandLine(pid);
      const groups = readGroups(pid);
      return (
        words.some(
          (word) => word === `--cluster-name=${plan.name}` || owned.some((one) => word.includes(one)),
        ) || plan.nodes.some((node) => groups.includes(`/${node.cgroup}/`))
      );
    })
    .map((pid) => `${pid} ${commandLine(pid).join(" ")}`);
}

function readGroups(pid: number): string {
  return readIfExists(`/proc/${pid}/cgroup`) ?? "";
}
