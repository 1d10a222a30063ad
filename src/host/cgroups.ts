// The cgroup tree of this machine: which version it is, and removing the groups that pods leave behind
// (containerd never removes a pod's parent group).

import { existsSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "#base/clock.ts";
import { hasCode } from "./files.ts";
import { identify, signalProcess } from "./identity.ts";
import { listMounts, type Mount } from "./mounts.ts";

export type CgroupVersion = "v1" | "hybrid" | "v2";

export interface CgroupTree {
  readonly version: CgroupVersion;
  /** Mount points of all hierarchies. */
  readonly roots: readonly string[];
}

/** v2: one unified mount. hybrid: v1 controllers with a v2 mount beside them. */
export function cgroupTree(mounts: readonly Mount[]): CgroupTree {
  const v1 = mounts.filter((mount) => mount.type === "cgroup").map((mount) => mount.target);
  const v2 = mounts.filter((mount) => mount.type === "cgroup2").map((mount) => mount.target);
  const version = v1.length === 0 ? "v2" : v2.length === 0 ? "v1" : "hybrid";
  return { version, roots: [...new Set([...v1, ...v2])] };
}

export function detectCgroups(): CgroupTree {
  return cgroupTree(listMounts());
}

function subgroups(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(path, entry.name));
  } catch (error) {
    if (hasCode(error, "ENOENT")) return [];
    throw error;
  }
}

/** Every process in the group and below, in any hierarchy. */
export function cgroupPids(roots: readonly string[], name: string): number[] {
  const pids = new Set<number>();
  const visit = (path: string): void => {
    try {
      for (const line of readFileSync(join(path, "cgroup.procs"), "utf8").split("\n"))
        if (line !== "" && line !== "0") pids.add(Number(line));
    } catch (error) {
      // EOPNOTSUPP: a threaded v2 group lists its processes in its parent.
      if (!hasCode(error, "ENOENT", "EOPNOTSUPP", "ENODEV")) throw error;
    }
    subgroups(path).forEach(visit);
  };
  for (const root of roots) visit(join(root, name));
  return [...pids];
}

/** Kills everything inside the group, in every hierarchy, and removes it with all below it. */
export async function removeCgroup(
  roots: readonly string[],
  name: string,
  clock: Pick<Clock, "sleep">,
): Promise<void> {
  if (!/^[\w.-]+(\/[\w.-]+)*$/.test(name)) throw new Error(`not a cgroup name: ${name}`);
  const triesMax = 100;
  for (let tries = 0; tries < triesMax; tries++) {
    for (const pid of cgroupPids(roots, name)) {
      const identity = identify(pid);
      if (identity !== undefined) signalProcess(identity, "SIGKILL");
    }
    if (roots.map((root) => removeTree(join(root, name))).every(Boolean)) return;
    await clock.sleep(20);
  }
  throw new Error(`cgroup ${name} cannot be removed: processes ${cgroupPids(roots, name).join(" ")}`);
}

/** Deepest first. False when something is still inside. */
function removeTree(path: string): boolean {
  if (!existsSync(path)) return true;
  const below = subgroups(path).map(removeTree).every(Boolean);
  if (!below) return false;
  try {
    rmdirSync(path);
  } catch (error) {
    if (hasCode(error, "EBUSY", "ENOTEMPTY")) return false;
    if (!hasCode(error, "ENOENT")) throw error;
  }
  return true;
}
