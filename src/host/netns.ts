// Named network namespaces, where `ip netns` looks for them (/run/netns), made without its extra bind mount of
// that folder. Programs enter with nsenter: `ip netns exec` would remount /sys and so hide the cgroup tree.

import { closeSync, existsSync, mkdirSync, openSync, rmSync, statSync } from "node:fs";
import { hasCode } from "./files.ts";
import { listMounts } from "./mounts.ts";
import { run, runOk } from "./run.ts";

const folder = "/run/netns";

export function netnsPath(name: string): string {
  return `${folder}/${name}`;
}

/** The command prefix that runs a program inside the namespace. It execs: the pid stays the same. */
export function inNetns(name: string, command: readonly string[]): string[] {
  return ["nsenter", `--net=${netnsPath(name)}`, "--", ...command];
}

export function netnsExists(name: string): boolean {
  const path = netnsPath(name);
  return existsSync(path) && listMounts().some((mount) => mount.target === path && mount.type === "nsfs");
}

/** The namespace as /proc/PID/ns/net names it: `net:[INODE]`. Undefined when there is none. */
export function netnsIdentity(name: string): string | undefined {
  return netnsExists(name) ? `net:[${statSync(netnsPath(name)).ino}]` : undefined;
}

/** Makes the namespace with its loopback up; nothing when it is there. */
export async function addNetns(name: string): Promise<void> {
  if (netnsExists(name)) return;
  mkdirSync(folder, { recursive: true });
  // A file of that name without its mount is what a reboot leaves where /run is on disk.
  closeSync(openSync(netnsPath(name), "w", 0o444));
  await runOk(["unshare", `--net=${netnsPath(name)}`, "--", "ip", "link", "set", "lo", "up"]);
}

/** Removes the name. The namespace itself ends with the last process in it; its veths go with it. */
export async function deleteNetns(name: string): Promise<void> {
  const path = netnsPath(name);
  if (netnsExists(name)) {
    const plain = await run(["umount", "--", path]);
    if (plain.code !== 0) await runOk(["umount", "--lazy", "--", path]);
  }
  try {
    rmSync(path, { force: true });
  } catch (error) {
    if (!hasCode(error, "EBUSY")) throw error;
    throw new Error(`${path} is still mounted in another mount namespace`);
  }
}
