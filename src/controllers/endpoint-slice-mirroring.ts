// EndpointSlices for Endpoints that somebody writes by hand, for Services without a selector.
// Watches: services, endpoints, endpointslices (by name of the Service).  Owns: endpointslices.  Writes: endpointslices.

import { isDeepStrictEqual } from "node:util";
import { Endpoints as EndpointsRef, EndpointSlices, Services } from "#client/refs.ts";
import type { EndpointAddress, Endpoints, Service } from "#machinery/gen/types/core-v1.ts";
import type { Endpoint, EndpointPort, EndpointSlice } from "#machinery/gen/types/discovery-v1.ts";
import { objectKey, type DeepReadonly } from "#machinery/meta.ts";
import { createAction, deleteAction, referenceTo, updateAction, type Action } from "#reconcile/action.ts";
import { defineController, watching, type Plan } from "#reconcile/controller.ts";
import { ownerReference } from "./ownership.ts";

type ReadSlice = DeepReadonly<EndpointSlice>;
type ReadEndpoints = DeepReadonly<Endpoints>;

const managedBy = "endpointslice.kubernetes.io/managed-by";
const manager = "endpointslicemirroring-controller.k8s.io";
const serviceName = "kubernetes.io/service-name";
const skipMirror = "endpointslice.kubernetes.io/skip-mirror";
const leader = "control-plane.alpha.kubernetes.io/leader";
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";
/** `--mirroring-max-endpoints-per-subset` */
const endpointsPerSubsetMax = 1000;

export interface MirrorInput {
  readonly service: DeepReadonly<Service> | undefined;
  readonly endpoints: ReadEndpoints | undefined;
  /** Those that this controller made for the Service. */
  readonly slices: readonly ReadSlice[];
}

/** Endpoints with a selector behind them, a lock's, and those that ask for it have no mirror. */
function isMirrored({ service, endpoints }: MirrorInput): boolean {
  if (service === undefined || endpoints === undefined) return false;
  const { labels, annotations, deletionTimestamp } = endpoints.metadata ?? {};
  return (
    Object.keys(service.spec?.selector ?? {}).length === 0 &&
    service.metadata?.deletionTimestamp === undefined &&
    deletionTimestamp === undefined &&
    labels?.[skipMirror] !== "true" &&
    annotations?.[leader] === undefined
  );
}

interface Wanted {
  readonly addressType: "IPv4" | "IPv6";
  readonly ports: EndpointPort[];
  readonly endpoints: Endpoint[];
}

function endpointOf(
  { ip, hostname, nodeName, targetRef }: DeepReadonly<EndpointAddress>,
  ready: boolean,
): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname === undefined || hostname === "" ? {} : { hostname }),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(targetRef === undefined ? {} : { targetRef: { ...targetRef } }),
  };
}

/** One slice per subset and family; subsets with the same ports share it. */
function wantedSlices({ subsets = [] }: ReadEndpoints): { slices: Wanted[]; left: number } {
  const slices = new Map<string, Wanted>();
  let left = 0;
  for (const { addresses = [], notReadyAddresses = [], ports: given = [] } of subsets) {
    const ports = given.map(({ name = "", port, protocol = "TCP", appProtocol }) => ({
      name,
      port,
      protocol,
      ...(appProtocol === undefined ? {} : { appProtocol }),
    }));
    const all = [
      ...addresses.map((one) => endpointOf(one, true)),
      ...notReadyAddresses.map((one) => endpointOf(one, false)),
    ];
    left += Math.max(0, all.length - endpointsPerSubsetMax);
    for (const endpoint of all.slice(0, endpointsPerSubsetMax)) {
      const addressType = endpoint.addresses?.[0]?.includes(":") === true ? "IPv6" : "IPv4";
      const id = `${addressType} ${JSON.stringify(ports)}`;
      const slice = slices.get(id) ?? { addressType, ports, endpoints: [] };
      slice.endpoints.push(endpoint);
      slices.set(id, slice);
    }
  }
  return { slices: [...slices.values()], left };
}

function metadataOf(
  endpoints: ReadEndpoints,
): Required<Pick<NonNullable<EndpointSlice["metadata"]>, "labels" | "annotations" | "ownerReferences">> {
  const { name = "", labels, annotations } = endpoints.metadata ?? {};
  const { [lastApplied]: _l, ...kept } = annotations ?? {};
  return {
    labels: { ...labels, [managedBy]: manager, [serviceName]: name },
    annotations: kept,
    ownerReferences: [ownerReference(EndpointsRef, endpoints)],
  };
}

function sliceOf(endpoints: ReadEndpoints, { addressType, ports, endpoints: own }: Wanted): EndpointSlice {
  const { name = "", namespace = "" } = endpoints.metadata ?? {};
  const { annotations, ...metadata } = metadataOf(endpoints);
  const noted = Object.keys(annotations).length === 0 ? {} : { annotations };
  return {
    metadata: { generateName: `${name}-`, namespace, ...metadata, ...noted },
    addressType,
    ports,
    endpoints: own,
  };
}

/** A slice that is for the same ports and family is changed; any other is made anew. */
export function planMirror(input: MirrorInput): Plan {
  const { endpoints, slices } = input;
  if (!isMirrored(input)) return { actions: slices.map((slice) => deleteAction(EndpointSlices, slice)) };
  const mirrored = endpoints as ReadEndpoints;
  const { slices: wanted, left } = wantedSlices(mirrored);
  const spare = [...slices];
  const creates: Action[] = [];
  const updates: Action[] = [];
  for (const one of wanted) {
    const next = sliceOf(mirrored, one);
    const at = spare.findIndex(
      (slice) => slice.addressType === one.addressType && isDeepStrictEqual(slice.ports ?? [], one.ports),
    );
    const [found] = at < 0 ? [] : spare.splice(at, 1);
    if (found === undefined) {
      creates.push(createAction(EndpointSlices, next));
      continue;
    }
    const { labels, annotations, ownerReferences } = found.metadata ?? {};
    const isSame =
      isDeepStrictEqual(found.endpoints ?? [], one.endpoints) &&
      isDeepStrictEqual(labels, next.metadata?.labels) &&
      isDeepStrictEqual(annotations ?? {}, next.metadata?.annotations ?? {}) &&
      isDeepStrictEqual(ownerReferences, next.metadata?.ownerReferences);
    if (isSame) continue;
    const { generateName: _g, ...metadata } = next.metadata ?? {};
    const { annotations: _a, ...kept } = found.metadata ?? {};
    updates.push(updateAction(EndpointSlices, { ...found, ...next, metadata: { ...kept, ...metadata } }));
  }
  const deletes = spare.map((slice) => deleteAction(EndpointSlices, slice));
  const writes = [...deletes, ...updates, ...creates];
  if (left === 0 || writes.length === 0) return { actions: writes };
  const about = referenceTo(EndpointsRef, mirrored);
  const message = `A max of ${endpointsPerSubsetMax} addresses can be mirrored to EndpointSlices per Endpoints subset. ${left} addresses were skipped`;
  return {
    actions: [
      ...writes,
      { do: "event", about, type: "Warning", reason: "TooManyAddressesToMirror", message },
    ],
  };
}

export const endpointSliceMirroringController = defineController<MirrorInput>({
  name: "endpointslicemirroring-controller",
  owns: [EndpointSlices],
  writes: [EndpointSlices],
  watches: [
    watching<Service>({ ref: Services, keys: (service) => [objectKey(service)] }),
    watching<Endpoints>({ ref: EndpointsRef, keys: (endpoints) => [objectKey(endpoints)] }),
    watching<EndpointSlice>({
      ref: EndpointSlices,
      indexes: {
        mirrored: ({ metadata }) =>
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
  read: (key, reads) => ({
    service: reads.of<Service>(Services).get(key),
    endpoints: reads.of<Endpoints>(EndpointsRef).get(key),
    slices: reads.of<EndpointSlice>(EndpointSlices).byIndex("mirrored", key),
  }),
  plan: planMirror,
});
