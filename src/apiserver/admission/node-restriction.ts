// NodeRestriction: a kubelet changes its own Node and the pods bound to it, nobody else's, and asks for tokens for
// those pods only.

import { nodeNameOf } from "../auth/node-authorizer.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { forbiddenError, notFound } from "#machinery/status.ts";
import type { AdmissionPlugin, AdmissionReads, AdmissionRequest } from "./contract.ts";

interface PodObject extends KubeObject {
  spec?: { nodeName?: string };
}
interface NodeObject extends KubeObject {
  spec?: { taints?: unknown[] };
}
interface TokenRequest extends KubeObject {
  spec?: { boundObjectRef?: { apiVersion?: string; kind?: string; name?: string; uid?: string } };
}

type Refuse = (why: string) => never;

/** Labels of the system that a kubelet may set on its own Node, as documented; other labels are free. */
const kubeletLabels: ReadonlySet<string> = new Set([
  "kubernetes.io/hostname",
  "kubernetes.io/arch",
  "kubernetes.io/os",
  "beta.kubernetes.io/arch",
  "beta.kubernetes.io/os",
  "beta.kubernetes.io/instance-type",
  "failure-domain.beta.kubernetes.io/region",
  "failure-domain.beta.kubernetes.io/zone",
  "topology.kubernetes.io/region",
  "topology.kubernetes.io/zone",
]);

function isReserved(label: string): boolean {
  const [domain = "", name] = label.split("/");
  if (name === undefined || kubeletLabels.has(label)) return false;
  const within = (suffix: string): boolean => domain === suffix || domain.endsWith(`.${suffix}`);
  if (within("node-restriction.kubernetes.io")) return true;
  if (within("kubelet.kubernetes.io") || within("node.kubernetes.io")) return false;
  return within("kubernetes.io") || within("k8s.io");
}

function checkNode({ name, object, old, operation }: AdmissionRequest, node: string, refuse: Refuse): void {
  const quoted = JSON.stringify(node);
  const target = name || (object?.metadata?.name ?? "");
  if (target !== node) refuse(`node ${quoted} is not allowed to modify node ${JSON.stringify(target)}`);
  if (operation === "DELETE")
    refuse(`node ${quoted} is not allowed to delete node ${JSON.stringify(target)}`);
  const labels = object?.metadata?.labels ?? {};
  const before = old?.metadata?.labels ?? {};
  const changed = [...new Set([...Object.keys(labels), ...Object.keys(before)])]
    .filter((label) => labels[label] !== before[label] && isReserved(label))
    .sort()
    .join(", ");
  if (operation === "CREATE") {
    if (changed !== "") refuse(`node ${quoted} is not allowed to set the following labels: ${changed}`);
    return;
  }
  if (changed !== "") refuse(`is not allowed to modify labels: ${changed}`);
  const taints = (one: KubeObject | undefined): string =>
    JSON.stringify((one as NodeObject)?.spec?.taints ?? []);
  if (taints(object) !== taints(old)) refuse(`node ${quoted} is not allowed to modify taints`);
}

function checkPod(
  { operation, subresource, object, old }: AdmissionRequest,
  node: string,
  refuse: Refuse,
): void {
  const quoted = JSON.stringify(node);
  if (operation === "CREATE" && subresource === "") {
    if (object?.metadata?.annotations?.["kubernetes.io/config.mirror"] === undefined) {
      refuse(
        `pod does not have "kubernetes.io/config.mirror" annotation, node ${quoted} can only create mirror pods`,
      );
    }
    if ((object as PodObject).spec?.nodeName !== node)
      refuse(`node ${quoted} can only create pods with spec.nodeName set to itself`);
    return;
  }
  const bound = (old as PodObject | undefined)?.spec?.nodeName;
  if (old !== undefined && bound !== node) {
    const verb = operation === "DELETE" ? "delete pods" : "update pod status for pods";
    refuse(`node ${quoted} can only ${verb} with spec.nodeName set to itself`);
  }
}

/** A token that a node asks for is bound to a pod of its own, by name and uid. */
async function checkToken(
  { namespace, object }: AdmissionRequest,
  node: string,
  refuse: Refuse,
  reads: AdmissionReads,
): Promise<void> {
  const reference = (object as TokenRequest | undefined)?.spec?.boundObjectRef;
  if (reference?.apiVersion !== "v1" || reference.kind !== "Pod" || !reference.name)
    return refuse("node requested token not bound to a pod");
  const { name, uid } = reference;
  if (!uid) return refuse("node requested token with a pod binding without a uid");
  const pod = await reads.get<PodObject>("", "pods", namespace, name);
  if (pod === undefined) throw notFound({ group: "", resource: "pods" }, name);
  if (pod.spec?.nodeName !== node)
    refuse("node requested token bound to a pod scheduled on a different node");
}

export function nodeRestriction(reads: AdmissionReads): AdmissionPlugin {
  return {
    name: "NodeRestriction",
    async validate(request) {
      const { caller, resource, subresource, name } = request;
      const node = nodeNameOf(caller);
      if (node === undefined || resource.group !== "") return;
      const refuse: Refuse = (why) => {
        throw forbiddenError({ group: resource.group, resource: resource.resource }, name, why);
      };
      if (resource.resource === "nodes") checkNode(request, node, refuse);
      if (resource.resource === "pods" && subresource !== "binding") checkPod(request, node, refuse);
      if (resource.resource === "serviceaccounts" && subresource === "token")
        await checkToken(request, node, refuse, reads);
    },
  };
}
