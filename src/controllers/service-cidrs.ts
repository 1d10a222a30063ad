// ServiceCIDRs: a range is ready when it is there, and goes only when no Service has an address of it any more, unless
// another range has that address, too.
// Watches: servicecidrs, services.  Owns: nothing.  Writes: servicecidrs (finalizers), servicecidrs/status.

import { cidrContains, parseCidr, parseIp, type Cidr } from "#base/ip.ts";
import { timestamp } from "#base/clock.ts";
import { ServiceCIDRs, Services } from "#client/refs.ts";
import type { Condition } from "#machinery/gen/types/meta-v1.ts";
import type { Service } from "#machinery/gen/types/core-v1.ts";
import type { ServiceCIDR } from "#machinery/gen/types/networking-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { patchAction, statusAction, type Action } from "#reconcile/action.ts";
import { defineController, watching, type Plan } from "#reconcile/controller.ts";

type ReadRange = DeepReadonly<ServiceCIDR>;

const finalizer = "networking.k8s.io/service-cidr-finalizer";
/** A Service that was made at the same moment must be seen. */
const settleMs = 10_000;

export interface RangeInput {
  readonly range: ReadRange;
  readonly others: readonly ReadRange[];
  /** Of all Services. */
  readonly addresses: readonly string[];
}

const rangesOf = ({ spec }: ReadRange): Cidr[] =>
  (spec?.cidrs ?? []).flatMap((text) => parseCidr(text) ?? []);
const isLeaving = ({ metadata }: ReadRange): boolean => metadata?.deletionTimestamp !== undefined;

/** Whether addresses depend on this range alone. */
export function isNeeded({ range, others, addresses }: RangeInput): boolean {
  const own = rangesOf(range);
  const rest = others.filter((one) => !isLeaving(one)).flatMap(rangesOf);
  return addresses.some((text) => {
    const ip = parseIp(text);
    if (ip === undefined) return false;
    return own.some((one) => cidrContains(one, ip)) && !rest.some((one) => cidrContains(one, ip));
  });
}

function withReady(
  range: ReadRange,
  ready: boolean,
  reason: string,
  message: string,
  nowMs: number,
): Action[] {
  const conditions = [...(range.status?.conditions ?? [])] as Condition[];
  const at = conditions.findIndex(({ type }) => type === "Ready");
  const status = ready ? "True" : "False";
  const old = conditions[at];
  if (old?.status === status && (ready || old.message === message)) return [];
  const lastTransitionTime = timestamp(nowMs);
  const next: Condition = { type: "Ready", status, lastTransitionTime, reason, message };
  if (at < 0) conditions.push(next);
  else conditions[at] = next;
  return [statusAction(ServiceCIDRs, { ...range, status: { ...range.status, conditions } })];
}

export function planRange(input: RangeInput, nowMs: number): Plan {
  const { range } = input;
  const finalizers = range.metadata?.finalizers ?? [];
  const { uid, resourceVersion } = range.metadata ?? {};
  const withFinalizers = (list: readonly string[]): Action =>
    patchAction(
      ServiceCIDRs,
      range,
      "merge",
      { metadata: { uid, resourceVersion, finalizers: list } },
      { absentIsFine: true },
    );
  if (!isLeaving(range)) {
    if (!finalizers.includes(finalizer)) return { actions: [withFinalizers([...finalizers, finalizer])] };
    return { actions: withReady(range, true, "", "Kubernetes Service CIDR is ready", nowMs) };
  }
  if (!finalizers.includes(finalizer)) return { actions: [] };
  if (isNeeded(input)) {
    const message =
      "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR";
    return { actions: withReady(range, false, "Terminating", message, nowMs), againAfterMs: settleMs };
  }
  const leftMs = Date.parse(range.metadata?.deletionTimestamp ?? "") + settleMs - nowMs;
  if (leftMs > 0) {
    const message = "Kubernetes Service CIDR is being deleted";
    return { actions: withReady(range, false, "Terminating", message, nowMs), againAfterMs: leftMs };
  }
  return { actions: [withFinalizers(finalizers.filter((one) => one !== finalizer))] };
}

const addressesOf = ({ spec }: DeepReadonly<Service>): readonly string[] => spec?.clusterIPs ?? [];

export const serviceCidrsController = defineController<RangeInput>({
  name: "service-cidr-controller",
  owns: [],
  writes: [ServiceCIDRs],
  watches: [
    watching<ServiceCIDR>({
      ref: ServiceCIDRs,
      keys: (_range, reads) =>
        Array.from(reads.of(ServiceCIDRs).list(), ({ metadata }) => metadata?.name ?? ""),
    }),
    watching<Service>({ ref: Services, keys: () => [] }),
  ],
  read: (key, reads) => {
    const range = reads.of<ServiceCIDR>(ServiceCIDRs).get(key);
    if (range === undefined) return undefined;
    const others = [...reads.of<ServiceCIDR>(ServiceCIDRs).list()].filter(
      ({ metadata }) => metadata?.name !== key,
    );
    // All Services are only looked at for a range that is to go.
    const addresses = isLeaving(range)
      ? [...reads.of<Service>(Services).list()].flatMap((service) => addressesOf(service))
      : [];
    return { range, others, addresses };
  },
  plan: (input, { nowMs }) => planRange(input, nowMs),
});
