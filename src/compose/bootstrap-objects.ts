// What must be there before anybody is answered: the system namespaces, the system's priority classes, and the
// `kubernetes` Service, which holds the first address of its range. Controllers keep the first and the last.

import type { Client, ResourceRef } from "#client/client.ts";
import { Namespaces, PriorityClasses, Services } from "#client/refs.ts";
import { kubernetesService } from "#controllers/kubernetes-service.ts";
import { systemNamespaces } from "#controllers/system-namespaces.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { isApiError } from "#machinery/status.ts";
import { systemPriorityClasses } from "#resources/scheduling/priority-class.ts";

async function createUnlessThere(
  client: Client,
  ref: ResourceRef,
  namespace: string,
  object: KubeObject,
): Promise<void> {
  // A look first: an object that is there holds its own address, which a second one could not have.
  try {
    await client.get(ref, namespace, object.metadata?.name ?? "");
    return;
  } catch (error) {
    if (!isApiError(error, "NotFound")) throw error;
  }
  try {
    await client.create(ref, namespace, object);
  } catch (error) {
    if (!isApiError(error, "AlreadyExists")) throw error;
  }
}

export async function ensureBootstrapObjects(
  client: Client,
  { clusterIp }: { clusterIp: string },
): Promise<void> {
  await Promise.all([
    ...systemNamespaces.map((name) => createUnlessThere(client, Namespaces, "", { metadata: { name } })),
    ...systemPriorityClasses.map((one) => createUnlessThere(client, PriorityClasses, "", one)),
  ]);
  await createUnlessThere(client, Services, "default", kubernetesService(clusterIp));
}
