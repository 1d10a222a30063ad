// Node: a machine that runs pods.

import { defineResource } from "#machinery/define-resource.ts";
import type { Node } from "#machinery/gen/types/core-v1.ts";
import { child, forbidden, index, invalid, notSupported, type FieldError } from "#machinery/field-error.ts";
import { checkDnsSubdomain, checkQualifiedName, nameCheck } from "#machinery/names.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";

const rolePrefix = "node-role.kubernetes.io/";

function statusCell(node: Node): string {
  const ready = node.status?.conditions?.find(({ type }) => type === "Ready");
  const words = [ready === undefined ? "Unknown" : ready.status === "True" ? "Ready" : "NotReady"];
  if (node.spec?.unschedulable === true) words.push("SchedulingDisabled");
  return words.join(",");
}

function rolesCell(node: Node): string {
  const labels = node.metadata?.labels ?? {};
  const roles = Object.keys(labels)
    .filter((label) => label.startsWith(rolePrefix) && label.length > rolePrefix.length)
    .map((label) => label.slice(rolePrefix.length));
  if (labels["kubernetes.io/role"]) roles.push(labels["kubernetes.io/role"]);
  return roles.length === 0 ? "<none>" : [...new Set(roles)].sort().join(",");
}

const address = (node: Node, wanted: string): string =>
  node.status?.addresses?.find(({ type }) => type === wanted)?.address ?? "<none>";

function validate(node: Node): FieldError[] {
  const taints = new Set<string>();
  return (node.spec?.taints ?? []).flatMap((taint, at) => {
    const own = index("spec.taints", at);
    const errors = checkQualifiedName(taint.key ?? "").map((why) =>
      invalid(child(own, "key"), taint.key ?? "", why),
    );
    if (!["NoSchedule", "PreferNoSchedule", "NoExecute"].includes(taint.effect ?? "")) {
      errors.push(
        notSupported(child(own, "effect"), taint.effect ?? "", [
          "NoSchedule",
          "PreferNoSchedule",
          "NoExecute",
        ]),
      );
    }
    const key = `${taint.key}:${taint.effect}`;
    if (taints.has(key))
      errors.push({
        type: "FieldValueDuplicate",
        field: own,
        value: taint,
        detail: "taints must be unique by key and effect pair",
      });
    taints.add(key);
    return errors;
  });
}

export const node = defineResource<Node>({
  group: "",
  version: "v1",
  kind: "Node",
  resource: "nodes",
  shortNames: ["no"],
  namespaced: false,
  validateName: nameCheck(checkDnsSubdomain),
  columns: [
    nameColumn,
    column("Status", statusCell),
    column("Roles", rolesCell),
    ageColumn,
    column("Version", (object) => object.status?.nodeInfo?.kubeletVersion ?? ""),
    column("Internal-IP", (object) => address(object, "InternalIP"), { wide: true }),
    column("External-IP", (object) => address(object, "ExternalIP"), { wide: true }),
    column("OS-Image", (object) => object.status?.nodeInfo?.osImage || "<unknown>", { wide: true }),
    column("Kernel-Version", (object) => object.status?.nodeInfo?.kernelVersion || "<unknown>", {
      wide: true,
    }),
    column("Container-Runtime", (object) => object.status?.nodeInfo?.containerRuntimeVersion || "<unknown>", {
      wide: true,
    }),
  ],
  applyDefaults: (draft) => {
    const status = draft.status;
    if (status?.capacity !== undefined) status.allocatable ??= { ...status.capacity };
  },
  prepareForUpdate: (draft, old) => {
    if (old.status === undefined) delete draft.status;
    else draft.status = old.status;
  },
  validate,
  validateUpdate: (next, old) => {
    const errors = validate(next);
    for (const key of ["podCIDR", "providerID"] as const) {
      if (old.spec?.[key] && next.spec?.[key] !== old.spec[key])
        errors.push(forbidden(`spec.${key}`, `node updates may not change ${key} except from "" to valid`));
    }
    return errors;
  },
  selectableFields: { "spec.unschedulable": (object) => String(object.spec?.unschedulable ?? false) },
  status: { validateUpdate: () => [] },
  subresources: {
    proxy: {
      verbs: ["create", "delete", "get", "patch", "update"],
      kind: { group: "", version: "v1", kind: "NodeProxyOptions" },
    },
  },
});
