// PodMetrics (metrics.k8s.io): what each container of a pod uses now. Computed when asked for.

import { defineResource } from "#machinery/define-resource.ts";
import type { PodMetrics } from "#machinery/gen/types/metrics-v1beta1.ts";
import { addQuantities } from "#machinery/quantity.ts";
import { column, nameColumn } from "../columns.ts";

const sum = ({ containers }: PodMetrics, resource: string): string =>
  containers.map(({ usage }) => usage[resource] ?? "0").reduce(addQuantities, "0");

export const podMetrics = defineResource<PodMetrics>({
  group: "metrics.k8s.io",
  version: "v1beta1",
  kind: "PodMetrics",
  resource: "pods",
  namespaced: true,
  verbs: ["get", "list"],
  validateName: () => [],
  columns: [
    nameColumn,
    column("cpu", (object) => sum(object, "cpu")),
    column("memory", (object) => sum(object, "memory")),
    column("Window", ({ window }) => window),
  ],
});
