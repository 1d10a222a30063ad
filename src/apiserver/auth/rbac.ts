// Role-based access control: rules as data, and whether they cover a request. Pure.

import type { Caller } from "#machinery/api-request.ts";
import type { Attributes, Authorizer, Decision } from "./contract.ts";

export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

export interface RbacSubject {
  readonly kind: string;
  readonly apiGroup?: string;
  readonly name: string;
  readonly namespace?: string;
}

export interface Binding {
  readonly name: string;
  /** Empty for a ClusterRoleBinding. */
  readonly namespace: string;
  readonly subjects: readonly RbacSubject[];
  readonly roleRef: { readonly kind: string; readonly name: string };
}

/** The rules as they are now. */
export interface RbacView {
  clusterRoleRules(name: string): readonly PolicyRule[] | undefined;
  roleRules(namespace: string, name: string): readonly PolicyRule[] | undefined;
  clusterRoleBindings(): Iterable<Binding>;
  roleBindings(namespace: string): Iterable<Binding>;
}

const matchesAny = (allowed: readonly string[] | undefined, value: string): boolean =>
  allowed !== undefined && (allowed.includes("*") || allowed.includes(value));

function resourceMatches(rule: PolicyRule, resource: string, subresource: string): boolean {
  const full = subresource === "" ? resource : `${resource}/${subresource}`;
  return (rule.resources ?? []).some(
    (allowed) =>
      allowed === "*" || allowed === full || (subresource !== "" && allowed === `*/${subresource}`),
  );
}

export function urlMatches(allowed: string, path: string): boolean {
  if (allowed === "*" || allowed === path) return true;
  return allowed.endsWith("*") && path.startsWith(allowed.slice(0, -1));
}

export function ruleAllows(rule: PolicyRule, request: Attributes): boolean {
  if (!matchesAny(rule.verbs, request.verb)) return false;
  if (!request.isResource)
    return (rule.nonResourceURLs ?? []).some((allowed) => urlMatches(allowed, request.path));
  return (
    matchesAny(rule.apiGroups, request.group) &&
    resourceMatches(rule, request.resource, request.subresource) &&
    ((rule.resourceNames ?? []).length === 0 || (rule.resourceNames ?? []).includes(request.name))
  );
}

export function subjectMatches(subject: RbacSubject, bindingNamespace: string, caller: Caller): boolean {
  switch (subject.kind) {
    case "User":
      return subject.name === caller.name;
    case "Group":
      return caller.groups.includes(subject.name);
    case "ServiceAccount":
      return caller.name === `system:serviceaccount:${subject.namespace ?? bindingNamespace}:${subject.name}`;
    default:
      return false;
  }
}

/** `User "ana"`, `ServiceAccount "robot/team"` */
function describeSubject({ kind, name, namespace }: RbacSubject, bindingNamespace: string): string {
  const full = kind === "ServiceAccount" ? `${name}/${namespace ?? bindingNamespace}` : name;
  return `${kind} ${JSON.stringify(full)}`;
}

const missingRole = (kind: string, name: string): string =>
  `${kind.toLowerCase()}.rbac.authorization.k8s.io ${JSON.stringify(name)} not found`;

/**
 * Each rule that the caller has, with the binding that gives it; namespace "" asks for the cluster-wide ones only.
 * Roles that bindings name and nobody has made are added to `missing`.
 */
export function* rulesFor(
  view: RbacView,
  caller: Caller,
  namespace: string,
  missing: string[] = [],
): Generator<{ rule: PolicyRule; via: string }> {
  for (const binding of view.clusterRoleBindings()) {
    const subject = binding.subjects.find((one) => subjectMatches(one, "", caller));
    if (subject === undefined) continue;
    const rules = view.clusterRoleRules(binding.roleRef.name);
    if (rules === undefined) missing.push(missingRole("ClusterRole", binding.roleRef.name));
    for (const rule of rules ?? []) {
      yield {
        rule,
        via: `ClusterRoleBinding ${JSON.stringify(binding.name)} of ClusterRole ${JSON.stringify(binding.roleRef.name)} to ${describeSubject(subject, "")}`,
      };
    }
  }
  if (namespace === "") return;
  for (const binding of view.roleBindings(namespace)) {
    const subject = binding.subjects.find((one) => subjectMatches(one, namespace, caller));
    if (subject === undefined) continue;
    const { kind, name } = binding.roleRef;
    const rules = kind === "ClusterRole" ? view.clusterRoleRules(name) : view.roleRules(namespace, name);
    if (rules === undefined) missing.push(missingRole(kind, name));
    for (const rule of rules ?? []) {
      yield {
        rule,
        via: `RoleBinding ${JSON.stringify(`${binding.name}/${namespace}`)} of ${kind} ${JSON.stringify(name)} to ${describeSubject(subject, namespace)}`,
      };
    }
  }
}

export function rbacAuthorizer(view: RbacView): Authorizer {
  return {
    authorize(request): Decision {
      const missing: string[] = [];
      for (const { rule, via } of rulesFor(view, request.caller, request.namespace, missing)) {
        if (ruleAllows(rule, request)) return { verdict: "allow", reason: `RBAC: allowed by ${via}` };
      }
      if (missing.length === 0) return { verdict: "no-opinion", reason: "" };
      const all = missing.length === 1 ? missing[0] : `[${missing.join(", ")}]`;
      return { verdict: "no-opinion", reason: `RBAC: ${all}` };
    },
  };
}
