// The Node authorizer: a kubelet may read what the pods on its own node need, and write its own node's objects.
// Rules as documented in "Using Node Authorization". Pure over a view of the pods.

import type { Attributes, Authorizer, Decision } from "./contract.ts";

export interface NodeView {
  /** Whether a pod bound to `node` refers to this object (`secrets`, `configmaps`, `persistentvolumeclaims`, `serviceaccounts`). */
  nodeUses(node: string, resource: string, namespace: string, name: string): boolean;
  /** The node that a pod is bound to: "" for none, undefined when there is no such pod. */
  nodeOfPod(namespace: string, name: string): string | undefined;
}

/** The node that the caller is, if it is one: user `system:node:NAME` in group `system:nodes`. */
export function nodeNameOf(caller: { name: string; groups: readonly string[] }): string | undefined {
  const prefix = "system:node:";
  return caller.groups.includes("system:nodes") && caller.name.startsWith(prefix)
    ? caller.name.slice(prefix.length)
    : undefined;
}

const allow: Decision = { verdict: "allow", reason: "" };
const noOpinion = (reason: string): Decision => ({ verdict: "no-opinion", reason });
const noRelationship = (node: string): Decision =>
  noOpinion(`no relationship found between node '${node}' and this object`);
const reads = new Set(["get", "list", "watch"]);
const referenced = new Set(["secrets", "configmaps", "persistentvolumeclaims", "persistentvolumes"]);

/** What every kubelet may do: verbs by `group/resource` or `group/resource/subresource`. */
const nodeRules: Readonly<Record<string, readonly string[]>> = {
  "/nodes": ["create", "update", "patch"],
  "/nodes/status": ["update", "patch"],
  "/pods": ["create", "delete"],
  "/pods/status": ["update", "patch"],
  "/pods/eviction": ["create"],
  "/services": ["get", "list", "watch"],
  "/endpoints": ["get", "list", "watch"],
  "/namespaces": ["get", "list", "watch"],
  "/events": ["create", "update", "patch"],
  "events.k8s.io/events": ["create", "update", "patch"],
  "discovery.k8s.io/endpointslices": ["get", "list", "watch"],
  "node.k8s.io/runtimeclasses": ["get", "list", "watch"],
  "certificates.k8s.io/certificatesigningrequests": ["create", "get", "list", "watch"],
  "authentication.k8s.io/tokenreviews": ["create"],
  "authorization.k8s.io/subjectaccessreviews": ["create"],
  "authorization.k8s.io/localsubjectaccessreviews": ["create"],
  "storage.k8s.io/csidrivers": ["get", "list", "watch"],
};

function mayReadReferenced(view: NodeView, node: string, request: Attributes): Decision {
  const { verb, resource, namespace, name } = request;
  if (!reads.has(verb)) return noOpinion("can only read resources of this type");
  if (name === "") return noOpinion("No Object name found");
  return view.nodeUses(node, resource, namespace, name) ? allow : noRelationship(node);
}

/** The pods bound to it, and no others: those it has to ask for. */
function mayReadPods(view: NodeView, node: string, request: Attributes): Decision {
  const { verb, namespace, name, fields } = request;
  if (verb !== "get" || name === "") {
    return fields.some(({ field, equal, value }) => equal && field === "spec.nodeName" && value === node)
      ? allow
      : noOpinion("can only list/watch pods with spec.nodeName field selector");
  }
  // Of a pod that is gone it may learn that it is.
  const bound = view.nodeOfPod(namespace, name);
  return bound === undefined || bound === node ? allow : noRelationship(node);
}

function mayReadNode(node: string, name: string): Decision {
  if (name === node) return allow;
  return noOpinion(
    name === ""
      ? `node '${node}' cannot read all nodes, only its own Node object`
      : `node '${node}' cannot read '${name}', only its own Node object`,
  );
}

function mayUseLease(node: string, { verb, namespace, name }: Attributes): Decision {
  if (!["get", "create", "update", "patch", "delete"].includes(verb))
    return noOpinion("can only get, create, update, patch, or delete a node lease");
  if (namespace !== "kube-node-lease")
    return noOpinion('can only access leases in the "kube-node-lease" system namespace');
  return verb === "create" || name === node
    ? allow
    : noOpinion("can only access node lease with the same name as the requesting node");
}

export function nodeAuthorizer(view: NodeView): Authorizer {
  return {
    authorize(request: Attributes): Decision {
      const node = nodeNameOf(request.caller);
      if (node === undefined || !request.isResource) return noOpinion("");
      const { group, resource, subresource, verb, namespace, name } = request;
      const key = `${group}/${resource}${subresource === "" ? "" : `/${subresource}`}`;
      if (group === "" && subresource === "" && referenced.has(resource))
        return mayReadReferenced(view, node, request);
      if (key === "/serviceaccounts/token") {
        return verb === "create" && view.nodeUses(node, "serviceaccounts", namespace, name)
          ? allow
          : noRelationship(node);
      }
      if (key === "coordination.k8s.io/leases") return mayUseLease(node, request);
      if (key === "/pods" && reads.has(verb)) return mayReadPods(view, node, request);
      if (key === "/nodes" && reads.has(verb)) return mayReadNode(node, name);
      // Whose pods it may write, NodeRestriction decides: it sees the pod.
      return nodeRules[key]?.includes(verb) ? allow : noOpinion("");
    },
  };
}
