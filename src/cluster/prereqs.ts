// What this machine must have before a local cluster can start, and where a missing piece comes from.

import { existsSync } from "node:fs";
import { findProgram, type Machine } from "#host/machine.ts";

interface Requirement {
  readonly what: string;
  readonly debianPackage: string;
}

const programs: Readonly<Record<string, string>> = {
  containerd: "containerd",
  runc: "runc",
  ip: "iproute2",
  nft: "nftables",
  iptables: "iptables",
  nsenter: "util-linux",
  unshare: "util-linux",
  mount: "mount",
  umount: "mount",
  tar: "tar",
};

const cniPlugins = ["bridge", "host-local", "loopback", "portmap"];

/** Everything missing, in the words that the user reads; empty when the cluster can start. */
export function prerequisiteProblems(machine: Machine, uid: number, platform: string): string[] {
  if (platform !== "linux")
    return [
      `the local provider needs Linux; this is ${platform}. 'leme server' runs the control plane anywhere`,
    ];
  const missing: Requirement[] = Object.entries(programs)
    .filter(([program]) => findProgram(program) === undefined)
    .map(([program, debianPackage]) => ({ what: program, debianPackage }));
  const plugins = cniPlugins.filter(
    (name) => machine.cniBinDir === undefined || !existsSync(`${machine.cniBinDir}/${name}`),
  );
  if (plugins.length > 0)
    missing.push({ what: `CNI plugins ${plugins.join(", ")}`, debianPackage: "containernetworking-plugins" });
  const problems = missing.map(
    ({ what, debianPackage }) => `${what} is missing (Debian package ${debianPackage})`,
  );
  if (uid !== 0) problems.push("it needs root: local nodes are network namespaces with their own containerd");
  return problems;
}
