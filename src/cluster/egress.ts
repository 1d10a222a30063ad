// The way out: nodes and pods reach what this machine reaches, under its address. The machine forwards for its
// bridges only; where forwarding was off before, everything else is still not forwarded.

import { existsSync, rmSync } from "node:fs";
import { readIfExists, writeAtomically } from "#host/files.ts";
import { nftApply, nftDeleteTable, writeSysctls } from "#host/network.ts";
import type { ClusterPlan } from "./plan.ts";

const forwarding = "/proc/sys/net/ipv4/ip_forward";
/** All bridges of local clusters have this prefix. */
export const bridgePrefix = "lm-";

/** The host's table. `guard`: forwarding was turned on by us, so only bridges may use it. Pure. */
export function egressRuleset(plan: ClusterPlan, guard: boolean): string {
  const table = plan.nftTable;
  const inside = `{ ${plan.subnets.nodes}, ${plan.subnets.pods} }`;
  return `add table ip ${table}
delete table ip ${table}
table ip ${table} {
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname "${plan.bridge}" accept
    oifname "${plan.bridge}" ct state established,related accept
    oifname "${plan.bridge}" drop
${guard ? `    iifname != "${bridgePrefix}*" oifname != "${bridgePrefix}*" drop\n` : ""}  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${inside} ip daddr != ${inside} oifname != "${plan.bridge}" masquerade
  }
}
`;
}

/** Kept beside the clusters' run folders: forwarding was off before the first of them. */
const markerPath = (runRoot: string): string => `${runRoot}/.forwarding-was-off`;

export async function openEgress(plan: ClusterPlan, runRoot: string): Promise<void> {
  const wasOff = readIfExists(forwarding)?.trim() === "0";
  if (wasOff) writeAtomically(markerPath(runRoot), "");
  await nftApply(egressRuleset(plan, existsSync(markerPath(runRoot))));
  if (wasOff) await writeSysctls({ "net.ipv4.ip_forward": "1" });
}

/** `last`: no other cluster is on this machine, so forwarding goes back to what it was. */
export async function closeEgress(plan: ClusterPlan, runRoot: string, last: boolean): Promise<void> {
  if (last && existsSync(markerPath(runRoot))) {
    await writeSysctls({ "net.ipv4.ip_forward": "0" });
    rmSync(markerPath(runRoot), { force: true });
  }
  await nftDeleteTable("ip", plan.nftTable);
}
