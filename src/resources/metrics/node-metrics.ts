// NodeMetrics (metrics.k8s.io): what a node uses now. Computed when asked for.

import { defineResource } from "#machinery/define-resource.ts";
import type { NodeMetrics } from "#machinery/gen/types/metrics-v1beta1.ts";
import { column, nameColumn } from "../columns.ts";

export const nodeMetrics = defineResource<NodeMetrics>({
  group: "metrics.k8s.io",
  version: "v1beta1",
  kind: "NodeMetrics",
  resource: "nodes",
  namespaced: false,
  verbs: ["get", "list"],
  validateName: () => [],
  columns: [
    nameColumn,
    column("cpu", ({ usage }) => usage["cpu"] ?? "<unknown>"),
    column("memory", ({ usage }) => usage["memory"] ?? "<unknown>"),
    column("Window", ({ window }) => window),
  ],
});
