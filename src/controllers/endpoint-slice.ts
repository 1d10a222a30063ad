// EndpointSlices of Services with a selector: at most 100 endpoints each, changed as little as possible.
// Watches: services, pods (by selector), nodes (zones), endpointslices (by owner).  Owns: endpointslices.
// Writes: endpointslices.

import { EndpointSlices, Nodes, Pods, Services } from "#client/refs.ts";
import type { Node, Pod, Service } from "#machinery/gen/types/core-v1.ts";
import type { Endpoint, EndpointPort, EndpointSlice } from "#machinery/gen/types/discovery-v1.ts";
import { objectKey, type DeepReadonly } from "#machinery/meta.ts";
import { matches, selectorFromMap } from "#machinery/selectors.ts";
import { createAction, deleteAction, updateAction, type Action } from "#reconcile/action.ts";
import { defineController, watching, type Plan, type Reads } from "#reconcile/controller.ts";
import {
  endpointsPerSliceMax,
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
import { isPodReady, type ReadPod } from "./pod-state.ts";

type ReadSlice = DeepReadonly<EndpointSlice>;
type ReadEndpoint = DeepReadonly<Endpoint>;
type Ports = readonly EndpointPort[];
type Family = "IPv4" | "IPv6";

const managedBy = "endpointslice.kubernetes.io/managed-by";
const manager = "endpointslice-controller.k8s.io";
const serviceName = "kubernetes.io/service-name";
const zoneLabel = "topology.kubernetes.io/zone";

export interface SliceInput {
  readonly service: ReadService;
  /** Pods that its selector matches. */
  readonly pods: readonly ReadPod[];
  /** Slices that this controller made for it. */
  readonly slices: readonly ReadSlice[];
  /** Zone by node name; a node that is missing here does not exist. */
  readonly zones: ReadonlyMap<string, string | undefined>;
}

const byName = (a: { name?: string }, b: { name?: string }): number =>
  (a.name ?? "") < (b.name ?? "") ? -1 : (a.name ?? "") > (b.name ?? "") ? 1 : 0;

function portsOf(pod: ReadPod, service: ReadService): Ports {
  return (service.spec?.ports ?? [])
    .flatMap((port): EndpointPort[] => {
      const number = targetPort(pod, port);
      if (number === undefined) return [];
      return [
        {
          name: port.name ?? "",
          port: number,
          protocol: port.protocol ?? "TCP",
          ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }),
        },
      ];
    })
    .sort(byName);
}

function endpointOf(input: SliceInput, pod: ReadPod, address: string): ReadEndpoint {
  const { service, zones } = input;
  const serving = isPodReady(pod);
  const terminating = pod.metadata?.deletionTimestamp !== undefined;
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
  const hostname = hostnameBehind(pod, service);
  const { nodeName = "" } = pod.spec ?? {};
  const zone = zones.get(nodeName);
  const { name, namespace, uid } = pod.metadata ?? {};
  return {
    addresses: [address],
    conditions: { ready, serving, terminating },
    ...(hostname === undefined ? {} : { hostname }),
    targetRef: { kind: "Pod", namespace, name, uid },
    ...(nodeName === "" ? {} : { nodeName }),
    ...(zone === undefined ? {} : { zone }),
  };
}

/** Endpoints of one address family, grouped by the ports they have. */
function desired(
  input: SliceInput,
  family: Family,
): Map<string, { ports: Ports; endpoints: ReadEndpoint[] }> {
  const groups = new Map<string, { ports: Ports; endpoints: ReadEndpoint[] }>();
  const publish = input.service.spec?.publishNotReadyAddresses === true;
  for (const pod of input.pods) {
    const { nodeName = "" } = pod.spec ?? {};
    if (!isBehindService(pod, true)) continue;
    if (nodeName !== "" && !input.zones.has(nodeName) && !publish) continue;
    const address = podAddress(pod, family);
    if (address === undefined) continue;
    const ports = portsOf(pod, input.service);
    const id = JSON.stringify(ports);
    const group = groups.get(id) ?? { ports, endpoints: [] };
    group.endpoints.push(endpointOf(input, pod, address));
    groups.set(id, group);
  }
  return groups;
}

/** An endpoint stands for a pod: the same pod at the same address. */
const identity = (endpoint: ReadEndpoint): string =>
  `${endpoint.targetRef?.uid} ${endpoint.addresses.join()}`;

/** Field order does not count, neither does an empty value against an absent one. */
const fingerprint = (endpoint: ReadEndpoint): string => {
  const { addresses, conditions, hostname, targetRef, nodeName, zone } = endpoint;
  const { ready, serving, terminating } = conditions ?? {};
  const { kind, namespace, name, uid } = targetRef ?? {};
  const shown = [
    addresses,
    ready,
    serving,
    terminating,
    hostname,
    kind,
    namespace,
    name,
    uid,
    nodeName,
    zone,
  ];
  return JSON.stringify(shown);
};

interface Filling {
  readonly slice: ReadSlice;
  endpoints: readonly ReadEndpoint[];
  changed: boolean;
}

/**
 * Fits endpoints into the slices that exist: drop and refresh in place; fill up slices that change anyway;
 * then one slice that takes all the rest, if there is one; what is left over needs new slices.
 */
function fit(
  slices: readonly ReadSlice[],
  wanted: readonly ReadEndpoint[],
): { filled: Filling[]; rest: ReadEndpoint[] } {
  const left = new Map(wanted.map((endpoint) => [identity(endpoint), endpoint]));
  const filled = slices.map((slice): Filling => {
    const kept: ReadEndpoint[] = [];
    let changed = false;
    for (const endpoint of slice.endpoints ?? []) {
      const now = left.get(identity(endpoint));
      left.delete(identity(endpoint));
      if (now === undefined || fingerprint(now) !== fingerprint(endpoint)) changed = true;
      if (now !== undefined) kept.push(now);
    }
    return { slice, endpoints: kept, changed };
  });
  let rest = [...left.values()];
  for (const filling of filled.filter(({ changed }) => changed)) {
    const room = endpointsPerSliceMax - filling.endpoints.length;
    filling.endpoints = [...filling.endpoints, ...rest.slice(0, room)];
    rest = rest.slice(room);
  }
  const over = rest.length % endpointsPerSliceMax;
  const last = filled
    .filter(({ endpoints }) => endpoints.length + over <= endpointsPerSliceMax)
    .sort((a, b) => b.endpoints.length - a.endpoints.length)[0];
  if (over > 0 && last !== undefined) {
    last.endpoints = [...last.endpoints, ...rest.slice(rest.length - over)];
    last.changed = true;
    rest = rest.slice(0, rest.length - over);
  }
  return { filled, rest };
}

function labelsOf(service: ReadService): Record<string, string> {
  const own = Object.entries(service.metadata?.labels ?? {}).filter(
    ([key]) => key !== managedBy && key !== serviceName && key !== headlessLabel,
  );
  return {
    ...Object.fromEntries(own),
    [serviceName]: service.metadata?.name ?? "",
    [managedBy]: manager,
    ...(isHeadless(service) ? { [headlessLabel]: "" } : {}),
  };
}

const sameLabels = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean =>
  Object.keys(a).length === Object.keys(b).length &&
  Object.entries(a).every(([key, value]) => b[key] === value);

function newSlice(
  input: SliceInput,
  family: Family,
  ports: Ports,
  endpoints: readonly ReadEndpoint[],
): ReadSlice {
  const { name = "", namespace, uid = "" } = input.service.metadata ?? {};
  const trigger = lastTrigger(input.service, input.pods);
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      generateName: `${name}-`,
      namespace,
      labels: labelsOf(input.service),
      ...(trigger === undefined ? {} : { annotations: { [lastChangeAnnotation]: trigger } }),
      ownerReferences: [
        { apiVersion: "v1", kind: "Service", name, uid, controller: true, blockOwnerDeletion: true },
      ],
    },
    addressType: family,
    endpoints,
    ports,
  };
}

/** The slice as it must be, keeping its name and what others wrote into its metadata. */
function rewritten(
  input: SliceInput,
  slice: ReadSlice,
  ports: Ports,
  endpoints: readonly ReadEndpoint[],
): ReadSlice {
  const trigger = lastTrigger(input.service, input.pods);
  const annotations = {
    ...slice.metadata?.annotations,
    ...(trigger === undefined ? {} : { [lastChangeAnnotation]: trigger }),
  };
  return {
    ...slice,
    metadata: { ...slice.metadata, labels: labelsOf(input.service), annotations },
    ports,
    endpoints,
  };
}

function planFamily(input: SliceInput, family: Family): Action[] {
  const groups = desired(input, family);
  const byPorts = new Map<string, ReadSlice[]>();
  for (const slice of input.slices) {
    if (slice.addressType !== family) continue;
    const id = JSON.stringify(canonicalPorts(slice.ports ?? []));
    byPorts.set(id, [...(byPorts.get(id) ?? []), slice]);
  }
  // One empty slice tells that the Service is looked after and has no endpoints.
  if (groups.size === 0) groups.set("[]", { ports: [], endpoints: [] });
  const creates: ReadSlice[] = [];
  const updates: ReadSlice[] = [];
  const spare: ReadSlice[] = [];
  const labels = labelsOf(input.service);
  for (const [id, { ports, endpoints }] of groups) {
    const { filled, rest } = fit(byPorts.get(id) ?? [], endpoints);
    byPorts.delete(id);
    const isPlaceholder = endpoints.length === 0;
    for (const [at, { slice, endpoints: now, changed }] of filled.entries()) {
      if (now.length === 0 && !(isPlaceholder && at === 0)) spare.push(slice);
      else if (changed || !sameLabels(slice.metadata?.labels ?? {}, labels))
        updates.push(rewritten(input, slice, ports, now));
    }
    for (let from = 0; from < rest.length; from += endpointsPerSliceMax)
      creates.push(newSlice(input, family, ports, rest.slice(from, from + endpointsPerSliceMax)));
    if (isPlaceholder && filled.length === 0) creates.push(newSlice(input, family, [], []));
  }
  for (const slices of byPorts.values()) spare.push(...slices);
  // Rather than delete one and create another, reuse.
  while (creates.length > 0 && spare.length > 0) {
    const [slice, create] = [spare.shift(), creates.shift()];
    if (slice !== undefined && create !== undefined)
      updates.push(rewritten(input, slice, (create.ports ?? []) as Ports, create.endpoints ?? []));
  }
  return [
    ...creates.map((slice) => createAction(EndpointSlices, slice)),
    ...spare.map((slice) => deleteAction(EndpointSlices, slice)),
    ...updates.map((slice) => updateAction(EndpointSlices, slice)),
  ];
}

const canonicalPorts = (ports: readonly DeepReadonly<EndpointPort>[]): Ports =>
  ports
    .map((port) => ({
      name: port.name ?? "",
      port: port.port ?? 0,
      protocol: port.protocol ?? "TCP",
      ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }),
    }))
    .sort(byName);

export function planSlices(input: SliceInput): Plan {
  const { service, slices } = input;
  if (!hasManagedEndpoints(service) || service.metadata?.deletionTimestamp !== undefined)
    return { actions: [] };
  const families = (service.spec?.ipFamilies ?? ["IPv4"]) as readonly Family[];
  const foreign = slices.filter((slice) => !(families as readonly string[]).includes(slice.addressType));
  return {
    actions: [
      ...families.flatMap((family) => planFamily(input, family)),
      ...foreign.map((slice) => deleteAction(EndpointSlices, slice)),
    ],
  };
}

/** Services whose selector matches the pod. */
export function servicesOf(pod: ReadPod, reads: Reads): string[] {
  const inNamespace = reads.of<Service>(Services).byIndex("namespace", pod.metadata?.namespace ?? "");
  return inNamespace
    .filter(
      (service) =>
        hasManagedEndpoints(service) &&
        matches(selectorFromMap(service.spec?.selector), pod.metadata?.labels),
    )
    .map((service) => objectKey(service));
}

export function podsBehind(service: ReadService, reads: Reads): ReadPod[] {
  const selector = selectorFromMap(service.spec?.selector);
  return reads
    .of<Pod>(Pods)
    .byIndex("namespace", service.metadata?.namespace ?? "")
    .filter((pod) => matches(selector, pod.metadata?.labels));
}

export const byNamespace = {
  namespace: (object: DeepReadonly<{ metadata?: { namespace?: string } }>): string[] => [
    object.metadata?.namespace ?? "",
  ],
};

export const endpointSliceController = defineController<SliceInput>({
  name: "endpointslice-controller",
  owns: [EndpointSlices],
  writes: [EndpointSlices],
  watches: [
    watching<Service>({ ref: Services, indexes: byNamespace, keys: (service) => [objectKey(service)] }),
    watching<Pod>({ ref: Pods, indexes: byNamespace, keys: servicesOf }),
    watching<Node>({ ref: Nodes, keys: servicesOnNode }),
    watching<EndpointSlice>({
      ref: EndpointSlices,
      indexes: {
        "managed-for-service": ({ metadata }) =>
          metadata?.labels?.[managedBy] === manager
            ? [`${metadata.namespace}/${metadata.labels[serviceName] ?? ""}`]
            : [],
      },
      keys: ({ metadata }) =>
        metadata?.labels?.[managedBy] === manager
          ? [`${metadata.namespace}/${metadata.labels[serviceName] ?? ""}`]
          : [],
    }),
  ],
  read: (key, reads) => {
    const service = reads.of<Service>(Services).get(key);
    if (service === undefined) return undefined;
    const slices = reads
      .of<EndpointSlice>(EndpointSlices)
      .byIndex("managed-for-service", key)
      .filter((slice) => slice.metadata?.deletionTimestamp === undefined);
    const zones = new Map<string, string | undefined>();
    const pods = podsBehind(service, reads);
    for (const pod of pods) {
      const node = reads.of<Node>(Nodes).get(pod.spec?.nodeName ?? "");
      if (node !== undefined) zones.set(node.metadata?.name ?? "", node.metadata?.labels?.[zoneLabel]);
    }
    return { service, pods, slices, zones };
  },
  plan: planSlices,
});

/** A node that appears, vanishes or moves to another zone concerns the Services of its pods; a heartbeat does not. */
function servicesOnNode(
  node: DeepReadonly<Node>,
  reads: Reads,
  other: DeepReadonly<Node> | undefined,
): Iterable<string> {
  if (other !== undefined && other.metadata?.labels?.[zoneLabel] === node.metadata?.labels?.[zoneLabel])
    return [];
  const keys = new Set<string>();
  for (const pod of reads.of<Pod>(Pods).list())
    if (pod.spec?.nodeName === node.metadata?.name) for (const key of servicesOf(pod, reads)) keys.add(key);
  return keys;
}
