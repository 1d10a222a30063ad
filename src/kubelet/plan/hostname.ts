// The name of a pod inside itself, and the /etc/hosts that goes with it.

import type { ReadonlyPod } from "./model.ts";

const labelLengthMax = 63;

export interface PodNames {
  readonly hostname: string;
  /** `subdomain.namespace.svc.domain`, or "" without a subdomain. */
  readonly domain: string;
}

export function podNames(pod: ReadonlyPod, clusterDomain: string): PodNames {
  const spec = pod.spec;
  const plain = spec?.hostnameOverride ?? spec?.hostname;
  let hostname = plain || (pod.metadata?.name ?? "");
  if (hostname.length > labelLengthMax) hostname = hostname.slice(0, labelLengthMax).replace(/[-.]+$/, "");
  const domain =
    spec?.subdomain && spec.hostnameOverride === undefined
      ? `${spec.subdomain}.${pod.metadata?.namespace ?? ""}.svc.${clusterDomain}`
      : "";
  if (spec?.setHostnameAsFQDN === true && domain !== "") return { hostname: `${hostname}.${domain}`, domain };
  return { hostname, domain };
}

const loopback = [
  "# Kubernetes-managed hosts file.",
  "127.0.0.1\tlocalhost",
  "::1\tlocalhost ip6-localhost ip6-loopback",
  "fe00::0\tip6-localnet",
  "fe00::0\tip6-mcastprefix",
  "fe00::1\tip6-allnodes",
  "fe00::2\tip6-allrouters",
];

/** `hostFile` is the node's own /etc/hosts, which host-network pods see. */
export function hostsFile(
  pod: ReadonlyPod,
  ips: readonly string[],
  names: PodNames,
  hostFile: string,
): string {
  const lines =
    pod.spec?.hostNetwork === true
      ? ["# Kubernetes-managed hosts file (host network).", hostFile.replace(/\n$/, "")]
      : [...loopback, ...ips.map((ip) => hostLine(ip, names))];
  const aliases = pod.spec?.hostAliases ?? [];
  if (aliases.length > 0) {
    lines.push("", "# Entries added by HostAliases.");
    for (const { ip, hostnames } of aliases) lines.push(`${ip}\t${(hostnames ?? []).join("\t")}`);
  }
  return `${lines.join("\n")}\n`;
}

function hostLine(ip: string, { hostname, domain }: PodNames): string {
  if (domain === "") return `${ip}\t${hostname}`;
  const short = hostname.replace(`.${domain}`, "");
  return `${ip}\t${short}.${domain}\t${short}`;
}
