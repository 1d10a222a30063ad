// The ranges that Services get addresses from: the server's own, then those of the ServiceCIDRs that are ready.

import type { ClusterSettings } from "#machinery/define-resource.ts";
import type { ServiceCIDR } from "#machinery/gen/types/networking-v1.ts";
import type { Caches } from "./caches.ts";
import { storagePrefix } from "./stored-object.ts";
import { prefixEnd } from "#store/store.ts";

const storage = { group: "networking.k8s.io", resource: "servicecidrs" };

const isReady = ({ metadata, status }: ServiceCIDR): boolean =>
  metadata?.deletionTimestamp === undefined &&
  (status?.conditions ?? []).some((one) => one.type === "Ready" && one.status === "True");

/** Asked when a Service needs an address: what is ready then counts. */
export function withServiceRanges(settings: ClusterSettings, caches: Caches): ClusterSettings {
  const start = storagePrefix(storage);
  return {
    ...settings,
    get serviceClusterIpRanges() {
      const ranges = new Set(settings.serviceClusterIpRanges);
      const cache = caches.of(storage);
      if (cache.size === 0) return [...ranges];
      for (const { object } of cache.range(start, prefixEnd(start))) {
        const one = object as ServiceCIDR;
        if (!isReady(one)) continue;
        for (const cidr of one.spec?.cidrs ?? []) if (!cidr.includes(":")) ranges.add(cidr);
      }
      return [...ranges];
    },
  };
}
