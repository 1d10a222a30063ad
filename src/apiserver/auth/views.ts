// What RBAC and the Node authorizer look at, kept current by informers over the server's own API.

import type { InformerFactory } from "#reconcile/informer.ts";
import type { ResourceRef } from "#client/client.ts";
import { Pods } from "#client/refs.ts";
import type { DeepReadonly, KubeObject } from "#machinery/meta.ts";
import { matches, selectorFromObject, type LabelSelectorObject } from "#machinery/selectors.ts";
import type { NodeView } from "./node-authorizer.ts";
import type { Binding, PolicyRule, RbacSubject, RbacView } from "./rbac.ts";

const rbac = (kind: string, resource: string, namespaced: boolean): ResourceRef => ({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind,
  resource,
  namespaced,
});
export const ClusterRoles = rbac("ClusterRole", "clusterroles", false);
export const Roles = rbac("Role", "roles", true);
export const ClusterRoleBindings = rbac("ClusterRoleBinding", "clusterrolebindings", false);
export const RoleBindings = rbac("RoleBinding", "rolebindings", true);

interface RoleObject extends KubeObject {
  rules?: PolicyRule[];
}

interface ClusterRoleObject extends RoleObject {
  aggregationRule?: { clusterRoleSelectors?: LabelSelectorObject[] };
}

interface BindingObject extends KubeObject {
  subjects?: RbacSubject[];
  roleRef: { kind: string; name: string };
}

function bindingOf(object: DeepReadonly<BindingObject>): Binding {
  return {
    name: object.metadata?.name ?? "",
    namespace: object.metadata?.namespace ?? "",
    subjects: object.subjects ?? [],
    roleRef: object.roleRef,
  };
}

export function createRbacView(informers: InformerFactory): RbacView {
  const clusterRoles = informers.informer<ClusterRoleObject>(ClusterRoles);
  const roles = informers.informer<RoleObject>(Roles);
  const clusterRoleBindings = informers.informer<BindingObject>(ClusterRoleBindings);
  const roleBindings = informers.informer<BindingObject>(RoleBindings);
  roleBindings.addIndex("namespace", (binding) => [binding.metadata?.namespace ?? ""]);

  // An aggregated role holds the rules of every role that its selectors match, transitively.
  // Asking again costs a walk over all roles, so the answer is kept until a role changes.
  let aggregated = new Map<string, readonly PolicyRule[]>();
  clusterRoles.onChange(() => {
    aggregated = new Map();
  });

  function clusterRoleRules(
    name: string,
    seen: ReadonlySet<string> = new Set(),
  ): readonly PolicyRule[] | undefined {
    const role = clusterRoles.get(name);
    if (role === undefined || seen.has(name)) return undefined;
    const selectors = role.aggregationRule?.clusterRoleSelectors;
    if (selectors === undefined) return role.rules ?? [];
    const known = aggregated.get(name);
    if (known !== undefined) return known;
    const rules = [...clusterRoles.list()]
      .filter((other) =>
        selectors.some((one) => {
          const selector = selectorFromObject(one);
          return selector !== undefined && matches(selector, other.metadata?.labels);
        }),
      )
      .flatMap((other) => clusterRoleRules(other.metadata?.name ?? "", new Set([...seen, name])) ?? []);
    aggregated.set(name, rules);
    return rules;
  }

  return {
    clusterRoleRules: (name) => clusterRoleRules(name),
    roleRules: (namespace, name) => roles.get(`${namespace}/${name}`)?.rules,
    clusterRoleBindings: function* () {
      for (const binding of clusterRoleBindings.list()) yield bindingOf(binding);
    },
    roleBindings: (namespace) => roleBindings.byIndex("namespace", namespace).map(bindingOf),
  };
}

interface PodObject extends KubeObject {
  spec?: { nodeName?: string; [field: string]: unknown };
}

/** `resource/namespace/name` of everything that a pod's spec refers to. */
export function podReferences(pod: DeepReadonly<PodObject>): string[] {
  const namespace = pod.metadata?.namespace ?? "";
  const found = new Set<string>();
  const add = (resource: string, name: unknown): void => {
    if (typeof name === "string" && name !== "") found.add(`${resource}/${namespace}/${name}`);
  };
  // References have the same few shapes wherever they stand in a spec, so one walk finds them all.
  const walk = (value: unknown, field: string): void => {
    if (Array.isArray(value)) {
      for (const item of value) walk(item, field);
      return;
    }
    if (typeof value !== "object" || value === null) return;
    const object = value as Record<string, unknown>;
    if (field === "secretKeyRef" || field === "secretRef" || field === "imagePullSecrets")
      add("secrets", object["name"]);
    if (field === "configMapKeyRef" || field === "configMapRef") add("configmaps", object["name"]);
    if (field === "secret") add("secrets", object["secretName"] ?? object["name"]);
    if (field === "configMap") add("configmaps", object["name"]);
    if (field === "persistentVolumeClaim") add("persistentvolumeclaims", object["claimName"]);
    for (const [name, inner] of Object.entries(object)) walk(inner, name);
  };
  walk(pod.spec, "spec");
  add("serviceaccounts", pod.spec?.["serviceAccountName"] ?? "default");
  return [...found];
}

export function createNodeView(informers: InformerFactory): NodeView {
  const pods = informers.informer<PodObject>(Pods);
  pods.addIndex("node-reference", (pod) => {
    const node = pod.spec?.nodeName;
    return node ? podReferences(pod).map((reference) => `${node} ${reference}`) : [];
  });
  return {
    nodeUses: (node, resource, namespace, name) =>
      pods.byIndex("node-reference", `${node} ${resource}/${namespace}/${name}`).length > 0,
    nodeOfPod(namespace, name) {
      const pod = pods.get(`${namespace}/${name}`);
      return pod === undefined ? undefined : (pod.spec?.nodeName ?? "");
    },
  };
}
