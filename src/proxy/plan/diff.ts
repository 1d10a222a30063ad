// From one ruleset to the next as one nft transaction: only what changed. Pure.

import { containers, masqueradeMark, type Ruleset } from "./ruleset.ts";

const emptyRuleset: Ruleset = {
  chains: new Map(),
  affinity: new Map(),
  elements: {
    services: new Map(),
    nodeports: new Map(),
    refused: new Map(),
    refused_nodeports: new Map(),
    hairpin: new Map(),
  },
};

/** The parts of the table that never change: containers, hooks, and the chains that hooks enter. */
function skeleton(table: string): string {
  return `table ip ${table} {
}
delete table ip ${table}
table ip ${table} {
  map services { type ipv4_addr . inet_proto . inet_service : verdict; }
  map nodeports { type inet_proto . inet_service : verdict; }
  map refused { type ipv4_addr . inet_proto . inet_service : verdict; }
  map refused_nodeports { type inet_proto . inet_service : verdict; }
  set hairpin { type ipv4_addr . ipv4_addr; }
  chain reject_chain {
    meta l4proto tcp reject with tcp reset
    reject
  }
  chain dispatch {
    ip daddr . meta l4proto . th dport vmap @services
    fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @nodeports
  }
  chain refuse {
    ct state new ip daddr . meta l4proto . th dport vmap @refused
    ct state new fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @refused_nodeports
  }
  chain prerouting { type nat hook prerouting priority dstnat; policy accept;
    jump dispatch
  }
  chain output { type nat hook output priority -100; policy accept;
    jump dispatch
  }
  chain postrouting { type nat hook postrouting priority srcnat; policy accept;
    ip saddr . ip daddr @hairpin masquerade
    meta mark & ${masqueradeMark} == 0 return
    meta mark set meta mark xor ${masqueradeMark}
    masquerade fully-random
  }
  chain filter_input { type filter hook input priority filter; policy accept;
    jump refuse
  }
  chain filter_forward { type filter hook forward priority filter; policy accept;
    jump refuse
  }
  chain filter_output { type filter hook output priority filter; policy accept;
    jump refuse
  }
}
`;
}

const same = (a: readonly string[] | undefined, b: readonly string[]): boolean =>
  a !== undefined && a.length === b.length && a.every((line, at) => line === b[at]);

/** The script for `nft -f -`; "" when nothing changed. `previous` undefined: the table is made from nothing. */
export function diffRulesets(table: string, previous: Ruleset | undefined, next: Ruleset): string {
  const before = previous ?? emptyRuleset;
  const lines: string[] = [];
  const gone: string[] = [];

  for (const [set, seconds] of next.affinity) {
    if (before.affinity.get(set) === seconds) continue;
    if (before.affinity.has(set)) gone.push(`flush set ip ${table} ${set}`);
    else
      lines.push(
        `add set ip ${table} ${set} { type ipv4_addr; flags dynamic,timeout; timeout ${seconds}s; }`,
      );
  }
  // All chains first, so that a rule may name a chain whose rules come later.
  for (const chain of next.chains.keys())
    if (!before.chains.has(chain)) lines.push(`add chain ip ${table} ${chain}`);
  for (const [chain, rules] of next.chains) {
    if (same(before.chains.get(chain), rules)) continue;
    if (before.chains.has(chain)) lines.push(`flush chain ip ${table} ${chain}`);
    for (const rule of rules) lines.push(`add rule ip ${table} ${chain} ${rule}`);
  }
  for (const container of containers) {
    const old = before.elements[container];
    const now = next.elements[container];
    const removed = [...old].filter(([key, value]) => now.get(key) !== value).map(([key]) => key);
    const added = [...now].filter(([key, value]) => old.get(key) !== value);
    if (removed.length > 0) lines.push(`delete element ip ${table} ${container} { ${removed.join(", ")} }`);
    if (added.length > 0) {
      const entries = added.map(([key, value]) => (value === "" ? key : `${key} : ${value}`));
      lines.push(`add element ip ${table} ${container} { ${entries.join(", ")} }`);
    }
  }
  // Chains go last, emptied first: until then something may still point to them.
  const dead = [...before.chains.keys()].filter((chain) => !next.chains.has(chain));
  for (const chain of dead) gone.push(`flush chain ip ${table} ${chain}`);
  for (const chain of dead) gone.push(`delete chain ip ${table} ${chain}`);
  for (const set of before.affinity.keys())
    if (!next.affinity.has(set)) gone.push(`delete set ip ${table} ${set}`);

  const body = [...lines, ...gone].map((line) => `${line}\n`).join("");
  return previous === undefined ? skeleton(table) + body : body;
}
