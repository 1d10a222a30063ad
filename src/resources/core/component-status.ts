// ComponentStatus: the health of the control plane's parts, computed when asked for. Deprecated, still read by scripts.

import { defineResource } from "#machinery/define-resource.ts";
import type { ComponentStatus } from "#machinery/gen/types/core-v1.ts";
import { column, nameColumn } from "../columns.ts";

const healthy = (object: ComponentStatus) => object.conditions?.find(({ type }) => type === "Healthy");

export const componentStatus = defineResource<ComponentStatus>({
  group: "",
  version: "v1",
  kind: "ComponentStatus",
  resource: "componentstatuses",
  shortNames: ["cs"],
  namespaced: false,
  verbs: ["get", "list"],
  deprecation: "v1 ComponentStatus is deprecated in v1.19+",
  validateName: () => [],
  columns: [
    nameColumn,
    column("Status", (object) => (healthy(object)?.status === "True" ? "Healthy" : "Unhealthy")),
    column("Message", (object) => healthy(object)?.message ?? ""),
    column("Error", (object) => healthy(object)?.error ?? ""),
  ],
});
