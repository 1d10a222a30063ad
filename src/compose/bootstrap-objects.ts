// What every cluster has from the start: the system namespaces, and the `kubernetes` Service with its endpoints.

import type { Client, ResourceRef } from "#client/client.ts";
import { Endpoints, EndpointSlices, Namespaces, Services } from "#client/refs.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { isApiError } from "#machinery/status.ts";

const namespaces = ["default", "kube-system", "kube-public", "kube-node-lease"];

async function createUnlessThere(
  client: Client,
  ref: ResourceRef,
  namespace: string,
  object: KubeObject,
): Promise<boolean> {
  // A look first: an object that is there holds its own address, which a second one could not have.
  try {
    await client.get(ref, namespace, object.metadata?.name ?? "");
    return false;
  } catch (error) {
    if (!isApiError(error, "NotFound")) throw error;
  }
  try {
    await client.create(ref, namespace, object);
    return true;
  } catch (error) {
    if (isApiError(error, "AlreadyExists")) return false;
    throw error;
  }
}

export async function ensureBootstrapObjects(
  client: Client,
  { clusterIp }: { clusterIp: string },
): Promise<void> {
  await Promise.all(
    namespaces.map((name) => createUnlessThere(client, Namespaces, "", { metadata: { name } })),
  );
  const service = {
    metadata: {
      name: "kubernetes",
      namespace: "default",
      labels: { component: "apiserver", provider: "kubernetes" },
    },
    spec: {
      type: "ClusterIP",
      clusterIP: clusterIp,
      clusterIPs: [clusterIp],
      ports: [{ name: "https", port: 443, targetPort: 6443, protocol: "TCP" }],
    },
  };
  await createUnlessThere(client, Services, "default", service);
}

/** The Service has no selector: the server itself says where it is reached. */
export async function keepKubernetesEndpoints(
  client: Client,
  { address, port }: { address: string; port: number },
): Promise<void> {
  const endpoints = {
    metadata: {
      name: "kubernetes",
      namespace: "default",
      labels: { "endpointslice.kubernetes.io/skip-mirror": "true" },
    },
    subsets: [{ addresses: [{ ip: address }], ports: [{ name: "https", port, protocol: "TCP" }] }],
  };
  const slice = {
    metadata: {
      name: "kubernetes",
      namespace: "default",
      labels: { "kubernetes.io/service-name": "kubernetes" },
    },
    addressType: "IPv4",
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [{ name: "https", port, protocol: "TCP" }],
  };
  if (!(await createUnlessThere(client, Endpoints, "default", endpoints))) {
    await client.patch(Endpoints, "default", "kubernetes", "merge", { subsets: endpoints.subsets });
  }
  if (!(await createUnlessThere(client, EndpointSlices, "default", slice))) {
    await client.patch(EndpointSlices, "default", "kubernetes", "merge", {
      endpoints: slice.endpoints,
      ports: slice.ports,
    });
  }
}
