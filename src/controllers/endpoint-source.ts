// What Endpoints and EndpointSlices have in common: which pods stand behind a Service, at which addresses and ports.

import type { ContainerPort, Service, ServicePort } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { isPodTerminal, readySinceMs, type ReadPod } from "./pod-state.ts";

export type ReadService = DeepReadonly<Service>;

export const lastChangeAnnotation = "endpoints.kubernetes.io/last-change-trigger-time";
export const headlessLabel = "service.kubernetes.io/headless";
export const endpointsPerSliceMax = 100;

export const isHeadless = (service: ReadService): boolean =>
  (service.spec?.clusterIP ?? "") === "" || service.spec?.clusterIP === "None";

/** False for Services whose endpoints are somebody else's business. */
export function hasManagedEndpoints(service: ReadService): boolean {
  return service.spec?.type !== "ExternalName" && Object.keys(service.spec?.selector ?? {}).length > 0;
}

/** The pod's address of one family, if it has one. */
export function podAddress(pod: ReadPod, family: "IPv4" | "IPv6"): string | undefined {
  const all = (pod.status?.podIPs ?? []).map(({ ip }) => ip).filter((ip) => ip !== undefined);
  const { podIP = "" } = pod.status ?? {};
  if (all.length === 0 && podIP !== "") all.push(podIP);
  return all.find((ip) => ip.includes(":") === (family === "IPv6"));
}

export function isBehindService(pod: ReadPod, includeTerminating: boolean): boolean {
  if (isPodTerminal(pod)) return false;
  if ((pod.status?.podIP ?? "") === "" && (pod.status?.podIPs ?? []).length === 0) return false;
  return includeTerminating || pod.metadata?.deletionTimestamp === undefined;
}

/** The pod's name in DNS below a headless Service: only when it asks for this Service as its subdomain. */
export function hostnameBehind(pod: ReadPod, service: ReadService): string | undefined {
  const { hostname = "", subdomain } = pod.spec ?? {};
  const isAsked =
    hostname !== "" &&
    subdomain === service.metadata?.name &&
    pod.metadata?.namespace === service.metadata?.namespace;
  return isAsked ? hostname : undefined;
}

/** The number of the port that a service port means in this pod; undefined when the pod has no port of that name. */
export function targetPort(pod: ReadPod, port: DeepReadonly<ServicePort>): number | undefined {
  const target = port.targetPort ?? port.port;
  if (typeof target === "number") return target === 0 ? port.port : target;
  if (target === "") return port.port;
  const protocol = port.protocol ?? "TCP";
  const isMeant = (one: DeepReadonly<ContainerPort>): boolean =>
    one.name === target && (one.protocol ?? "TCP") === protocol;
  const sidecars = (pod.spec?.initContainers ?? []).filter((one) => one.restartPolicy === "Always");
  for (const container of [...(pod.spec?.containers ?? []), ...sidecars]) {
    const found = container.ports?.find(isMeant);
    if (found !== undefined) return found.containerPort;
  }
  return undefined;
}

/** When the newest of what this follows from happened, as the annotation tells it. */
export function lastTrigger(service: ReadService, pods: readonly ReadPod[]): string | undefined {
  const created = Date.parse(service.metadata?.creationTimestamp ?? "") || 0;
  const newest = pods.reduce((latest, pod) => Math.max(latest, readySinceMs(pod) ?? 0), created);
  return newest === 0 ? undefined : `${new Date(newest).toISOString().slice(0, 19)}Z`;
}
