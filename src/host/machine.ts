// What differs between machines (ARCHITECTURE.md, "What differs"), found out at start and reported by `leme status`.

import { existsSync, readFileSync } from "node:fs";
import { readIfExists } from "./files.ts";
import { detectCgroups, type CgroupVersion } from "./cgroups.ts";
import { listLinks, listRoutes } from "./network.ts";
import { run } from "./run.ts";

export interface Machine {
  readonly cgroupVersion: CgroupVersion;
  readonly apparmor: boolean;
  /** Without it nothing may lower its own oom_score_adj, and containerd must be told so. */
  readonly capSysResource: boolean;
  /** "1.6.20"; undefined when not installed. */
  readonly containerdVersion: string | undefined;
  readonly runcVersion: string | undefined;
  readonly nftVersion: string | undefined;
  readonly runcPath: string | undefined;
  readonly cniBinDir: string | undefined;
  readonly kernel: string;
  readonly os: string;
  /** There is a way out of this machine: a default route. */
  readonly uplink: boolean;
  /** The MTU of the link with the default route: what leaves this machine must fit. */
  readonly uplinkMtu: number;
}

const capSysResourceBit = 24n;
const mtuDefault = 1500;

export function hasCapability(statusText: string, bit: bigint): boolean {
  const hex = /^CapEff:\s*([0-9a-f]+)$/m.exec(statusText)?.[1];
  return hex !== undefined && ((BigInt(`0x${hex}`) >> bit) & 1n) === 1n;
}

/** The first dotted number of a version line: "nftables v1.0.6 (Lester Gooch #5)" → "1.0.6". */
export function versionIn(text: string): string | undefined {
  return /(?:^|[\sv])(\d+\.\d+(?:\.\d+)?)/m.exec(text)?.[1];
}

export function findProgram(
  name: string,
  path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
): string | undefined {
  return path
    .split(":")
    .map((folder) => `${folder}/${name}`)
    .find((file) => existsSync(file));
}

async function versionOf(program: string): Promise<string | undefined> {
  const file = findProgram(program);
  if (file === undefined) return undefined;
  const { code, stdout } = await run([file, "--version"], { timeoutMs: 10_000 });
  return code === 0 ? versionIn(stdout) : undefined;
}

async function findUplink(): Promise<{ uplink: boolean; uplinkMtu: number }> {
  if (findProgram("ip") === undefined) return { uplink: false, uplinkMtu: mtuDefault };
  const route = (await listRoutes()).find((each) => each.dst === "default" && each.type === undefined);
  const link = (await listLinks()).find((each) => each.ifname === route?.dev);
  return { uplink: route !== undefined, uplinkMtu: link?.mtu ?? mtuDefault };
}

export async function detectMachine(): Promise<Machine> {
  const [containerdVersion, runcVersion, nftVersion, uplink] = await Promise.all([
    versionOf("containerd"),
    versionOf("runc"),
    versionOf("nft"),
    findUplink(),
  ]);
  return {
    cgroupVersion: detectCgroups().version,
    apparmor: readIfExists("/sys/module/apparmor/parameters/enabled")?.trim() === "Y",
    capSysResource: hasCapability(readFileSync("/proc/self/status", "utf8"), capSysResourceBit),
    containerdVersion,
    runcVersion,
    nftVersion,
    runcPath: findProgram("runc"),
    cniBinDir: ["/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"].find((folder) =>
      existsSync(`${folder}/bridge`),
    ),
    kernel: readFileSync("/proc/sys/kernel/osrelease", "utf8").trim(),
    os: /^PRETTY_NAME="?([^"\n]*)/m.exec(readIfExists("/etc/os-release") ?? "")?.[1] ?? "unknown",
    ...uplink,
  };
}
