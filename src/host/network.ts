// Links, addresses, routes and nftables through their own tools: `ip -batch`, `ip -json`, `nft -f`. Each call
// takes an optional network namespace.

import { inNetns } from "./netns.ts";
import { run, runOk } from "./run.ts";

function within(netns: string | undefined, command: readonly string[]): readonly string[] {
  return netns === undefined ? command : inNetns(netns, command);
}

/** Runs `ip` commands (without the word `ip`) in one process; the first that fails ends it. */
export async function ipBatch(lines: readonly string[], netns?: string): Promise<void> {
  if (lines.length === 0) return;
  await runOk(within(netns, ["ip", "-batch", "-"]), { input: `${lines.join("\n")}\n` });
}

export interface Link {
  readonly ifname: string;
  readonly mtu: number;
  readonly operstate: string;
  readonly master?: string;
  readonly addr_info?: readonly {
    readonly family: string;
    readonly local: string;
    readonly prefixlen: number;
  }[];
}

async function ipJson<T>(args: readonly string[], netns?: string): Promise<T[]> {
  const text = await runOk(within(netns, ["ip", "-json", ...args]));
  return text.trim() === "" ? [] : (JSON.parse(text) as T[]);
}

/** All links with their addresses. */
export function listLinks(netns?: string): Promise<Link[]> {
  return ipJson<Link>(["address", "show"], netns);
}

export interface Route {
  /** `unreachable`; absent for an ordinary route. */
  readonly type?: string;
  readonly dst: string;
  readonly gateway?: string;
  readonly dev?: string;
  readonly protocol?: string;
  readonly prefsrc?: string;
  readonly nexthops?: readonly { readonly gateway?: string; readonly dev?: string }[];
}

/** The IPv4 routes of the main table. */
export function listRoutes(netns?: string): Promise<Route[]> {
  return ipJson<Route>(["-4", "route", "show"], netns);
}

/** Applies a ruleset as one transaction. */
export async function nftApply(ruleset: string, netns?: string): Promise<void> {
  await runOk(within(netns, ["nft", "-f", "-"]), { input: ruleset });
}

/** Deletes a table if it is there. */
export async function nftDeleteTable(family: string, name: string, netns?: string): Promise<void> {
  // Adding first makes the deletion safe on every nft version: `destroy` came with 1.0.8.
  await nftApply(`add table ${family} ${name}\ndelete table ${family} ${name}\n`, netns);
}

/** Writes `net.*` sysctls (dots or slashes) as seen from the namespace. */
export async function writeSysctls(values: Readonly<Record<string, string>>, netns?: string): Promise<void> {
  const lines = Object.entries(values).map(([key, value]) => {
    if (!/^[\w./-]+$/.test(key) || !/^[\w ]+$/.test(value)) throw new Error(`not a sysctl: ${key}=${value}`);
    // A sysctl that this kernel lacks (br_netfilter not loaded) is not there to be set.
    return `f=/proc/sys/${key.replaceAll(".", "/")}; [ ! -e "$f" ] || echo ${value} > "$f"`;
  });
  if (lines.length > 0) await runOk(within(netns, ["sh", "-ec", lines.join("\n")]));
}

export async function deleteLink(name: string): Promise<void> {
  const result = await run(["ip", "link", "delete", "dev", name]);
  if (result.code !== 0 && !/Cannot find device/.test(result.stderr)) throw new Error(result.stderr.trim());
}
