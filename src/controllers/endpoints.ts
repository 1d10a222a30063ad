// Endpoints of Services with a selector: the older form of endpoint slices, at most 1000 addresses.
// Watches: services, pods (by selector), endpoints (by name).  Owns: nothing.  Writes: endpoints.

import { Endpoints as EndpointsRef, Pods, Services } from "#client/refs.ts";
import type {
  EndpointAddress,
  EndpointPort,
  Endpoints,
  EndpointSubset,
  Pod,
  Service,
} from "#machinery/gen/types/core-v1.ts";
import { objectKey, type DeepReadonly } from "#machinery/meta.ts";
import { createAction, deleteAction, updateAction, type Action } from "#reconcile/action.ts";
import { defineController, watching, type Plan } from "#reconcile/controller.ts";
import {
  hasManagedEndpoints,
  headlessLabel,
  hostnameBehind,
  isBehindService,
  isHeadless,
  lastChangeAnnotation,
  lastTrigger,
  podAddress,
  targetPort,
  type ReadService,
} from "./endpoint-source.ts";
import { byNamespace, podsBehind, servicesOf } from "./endpoint-slice.ts";
import { isPodReady, type ReadPod } from "./pod-state.ts";

const addressesMax = 1000;
const overCapacity = "endpoints.kubernetes.io/over-capacity";
const managedBy = "endpoints.kubernetes.io/managed-by";
const manager = "endpoint-controller";

/** Key prefix: the Service was deleted just now, so its Endpoints go, whoever made them. */
const gone = "gone:";

export interface EndpointsInput {
  readonly service: ReadService | undefined;
  readonly wasDeleted: boolean;
  readonly pods: readonly ReadPod[];
  readonly found: DeepReadonly<Endpoints> | undefined;
}

interface Address {
  readonly address: EndpointAddress;
  readonly ready: boolean;
  readonly ports: EndpointPort[];
}

function addressOf(service: ReadService, pod: ReadPod, ip: string): EndpointAddress {
  const hostname = hostnameBehind(pod, service);
  const { nodeName = "" } = pod.spec ?? {};
  const { name, namespace, uid } = pod.metadata ?? {};
  return {
    ip,
    ...(hostname === undefined ? {} : { hostname }),
    ...(nodeName === "" ? {} : { nodeName }),
    targetRef: { kind: "Pod", namespace, name, uid },
  };
}

function addresses(service: ReadService, pods: readonly ReadPod[]): Address[] {
  const publish = service.spec?.publishNotReadyAddresses === true;
  const family = service.spec?.ipFamilies?.[0] === "IPv6" ? "IPv6" : "IPv4";
  const ports = service.spec?.ports ?? [];
  return pods.flatMap((pod): Address[] => {
    const ip = podAddress(pod, family);
    if (ip === undefined || !isBehindService(pod, publish)) return [];
    const open = ports.flatMap((port): EndpointPort[] => {
      const number = targetPort(pod, port);
      if (number === undefined) return [];
      return [
        {
          ...((port.name ?? "") === "" ? {} : { name: port.name }),
          port: number,
          protocol: port.protocol ?? "TCP",
          ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }),
        },
      ];
    });
    if (open.length === 0 && !(ports.length === 0 && isHeadless(service))) return [];
    return [{ address: addressOf(service, pod, ip), ready: publish || isPodReady(pod), ports: open }];
  });
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Keeps at most 1000 addresses, ready ones first. */
function truncate(all: readonly Address[]): Address[] {
  const sorted = [...all].sort(
    (a, b) => compareText(a.address.ip, b.address.ip) || compareText(refUid(a), refUid(b)),
  );
  if (sorted.length <= addressesMax) return sorted;
  const ready = sorted.filter((one) => one.ready);
  const others = sorted.filter((one) => !one.ready);
  return [...ready, ...others].slice(0, addressesMax);
}

const refUid = ({ address }: Address): string => address.targetRef?.uid ?? "";

/** One subset per set of ports. */
function subsetsOf(all: readonly Address[]): EndpointSubset[] {
  const subsets = new Map<
    string,
    { ports: EndpointPort[]; ready: EndpointAddress[]; others: EndpointAddress[] }
  >();
  for (const { address, ready, ports } of all) {
    const sorted = [...ports].sort((a, b) => compareText(JSON.stringify(a), JSON.stringify(b)));
    const id = JSON.stringify(sorted);
    const subset = subsets.get(id) ?? { ports: sorted, ready: [], others: [] };
    (ready ? subset.ready : subset.others).push(address);
    subsets.set(id, subset);
  }
  return [...subsets.entries()]
    .sort(([a], [b]) => compareText(a, b))
    .map(([, { ports, ready, others }]) => ({
      ...(ready.length === 0 ? {} : { addresses: ready }),
      ...(others.length === 0 ? {} : { notReadyAddresses: others }),
      ...(ports.length === 0 ? {} : { ports }),
    }));
}

/** Order of fields, and empty against absent, do not count. */
function fingerprint(subsets: DeepReadonly<EndpointSubset[]>): string {
  const one = (address: DeepReadonly<EndpointAddress>): unknown => [
    address.ip,
    address.hostname ?? "",
    address.nodeName ?? "",
    address.targetRef?.name ?? "",
    address.targetRef?.uid ?? "",
  ];
  return JSON.stringify(
    subsets.map(({ addresses: ready = [], notReadyAddresses: others = [], ports = [] }) => [
      ready.map(one),
      others.map(one),
      ports.map((port) => [port.name ?? "", port.port, port.protocol ?? "TCP", port.appProtocol ?? ""]),
    ]),
  );
}

function sameMap(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  return (
    Object.keys(a).length === Object.keys(b).length &&
    Object.entries(a).every(([key, value]) => b[key] === value)
  );
}

export function planEndpoints({ service, wasDeleted, pods, found }: EndpointsInput): Plan {
  if (service === undefined) {
    // Endpoints made by hand, before their Service, are not ours to delete.
    const goes = wasDeleted || found?.metadata?.labels?.[managedBy] === manager;
    return { actions: found !== undefined && goes ? [deleteAction(EndpointsRef, found)] : [] };
  }
  if (!hasManagedEndpoints(service) || service.metadata?.deletionTimestamp !== undefined)
    return { actions: [] };
  const all = addresses(service, pods);
  const subsets = subsetsOf(truncate(all));
  const isTruncated = all.length > addressesMax;
  const { [headlessLabel]: _, ...own } = service.metadata?.labels ?? {};
  const labels = { ...own, [managedBy]: manager, ...(isHeadless(service) ? { [headlessLabel]: "" } : {}) };
  const isSame =
    found !== undefined &&
    fingerprint(found.subsets ?? []) === fingerprint(subsets) &&
    sameMap(found.metadata?.labels ?? {}, labels) &&
    (found.metadata?.annotations?.[overCapacity] === "truncated") === isTruncated;
  if (isSame) return { actions: [] };
  return { actions: [write(service, pods, found, { labels, subsets, isTruncated })] };
}

function write(
  service: ReadService,
  pods: readonly ReadPod[],
  found: DeepReadonly<Endpoints> | undefined,
  wanted: { labels: Record<string, string>; subsets: EndpointSubset[]; isTruncated: boolean },
): Action {
  const {
    [overCapacity]: _capacity,
    [lastChangeAnnotation]: _trigger,
    ...kept
  } = found?.metadata?.annotations ?? {};
  const trigger = lastTrigger(service, pods);
  const annotations = {
    ...kept,
    ...(trigger === undefined ? {} : { [lastChangeAnnotation]: trigger }),
    ...(wanted.isTruncated ? { [overCapacity]: "truncated" } : {}),
  };
  const { name, namespace } = service.metadata ?? {};
  const object = {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: { ...found?.metadata, name, namespace, labels: wanted.labels, annotations },
    ...(wanted.subsets.length === 0 ? {} : { subsets: wanted.subsets }),
  };
  return found === undefined ? createAction(EndpointsRef, object) : updateAction(EndpointsRef, object);
}

export const endpointsController = defineController<EndpointsInput>({
  name: "endpoints-controller",
  owns: [],
  writes: [EndpointsRef],
  watches: [
    watching<Service>({
      ref: Services,
      indexes: byNamespace,
      keys: (service, reads) => {
        const key = objectKey(service);
        return [reads.of<Service>(Services).get(key) === undefined ? gone + key : key];
      },
    }),
    watching<Pod>({ ref: Pods, indexes: byNamespace, keys: servicesOf }),
    watching<Endpoints>({ ref: EndpointsRef, keys: (endpoints) => [objectKey(endpoints)] }),
  ],
  read: (workKey, reads) => {
    const wasDeleted = workKey.startsWith(gone);
    const key = wasDeleted ? workKey.slice(gone.length) : workKey;
    const service = reads.of<Service>(Services).get(key);
    const found = reads.of<Endpoints>(EndpointsRef).get(key);
    return { service, wasDeleted, pods: service === undefined ? [] : podsBehind(service, reads), found };
  },
  plan: planEndpoints,
});
