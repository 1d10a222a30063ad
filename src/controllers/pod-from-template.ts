// The pod that a template describes, for the owner that has the template. Pure.

import type { ResourceRef } from "#client/client.ts";
import type { PodTemplateSpec } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly, KubeObject } from "#machinery/meta.ts";
import { ownerReference } from "./ownership.ts";

/** Named by the caller: `name`, or `generateName` for the server to complete. */
export function podFromTemplate(
  template: DeepReadonly<PodTemplateSpec> | undefined,
  ref: ResourceRef,
  owner: DeepReadonly<KubeObject>,
  named: { readonly name: string } | { readonly generateName: string },
): DeepReadonly<KubeObject> & { readonly spec: unknown } {
  const { labels, annotations, finalizers } = template?.metadata ?? {};
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...named,
      namespace: owner.metadata?.namespace ?? "",
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ownerReferences: [ownerReference(ref, owner)],
    },
    spec: template?.spec,
  };
}
