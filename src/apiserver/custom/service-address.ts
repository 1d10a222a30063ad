// Where a webhook's Service is reached from here: a ready endpoint of it, or its cluster IP.

import type { Service } from "#machinery/gen/types/core-v1.ts";
import type { EndpointSlice } from "#machinery/gen/types/discovery-v1.ts";
import type { Random } from "#base/random.ts";
import { prefixEnd } from "#store/store.ts";
import type { Caches } from "../caches.ts";
import { storageKey, storagePrefix } from "../stored-object.ts";

const services = { group: "", resource: "services" };
const slices = { group: "discovery.k8s.io", resource: "endpointslices" };
const ofService = "kubernetes.io/service-name";

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Throws where there is no such Service, or nobody behind it. */
export function serviceAddress(
  caches: Caches,
  random: Random,
  { namespace, name, port }: { namespace: string; name: string; port: number },
): Address {
  const found = caches.of(services).get(storageKey(services, namespace, name));
  if (found === undefined) throw new Error(`service ${JSON.stringify(name)} not found`);
  const { spec = {} } = found.object as Service;
  if (spec.type === "ExternalName") return { host: spec.externalName ?? "", port };
  const servicePort = spec.ports?.find((one) => one.port === port);
  if (servicePort === undefined)
    throw new Error(`no service port ${port} found for service ${JSON.stringify(name)}`);
  const prefix = `${storagePrefix(slices)}${namespace}/`;
  const ready: Address[] = [];
  for (const cached of caches.of(slices).range(prefix, prefixEnd(prefix))) {
    const slice = cached.object as unknown as EndpointSlice;
    if (slice.metadata?.labels?.[ofService] !== name) continue;
    const target = slice.ports?.find((one) => (one.name ?? "") === (servicePort.name ?? ""))?.port;
    if (target === undefined) continue;
    for (const { addresses, conditions } of slice.endpoints ?? [])
      if (conditions?.ready !== false) ready.push(...addresses.map((host) => ({ host, port: target })));
  }
  const chosen = ready[ready.length === 0 ? 0 : random.integer(ready.length)];
  if (chosen !== undefined) return chosen;
  const { clusterIP = "" } = spec;
  if (clusterIP === "" || clusterIP === "None")
    throw new Error(`no endpoints available for service ${JSON.stringify(name)}`);
  return { host: clusterIP, port };
}
