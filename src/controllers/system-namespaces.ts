// The namespaces that every cluster has. Those that may be deleted at all (kube-node-lease) come back.
// Part of the API server: it runs whatever `--controllers` says.
// Watches: namespaces.  Owns: nothing.  Writes: namespaces.

import { Namespaces } from "#client/refs.ts";
import type { Namespace } from "#machinery/gen/types/core-v1.ts";
import { createAction } from "#reconcile/action.ts";
import { defineController, watching, type Plan } from "#reconcile/controller.ts";

export const systemNamespaces: readonly string[] = [
  "default",
  "kube-system",
  "kube-public",
  "kube-node-lease",
];

export interface SystemNamespaceInput {
  readonly name: string;
  readonly exists: boolean;
}

export function planSystemNamespace({ name, exists }: SystemNamespaceInput): Plan {
  return exists
    ? { actions: [] }
    : { actions: [createAction(Namespaces, { metadata: { name } }, { existsIsFine: true })] };
}

export const systemNamespacesController = defineController<SystemNamespaceInput>({
  name: "system-namespaces-controller",
  owns: [],
  writes: [Namespaces],
  watches: [
    watching<Namespace>({
      ref: Namespaces,
      keys: ({ metadata }) =>
        metadata?.name !== undefined && systemNamespaces.includes(metadata.name) ? [metadata.name] : [],
    }),
  ],
  read: (name, reads) => ({ name, exists: reads.of<Namespace>(Namespaces).get(name) !== undefined }),
  plan: planSystemNamespace,
});
