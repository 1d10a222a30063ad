// What depends on a Service's type: which of its fields it has. Pure.

import type { Service, ServiceSpec } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";

export type ReadSpec = DeepReadonly<ServiceSpec>;

export const needsClusterIp = ({ type }: ReadSpec): boolean => type !== "ExternalName";

export const needsNodePorts = ({ type, allocateLoadBalancerNodePorts }: ReadSpec): boolean =>
  type === "NodePort" || (type === "LoadBalancer" && allocateLoadBalancerNodePorts !== false);

/** Traffic reaches it from outside of the cluster. */
export const isExternallyAccessible = ({ type, externalIPs }: ReadSpec): boolean =>
  type === "LoadBalancer" || type === "NodePort" || (type === "ClusterIP" && (externalIPs ?? []).length > 0);

/** Its load balancer has to find out which nodes have endpoints. */
export const needsHealthPort = ({ type, externalTrafficPolicy }: ReadSpec): boolean =>
  type === "LoadBalancer" && externalTrafficPolicy === "Local";

export const specOf = (service: DeepReadonly<Service>): ReadSpec => service.spec ?? {};
