// DefaultTolerationSeconds: a pod that says nothing about unready and unreachable nodes stays bound for five minutes.

import type { KubeObject } from "#machinery/meta.ts";
import type { AdmissionPlugin } from "./contract.ts";

interface Toleration {
  key?: string;
  operator?: string;
  effect?: string;
  tolerationSeconds?: number;
}

interface PodObject extends KubeObject {
  spec?: { tolerations?: Toleration[] };
}

function tolerates(tolerations: readonly Toleration[], key: string): boolean {
  return tolerations.some(
    ({ key: tolerated, effect }) =>
      (tolerated === key || tolerated === undefined || tolerated === "") &&
      (!effect || effect === "NoExecute"),
  );
}

export function defaultTolerationSeconds(seconds: {
  notReady: number;
  unreachable: number;
}): AdmissionPlugin {
  return {
    name: "DefaultTolerationSeconds",
    resources: new Set(["/pods"]),
    mutate({ operation, resource, subresource, object }) {
      if (
        operation === "DELETE" ||
        resource.group !== "" ||
        resource.resource !== "pods" ||
        subresource !== ""
      )
        return;
      const pod = object as PodObject | undefined;
      if (pod?.spec === undefined) return;
      const given = pod.spec.tolerations ?? [];
      const added = [
        ["node.kubernetes.io/not-ready", seconds.notReady] as const,
        ["node.kubernetes.io/unreachable", seconds.unreachable] as const,
      ].filter(([key]) => !tolerates(given, key));
      if (added.length === 0) return;
      pod.spec.tolerations = [
        ...given,
        ...added.map(([key, tolerationSeconds]) => ({
          key,
          operator: "Exists",
          effect: "NoExecute",
          tolerationSeconds,
        })),
      ];
    },
  };
}
