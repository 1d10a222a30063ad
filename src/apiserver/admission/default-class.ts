// DefaultIngressClass, DefaultStorageClass: an Ingress or a claim that names no class gets the one that is marked as default.

import type { PersistentVolumeClaim } from "#machinery/gen/types/core-v1.ts";
import type { Ingress } from "#machinery/gen/types/networking-v1.ts";
import type { KubeObject } from "#machinery/meta.ts";
import type { AdmissionPlugin, AdmissionReads, AdmissionRequest } from "./contract.ts";

/** Of several that are marked the newest, and of those the first by name. */
async function defaultClass(
  reads: AdmissionReads,
  group: string,
  resource: string,
  annotations: readonly string[],
): Promise<string | undefined> {
  const marked = (await reads.list<KubeObject>(group, resource, "")).filter(({ metadata }) =>
    annotations.some((one) => metadata?.annotations?.[one] === "true"),
  );
  const [first] = marked.toSorted((a, b) => {
    const [left, right] = [a.metadata?.creationTimestamp ?? "", b.metadata?.creationTimestamp ?? ""];
    if (left !== right) return left < right ? 1 : -1;
    return (a.metadata?.name ?? "") < (b.metadata?.name ?? "") ? -1 : 1;
  });
  return first?.metadata?.name;
}

const isNew = (
  { operation, resource, subresource }: AdmissionRequest,
  group: string,
  name: string,
): boolean =>
  operation === "CREATE" && subresource === "" && resource.group === group && resource.resource === name;

export const defaultIngressClass = (reads: AdmissionReads): AdmissionPlugin => ({
  name: "DefaultIngressClass",
  resources: new Set(["networking.k8s.io/ingresses"]),
  async mutate(request) {
    if (!isNew(request, "networking.k8s.io", "ingresses")) return;
    const ingress = request.object as Ingress;
    const annotation = ingress.metadata?.annotations?.["kubernetes.io/ingress.class"];
    if (ingress.spec === undefined || ingress.spec.ingressClassName !== undefined || annotation !== undefined)
      return;
    const found = await defaultClass(reads, "networking.k8s.io", "ingressclasses", [
      "ingressclass.kubernetes.io/is-default-class",
    ]);
    if (found !== undefined) ingress.spec.ingressClassName = found;
  },
});

export const defaultStorageClass = (reads: AdmissionReads): AdmissionPlugin => ({
  name: "DefaultStorageClass",
  resources: new Set(["/persistentvolumeclaims"]),
  async mutate(request) {
    if (!isNew(request, "", "persistentvolumeclaims")) return;
    const { metadata, spec } = request.object as PersistentVolumeClaim;
    const annotation = metadata?.annotations?.["volume.beta.kubernetes.io/storage-class"];
    if (spec === undefined || spec.storageClassName !== undefined || annotation !== undefined) return;
    const found = await defaultClass(reads, "storage.k8s.io", "storageclasses", [
      "storageclass.kubernetes.io/is-default-class",
      "storageclass.beta.kubernetes.io/is-default-class",
    ]);
    if (found !== undefined) spec.storageClassName = found;
  },
});
