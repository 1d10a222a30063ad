// The Node authorizer: a kubelet may read what the pods on its own node need, and write its own node's objects.
// Rules as documented in "Using Node Authorization". Pure over a view of the pods.

import type { Attributes, Authorizer, Decision } from "./contract.ts";

export interface NodeView {
  /** Whether a pod bound to `node` refers to this object (`secrets`, `configmaps`, `persistentvolumeclaims`, `serviceaccounts`). */
  nodeUses(node: string, resource: string, namespace: string, name: string): boolean;
  /** Whether the pod is bound to the node. */
  podIsOn(node: string, namespace: string, name: string): boolean;
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
const reads = new Set(["get", "list", "watch"]);
const referenced = new Set(["secrets", "configmaps", "persistentvolumeclaims", "persistentvolumes"]);

/** What every kubelet may do: verbs by `group/resource` or `group/resource/subresource`. */
const nodeRules: Readonly<Record<string, readonly string[]>> = {
  "/nodes": ["create", "get", "list", "watch", "update", "patch"],
  "/nodes/status": ["update", "patch"],
  "/pods": ["get", "list", "watch", "create", "delete"],
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

export function nodeAuthorizer(view: NodeView): Authorizer {
  return {
    authorize(request: Attributes): Decision {
      const node = nodeNameOf(request.caller);
      if (node === undefined || !request.isResource) return noOpinion("");
      const { group, resource, subresource, verb, namespace, name } = request;
      const key = `${group}/${resource}${subresource === "" ? "" : `/${subresource}`}`;

      if (group === "" && subresource === "" && referenced.has(resource)) {
        if (!reads.has(verb) || name === "") return noOpinion(`can only read resources of this type by name`);
        return view.nodeUses(node, resource, namespace, name)
          ? allow
          : noOpinion(`no relationship found between node '${node}' and this object`);
      }
      if (key === "/serviceaccounts/token") {
        return verb === "create" && view.nodeUses(node, "serviceaccounts", namespace, name)
          ? allow
          : noOpinion(`no relationship found between node '${node}' and this object`);
      }
      if (key === "coordination.k8s.io/leases") {
        const own = namespace === "kube-node-lease" && (name === node || verb === "create");
        return own && ["get", "create", "update", "patch", "delete"].includes(verb)
          ? allow
          : noOpinion(`can only access node lease with the same name as the requesting node`);
      }
      if ((key === "/pods" && verb === "delete") || key === "/pods/status") {
        return name === "" || view.podIsOn(node, namespace, name)
          ? allow
          : noOpinion(`pod is not bound to node '${node}'`);
      }
      return nodeRules[key]?.includes(verb) ? allow : noOpinion("");
    },
  };
}
