// The Service `default/kubernetes`, its Endpoints and its EndpointSlice: how pods reach this API server. Whoever
// deletes or changes them finds them back. Part of the API server: it runs whatever `--controllers` says.
// Watches: services, endpoints and endpointslices of that name.  Owns: nothing.  Writes: the three.

import { isDeepStrictEqual } from "node:util";
import { Endpoints, EndpointSlices, Services } from "#client/refs.ts";
import type { Endpoints as EndpointsObject, Service } from "#machinery/gen/types/core-v1.ts";
import type { EndpointSlice } from "#machinery/gen/types/discovery-v1.ts";
import type { DeepReadonly, KubeObject } from "#machinery/meta.ts";
import { createAction, patchAction, type Action } from "#reconcile/action.ts";
import { defineController, watching, type ControllerDefinition, type Plan } from "#reconcile/controller.ts";
import type { ResourceRef } from "#client/client.ts";

const name = "kubernetes";
const namespace = "default";
const key = `${namespace}/${name}`;

/** Where this API server is reached, and the address that the Service has: the first of the service range. */
export interface ApiServerAddress {
  readonly clusterIp: string;
  readonly address: string;
  readonly port: number;
}

export interface KubernetesServiceInput {
  readonly service: DeepReadonly<Service> | undefined;
  readonly endpoints: DeepReadonly<EndpointsObject> | undefined;
  readonly slice: DeepReadonly<EndpointSlice> | undefined;
}

const servicePorts = [{ name: "https", port: 443, protocol: "TCP", targetPort: 6443 }];

/** The Service as it is created. */
export const kubernetesService = (clusterIp: string): Service => ({
  metadata: { name, namespace, labels: { component: "apiserver", provider: "kubernetes" } },
  spec: { type: "ClusterIP", clusterIP: clusterIp, clusterIPs: [clusterIp], ports: servicePorts },
});

/** `found` with the fields of `wanted` as they must be: created when absent, patched when one differs. */
function keep(
  ref: ResourceRef,
  found: DeepReadonly<KubeObject> | undefined,
  wanted: KubeObject,
  fields: Readonly<Record<string, unknown>>,
): Action[] {
  if (found === undefined) return [createAction(ref, wanted, { existsIsFine: true })];
  if (found.metadata?.deletionTimestamp !== undefined) return [];
  const asIs = found as Readonly<Record<string, unknown>>;
  const differs = Object.entries(fields).some(([field, value]) => !isDeepStrictEqual(asIs[field], value));
  return differs ? [patchAction(ref, found, "merge", fields)] : [];
}

export function planKubernetesService(
  { service, endpoints, slice }: KubernetesServiceInput,
  { clusterIp, address, port }: ApiServerAddress,
): Plan {
  const portsDiffer = !isDeepStrictEqual(service?.spec?.ports, servicePorts);
  const ports = [{ name: "https", port, protocol: "TCP" }];
  const subsets = [{ addresses: [{ ip: address }], ports }];
  const sliceFields = { endpoints: [{ addresses: [address], conditions: { ready: true } }], ports };
  return {
    actions: [
      ...(service === undefined
        ? [createAction(Services, kubernetesService(clusterIp), { existsIsFine: true })]
        : portsDiffer
          ? [patchAction(Services, service, "merge", { spec: { ports: servicePorts } })]
          : []),
      ...keep(
        Endpoints,
        endpoints,
        {
          metadata: { name, namespace, labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } },
          subsets,
        } as KubeObject,
        { subsets },
      ),
      ...keep(
        EndpointSlices,
        slice,
        {
          metadata: { name, namespace, labels: { "kubernetes.io/service-name": name } },
          addressType: address.includes(":") ? "IPv6" : "IPv4",
          ...sliceFields,
        } as KubeObject,
        sliceFields,
      ),
    ],
  };
}

export function kubernetesServiceController(address: ApiServerAddress): ControllerDefinition {
  const options = { fieldSelector: `metadata.name=${name}` };
  const keys = ({ metadata }: DeepReadonly<KubeObject>): string[] =>
    metadata?.namespace === namespace ? [key] : [];
  return defineController<KubernetesServiceInput>({
    name: "kubernetes-service-controller",
    owns: [],
    writes: [Services, Endpoints, EndpointSlices],
    watches: [
      watching<Service>({ ref: Services, options, keys }),
      watching<EndpointsObject>({ ref: Endpoints, options, keys }),
      watching<EndpointSlice>({ ref: EndpointSlices, options, keys }),
    ],
    read: (_key, reads) => ({
      service: reads.of<Service>(Services).get(key),
      endpoints: reads.of<EndpointsObject>(Endpoints).get(key),
      slice: reads.of<EndpointSlice>(EndpointSlices).get(key),
    }),
    plan: (input) => planKubernetesService(input, address),
  });
}
