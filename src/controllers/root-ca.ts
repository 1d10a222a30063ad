// Every active namespace has the ConfigMap `kube-root-ca.crt` with the cluster's CA, as pods mount it.
// Watches: namespaces, configmaps of that name.  Owns: nothing.  Writes: configmaps.

import { ConfigMaps, Namespaces } from "#client/refs.ts";
import type { ConfigMap, Namespace } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { createAction, updateAction } from "#reconcile/action.ts";
import { defineController, watching, type ControllerDefinition, type Plan } from "#reconcile/controller.ts";

const name = "kube-root-ca.crt";
const annotation = "kubernetes.io/description";
const description =
  "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.";

export interface RootCaInput {
  readonly namespace: DeepReadonly<Namespace>;
  readonly found: DeepReadonly<ConfigMap> | undefined;
}

export function planRootCa({ namespace, found }: RootCaInput, rootCa: string): Plan {
  if (namespace.status?.phase === "Terminating") return { actions: [] };
  const data = { "ca.crt": rootCa };
  if (found === undefined) {
    const object = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: {
        name,
        namespace: namespace.metadata?.name ?? "",
        annotations: { [annotation]: description },
      },
      data,
    };
    return { actions: [createAction(ConfigMaps, object)] };
  }
  const isRight =
    Object.keys(found.data ?? {}).length === 1 &&
    found.data?.["ca.crt"] === rootCa &&
    found.metadata?.annotations?.[annotation] === description;
  if (isRight) return { actions: [] };
  const annotations = { ...found.metadata?.annotations, [annotation]: description };
  return {
    actions: [updateAction(ConfigMaps, { ...found, metadata: { ...found.metadata, annotations }, data })],
  };
}

export const rootCaController = (rootCa: string): ControllerDefinition =>
  defineController<RootCaInput>({
    name: "root-ca-certificate-publisher-controller",
    owns: [],
    writes: [ConfigMaps],
    watches: [
      watching<Namespace>({ ref: Namespaces, keys: (namespace) => [namespace.metadata?.name ?? ""] }),
      watching<ConfigMap>({
        ref: ConfigMaps,
        options: { fieldSelector: `metadata.name=${name}` },
        keys: ({ metadata }) => [metadata?.namespace ?? ""],
      }),
    ],
    read: (key, reads) => {
      const namespace = reads.of<Namespace>(Namespaces).get(key);
      if (namespace === undefined) return undefined;
      return { namespace, found: reads.of<ConfigMap>(ConfigMaps).get(`${key}/${name}`) };
    },
    plan: (input) => planRootCa(input, rootCa),
  });
