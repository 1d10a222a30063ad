// RuntimeClass: a pod that names one gets its overhead and where it runs; a pod that names none that is there is refused.

import { isDeepStrictEqual } from "node:util";
import type { Pod, Toleration } from "#machinery/gen/types/core-v1.ts";
import type { RuntimeClass } from "#machinery/gen/types/node-v1.ts";
import { forbiddenError } from "#machinery/status.ts";
import type { AdmissionPlugin, AdmissionReads, AdmissionRequest } from "./contract.ts";

export function runtimeClassAdmission(reads: AdmissionReads): AdmissionPlugin {
  const classOf = async (request: AdmissionRequest): Promise<RuntimeClass | undefined> => {
    const { resource, name, object } = request;
    const { runtimeClassName = "" } = (object as Pod).spec ?? {};
    if (runtimeClassName === "") return undefined;
    const found = await reads.get("node.k8s.io", "runtimeclasses", "", runtimeClassName);
    if (found !== undefined) return found as RuntimeClass;
    throw forbiddenError(
      resource,
      name,
      `pod rejected: RuntimeClass ${JSON.stringify(runtimeClassName)} not found`,
    );
  };
  return {
    name: "RuntimeClass",
    resources: new Set(["/pods"]),
    async mutate(request) {
      if (!isNewPod(request)) return;
      const found = await classOf(request);
      const spec = (request.object as Pod).spec;
      if (found === undefined || spec === undefined) return;
      const { overhead, scheduling } = found;
      const refuse = (why: string) => forbiddenError(request.resource, request.name, `pod rejected: ${why}`);
      if (overhead?.podFixed !== undefined) {
        if (spec.overhead !== undefined && !isDeepStrictEqual(spec.overhead, overhead.podFixed))
          throw refuse("Pod's Overhead doesn't match RuntimeClass's defined Overhead");
        spec.overhead = structuredClone(overhead.podFixed);
      }
      for (const [key, value] of Object.entries(scheduling?.nodeSelector ?? {})) {
        const selector = (spec.nodeSelector ??= {});
        if (Object.hasOwn(selector, key) && selector[key] !== value)
          throw refuse(
            `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${selector[key]}`,
          );
        selector[key] = value;
      }
      if (scheduling?.tolerations !== undefined)
        spec.tolerations = merged(spec.tolerations ?? [], scheduling.tolerations);
    },
    async validate(request) {
      if (!isNewPod(request)) return;
      const found = await classOf(request);
      const { overhead } = (request.object as Pod).spec ?? {};
      if (overhead === undefined || isDeepStrictEqual(overhead, found?.overhead?.podFixed)) return;
      const why =
        found?.overhead?.podFixed === undefined
          ? "Pod Overhead set without corresponding RuntimeClass defined Overhead"
          : "Pod's Overhead doesn't match RuntimeClass's defined Overhead";
      throw forbiddenError(request.resource, request.name, `pod rejected: ${why}`);
    },
  };
}

const isNewPod = ({ operation, resource, subresource }: AdmissionRequest): boolean =>
  operation === "CREATE" && resource.group === "" && resource.resource === "pods" && subresource === "";

function merged(own: readonly Toleration[], more: readonly Toleration[]): Toleration[] {
  const missing = more.filter((one) => !own.some((other) => isDeepStrictEqual(one, other)));
  return [...own, ...structuredClone(missing)];
}
