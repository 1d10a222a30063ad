// Every active namespace has the ServiceAccount `default`.
// Watches: namespaces, serviceaccounts.  Owns: nothing.  Writes: serviceaccounts.

import { Namespaces, ServiceAccounts } from "#client/refs.ts";
import type { Namespace, ServiceAccount } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { createAction } from "#reconcile/action.ts";
import { defineController, watching, type Plan } from "#reconcile/controller.ts";

export interface ServiceAccountInput {
  readonly namespace: DeepReadonly<Namespace>;
  readonly exists: boolean;
}

export function planServiceAccount({ namespace, exists }: ServiceAccountInput): Plan {
  if (exists || namespace.status?.phase === "Terminating") return { actions: [] };
  const object = {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: "default", namespace: namespace.metadata?.name ?? "" },
  };
  return { actions: [createAction(ServiceAccounts, object, { existsIsFine: true })] };
}

export const serviceAccountController = defineController<ServiceAccountInput>({
  name: "serviceaccount-controller",
  owns: [],
  writes: [ServiceAccounts],
  watches: [
    watching<Namespace>({ ref: Namespaces, keys: (namespace) => [namespace.metadata?.name ?? ""] }),
    watching<ServiceAccount>({
      ref: ServiceAccounts,
      keys: ({ metadata }) => (metadata?.name === "default" ? [metadata.namespace ?? ""] : []),
    }),
  ],
  read: (key, reads) => {
    const namespace = reads.of<Namespace>(Namespaces).get(key);
    if (namespace === undefined) return undefined;
    return {
      namespace,
      exists: reads.of<ServiceAccount>(ServiceAccounts).get(`${key}/default`) !== undefined,
    };
  },
  plan: planServiceAccount,
});
