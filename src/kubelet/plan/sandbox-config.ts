// The pod as the runtime sees it: sandbox name, network, DNS, logs, cgroup, and the labels that tools look for.

import type { DnsConfig, PodSandboxConfig, PortMapping } from "#cri/messages.ts";
import { specGraceSeconds } from "./containers.ts";
import { podDnsConfig, type ClusterDns } from "./dns-config.ts";
import { podNames } from "./hostname.ts";
import type { ReadonlyPod } from "./model.ts";
import { podCgroup } from "./resources.ts";
import { sandboxSecurity } from "./security.ts";

export const podNameLabel = "io.kubernetes.pod.name";
export const podNamespaceLabel = "io.kubernetes.pod.namespace";
export const podUidLabel = "io.kubernetes.pod.uid";
export const containerNameLabel = "io.kubernetes.container.name";
/** Tells this node's pods from anything else in the same containerd. */
export const nodeLabel = "io.leme.node";
/** So that a pod whose object is gone still gets the time it was promised. */
export const graceAnnotation = "io.kubernetes.pod.terminationGracePeriod";

export interface SandboxSettings {
  readonly nodeName: string;
  readonly nodeCgroup: string;
  readonly logRoot: string;
  readonly seccompRoot: string;
  readonly clusterDns: ClusterDns;
  readonly hostDns: Required<DnsConfig>;
}

export function podLabels(pod: ReadonlyPod): Record<string, string> {
  return {
    [podNameLabel]: pod.metadata?.name ?? "",
    [podNamespaceLabel]: pod.metadata?.namespace ?? "",
    [podUidLabel]: pod.metadata?.uid ?? "",
  };
}

/** `NAMESPACE_NAME_UID` under the log root. */
export function podLogDirectory(logRoot: string, pod: ReadonlyPod): string {
  const { namespace, name, uid } = pod.metadata ?? {};
  return `${logRoot}/${namespace ?? ""}_${name ?? ""}_${uid ?? ""}`;
}

function portMappings(pod: ReadonlyPod): PortMapping[] {
  if (pod.spec?.hostNetwork === true) return [];
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  return containers.flatMap(({ ports }) =>
    (ports ?? [])
      .filter(({ hostPort }) => hostPort !== undefined && hostPort > 0)
      .map(({ hostPort, containerPort, protocol, hostIP }) => ({
        protocol: (protocol ?? "TCP") as "TCP" | "UDP" | "SCTP",
        containerPort,
        hostPort: hostPort as number,
        hostIp: hostIP ?? "",
      })),
  );
}

export function sandboxConfig(
  pod: ReadonlyPod,
  attempt: number,
  settings: SandboxSettings,
): PodSandboxConfig {
  const { name = "", namespace = "", uid = "" } = pod.metadata ?? {};
  const sysctls = pod.spec?.securityContext?.sysctls ?? [];
  return {
    metadata: { name, namespace, uid, attempt },
    // A host-network pod has the node's own name; the runtime must not set one.
    hostname: pod.spec?.hostNetwork === true ? "" : podNames(pod, settings.clusterDns.domain).hostname,
    logDirectory: podLogDirectory(settings.logRoot, pod),
    dnsConfig: podDnsConfig(pod, settings.clusterDns, settings.hostDns),
    portMappings: portMappings(pod),
    labels: { ...pod.metadata?.labels, ...podLabels(pod), [nodeLabel]: settings.nodeName },
    annotations: {
      ...pod.metadata?.annotations,
      [graceAnnotation]: String(specGraceSeconds(pod)),
    },
    linux: {
      cgroupParent: podCgroup(settings.nodeCgroup, pod),
      securityContext: sandboxSecurity(pod, settings.seccompRoot),
      ...(sysctls.length === 0
        ? {}
        : { sysctls: Object.fromEntries(sysctls.map((sysctl) => [sysctl.name, sysctl.value])) }),
    },
  };
}
