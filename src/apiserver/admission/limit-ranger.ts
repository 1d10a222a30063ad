// LimitRanger: containers that do not say what they need get the defaults of their namespace, and nothing may have less
// or more than its ranges allow.

import type { KubeObject } from "#machinery/meta.ts";
import type { LimitRange, PersistentVolumeClaim, Pod } from "#machinery/gen/types/core-v1.ts";
import { forbiddenError } from "#machinery/status.ts";
import { applyLimitDefaults, claimLimitErrors, podLimitErrors } from "#resources/core/limits.ts";
import type { AdmissionPlugin, AdmissionReads, AdmissionRequest } from "./contract.ts";

/** Pods are looked at when they are made and resized; claims when they are made and changed. */
function isRanged({ operation, resource, subresource }: AdmissionRequest): boolean {
  if (resource.resource === "pods")
    return (
      (operation === "CREATE" && subresource === "") || (operation === "UPDATE" && subresource === "resize")
    );
  return subresource === "" && (operation === "CREATE" || operation === "UPDATE");
}

export function limitRanger(reads: AdmissionReads): AdmissionPlugin {
  const rangesOf = async (namespace: string): Promise<readonly LimitRange[]> =>
    reads.has("", "limitranges") ? reads.list<LimitRange>("", "limitranges", namespace) : [];
  return {
    name: "LimitRanger",
    resources: new Set(["/pods", "/persistentvolumeclaims"]),
    async mutate(request) {
      if (request.operation !== "CREATE" || request.resource.resource !== "pods" || !isRanged(request))
        return;
      for (const range of await rangesOf(request.namespace)) applyLimitDefaults(request.object as Pod, range);
    },
    async validate(request) {
      const { resource, namespace, name, object } = request;
      if (object === undefined || !isRanged(request)) return;
      const isLeaving = (object as KubeObject).metadata?.deletionTimestamp !== undefined;
      if (isLeaving) return;
      for (const range of await rangesOf(namespace)) {
        const errors =
          resource.resource === "pods"
            ? podLimitErrors(object as Pod, range)
            : claimLimitErrors(object as PersistentVolumeClaim, range);
        const different = [...new Set(errors)];
        const [first] = different;
        if (first === undefined) continue;
        throw forbiddenError(resource, name, different.length === 1 ? first : `[${different.join(", ")}]`);
      }
    },
  };
}
