// What /etc/resolv.conf of a pod says: cluster DNS, the node's own, or only what the pod asks for.

import type { DnsConfig } from "#cri/messages.ts";
import type { ReadonlyPod } from "./model.ts";

export const nameserversMax = 3;
export const searchDomainsMax = 32;
export const searchCharactersMax = 2048;

export interface ClusterDns {
  readonly servers: readonly string[];
  readonly domain: string;
}

export function parseResolvConf(text: string): Required<DnsConfig> {
  const config: Required<DnsConfig> = { servers: [], searches: [], options: [] };
  for (const line of text.split("\n")) {
    const [keyword, ...values] = line
      .replace(/[#;].*$/, "")
      .trim()
      .split(/\s+/);
    if (keyword === "nameserver" && values[0] !== undefined) config.servers.push(values[0]);
    // The last search line wins.
    else if (keyword === "search") config.searches = values.map((name) => name.replace(/(.)\.$/, "$1"));
    else if (keyword === "options") config.options.push(...values);
  }
  return config;
}

const unique = (values: readonly string[]): string[] => [...new Set(values)];

function limitSearches(searches: readonly string[]): string[] {
  const kept: string[] = [];
  let characters = 0;
  for (const search of searches.slice(0, searchDomainsMax)) {
    characters += search.length + (kept.length > 0 ? 1 : 0);
    if (characters > searchCharactersMax) break;
    kept.push(search);
  }
  return kept;
}

/** Later options replace earlier ones of the same name, in place. */
function mergeOptions(
  base: readonly string[],
  added: readonly { readonly name?: string; readonly value?: string }[],
): string[] {
  const options = new Map(base.map((option) => [option.split(":")[0] as string, option]));
  for (const { name = "", value } of added)
    if (name !== "") options.set(name, value === undefined || value === "" ? name : `${name}:${value}`);
  return [...options.values()];
}

export function podDnsConfig(pod: ReadonlyPod, cluster: ClusterDns, host: Required<DnsConfig>): DnsConfig {
  const policy = pod.spec?.dnsPolicy ?? "ClusterFirst";
  const useCluster =
    cluster.servers.length > 0 &&
    (policy === "ClusterFirstWithHostNet" || (policy === "ClusterFirst" && pod.spec?.hostNetwork !== true));
  let base: Required<DnsConfig> = host;
  if (policy === "None") base = { servers: [], searches: [], options: [] };
  else if (useCluster) {
    const { domain } = cluster;
    base = {
      servers: [...cluster.servers],
      searches: [`${pod.metadata?.namespace ?? ""}.svc.${domain}`, `svc.${domain}`, domain, ...host.searches],
      options: ["ndots:5"],
    };
  }
  const extra = pod.spec?.dnsConfig;
  return {
    servers: unique([...base.servers, ...(extra?.nameservers ?? [])]).slice(0, nameserversMax),
    searches: limitSearches(unique([...base.searches, ...(extra?.searches ?? [])])),
    options: mergeOptions(base.options, extra?.options ?? []),
  };
}
