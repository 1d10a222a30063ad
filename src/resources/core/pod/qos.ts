// Quality of service of a pod, from its requests and limits. Pure; rules as documented in "Pod Quality of Service Classes".

import type { Pod } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { compareQuantities } from "#machinery/quantity.ts";

const counted = ["cpu", "memory"];

export function podQos(pod: DeepReadonly<Pod>): "Guaranteed" | "Burstable" | "BestEffort" {
  let any = false;
  let guaranteed = true;
  for (const container of [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])]) {
    const { requests = {}, limits = {} } = container.resources ?? {};
    for (const name of counted) {
      const [request, limit] = [requests[name], limits[name]];
      if (request !== undefined && compareQuantities(request, "0") > 0) any = true;
      if (limit !== undefined && compareQuantities(limit, "0") > 0) any = true;
      if (
        limit === undefined ||
        compareQuantities(limit, "0") === 0 ||
        (request !== undefined && compareQuantities(request, limit) !== 0)
      )
        guaranteed = false;
    }
  }
  return !any ? "BestEffort" : guaranteed ? "Guaranteed" : "Burstable";
}
