// NodeRestriction: a kubelet changes its own Node and the pods bound to it, nobody else's.

import { nodeNameOf } from "../auth/node-authorizer.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { forbiddenError } from "#machinery/status.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./contract.ts";

interface PodObject extends KubeObject {
  spec?: { nodeName?: string };
}

/** Labels that say where a node belongs are the administrator's alone. */
const reservedLabelPrefix = "node-restriction.kubernetes.io/";

function checkNode(
  { name, object, old, operation }: AdmissionRequest,
  node: string,
  refuse: (why: string) => never,
): void {
  const target = name || (object?.metadata?.name ?? "");
  if (target !== node)
    refuse(`node ${JSON.stringify(node)} is not allowed to modify node ${JSON.stringify(target)}`);
  if (operation === "DELETE")
    refuse(`node ${JSON.stringify(node)} is not allowed to delete node ${JSON.stringify(target)}`);
  const labels = object?.metadata?.labels ?? {};
  const before = old?.metadata?.labels ?? {};
  const changed = [...new Set([...Object.keys(labels), ...Object.keys(before)])].filter(
    (label) => label.startsWith(reservedLabelPrefix) && labels[label] !== before[label],
  );
  if (changed.length > 0) {
    refuse(`node ${JSON.stringify(node)} is not allowed to modify labels: ${changed.sort().join(", ")}`);
  }
}

function checkPod(
  { operation, subresource, object, old }: AdmissionRequest,
  node: string,
  refuse: (why: string) => never,
): void {
  if (operation === "CREATE" && subresource === "") {
    if (object?.metadata?.annotations?.["kubernetes.io/config.mirror"] === undefined) {
      refuse(
        `pod does not have "kubernetes.io/config.mirror" annotation, node ${JSON.stringify(node)} can only create mirror pods`,
      );
    }
    if ((object as PodObject).spec?.nodeName !== node) {
      refuse(`node ${JSON.stringify(node)} can only create pods with spec.nodeName set to itself`);
    }
    return;
  }
  const bound = (old as PodObject | undefined)?.spec?.nodeName;
  if (old !== undefined && bound !== node) {
    const verb = operation === "DELETE" ? "delete" : "update status for";
    refuse(`node ${JSON.stringify(node)} can only ${verb} pods with spec.nodeName set to itself`);
  }
}

export const nodeRestriction: AdmissionPlugin = {
  name: "NodeRestriction",
  validate(request) {
    const node = nodeNameOf(request.caller);
    if (node === undefined || request.resource.group !== "") return;
    const refuse = (why: string): never => {
      throw forbiddenError(
        { group: request.resource.group, resource: request.resource.resource },
        request.name,
        why,
      );
    };
    if (request.resource.resource === "nodes") checkNode(request, node, refuse);
    if (request.resource.resource === "pods" && request.subresource !== "binding")
      checkPod(request, node, refuse);
  },
};
