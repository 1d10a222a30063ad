// Which load-balancer address each Service gets from the pool. Pure: Services in, assignments out.

import type { DeepReadonly } from "#machinery/meta.ts";
import { objectKey } from "#machinery/meta.ts";
import type { Service } from "#machinery/gen/types/core-v1.ts";

export interface Pool {
  readonly first: string;
  readonly last: string;
}

export type Assignment =
  | { readonly key: string; readonly action: "assign"; readonly ip: string }
  | { readonly key: string; readonly action: "release" }
  | { readonly key: string; readonly action: "exhausted"; readonly why: string };

export function toNumber(ip: string): number {
  return ip.split(".").reduce((value, part) => value * 256 + Number(part), 0);
}

export function toIp(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

const contains = (pool: Pool, ip: string): boolean =>
  /^\d+\.\d+\.\d+\.\d+$/.test(ip) &&
  toNumber(pool.first) <= toNumber(ip) &&
  toNumber(ip) <= toNumber(pool.last);

const assigned = (service: DeepReadonly<Service>): string[] =>
  (service.status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip ?? "").filter((ip) => ip !== "");

/** Ours to serve: type LoadBalancer, no other implementation's class, not going away. */
const wantsAddress = (service: DeepReadonly<Service>): boolean =>
  service.spec?.type === "LoadBalancer" &&
  !service.spec.loadBalancerClass &&
  service.metadata?.deletionTimestamp === undefined;

/**
 * What has to change. A Service keeps a usable address for ever; `spec.loadBalancerIP` is honoured when it is in the
 * pool and free; two Services never share one (the older keeps it).
 */
export function planAddresses(services: Iterable<DeepReadonly<Service>>, pool: Pool): Assignment[] {
  const actions: Assignment[] = [];
  const taken = new Set<string>();
  const waiting: DeepReadonly<Service>[] = [];
  const byAge = [...services].sort((a, b) => {
    const [x, y] = [a, b].map((one) => `${one.metadata?.creationTimestamp ?? ""} ${objectKey(one)}`) as [
      string,
      string,
    ];
    return x < y ? -1 : 1;
  });
  for (const service of byAge) {
    const current = assigned(service);
    if (!wantsAddress(service)) {
      if (current.length > 0 && !service.spec?.loadBalancerClass)
        actions.push({ key: objectKey(service), action: "release" });
      continue;
    }
    const [ip] = current;
    const requested = service.spec?.loadBalancerIP;
    const good =
      current.length === 1 &&
      ip !== undefined &&
      contains(pool, ip) &&
      !taken.has(ip) &&
      (!requested || requested === ip);
    if (good) taken.add(ip);
    else waiting.push(service);
  }
  let next = toNumber(pool.first);
  for (const service of waiting) {
    const key = objectKey(service);
    const requested = service.spec?.loadBalancerIP;
    if (requested) {
      if (!contains(pool, requested)) {
        actions.push({
          key,
          action: "exhausted",
          why: `requested address ${requested} is not in the pool ${pool.first}-${pool.last}`,
        });
      } else if (taken.has(requested)) {
        actions.push({
          key,
          action: "exhausted",
          why: `requested address ${requested} belongs to another Service`,
        });
      } else {
        taken.add(requested);
        actions.push({ key, action: "assign", ip: requested });
      }
      continue;
    }
    while (next <= toNumber(pool.last) && taken.has(toIp(next))) next++;
    if (next > toNumber(pool.last)) {
      actions.push({
        key,
        action: "exhausted",
        why: `no address is free in the pool ${pool.first}-${pool.last}`,
      });
      continue;
    }
    taken.add(toIp(next));
    actions.push({ key, action: "assign", ip: toIp(next) });
  }
  return actions;
}
