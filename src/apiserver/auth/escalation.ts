// Nobody gives away rights that they do not have: who writes a role must hold its rules, who binds one must hold the
// rules of that role, unless they may `escalate` or `bind` it. As documented under "Privilege escalation prevention".

import { isDeepStrictEqual } from "node:util";
import type { Caller } from "#machinery/api-request.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { forbiddenError, notFound } from "#machinery/status.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../admission/contract.ts";
import type { Authorizer } from "./contract.ts";
import { rulesFor, urlMatches, type PolicyRule, type RbacSubject, type RbacView } from "./rbac.ts";

const group = "rbac.authorization.k8s.io";
const everything: readonly PolicyRule[] = [
  { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
  { verbs: ["*"], nonResourceURLs: ["*"] },
];

interface RoleObject extends KubeObject {
  rules?: PolicyRule[];
  aggregationRule?: object;
}
interface BindingObject extends KubeObject {
  roleRef?: { kind: string; name: string };
  subjects?: RbacSubject[];
}

/** A rule of one verb, and one resource of one group (and name), or one path. */
function* single(rule: PolicyRule): Generator<PolicyRule> {
  const names = (rule.resourceNames ?? []).map((name): string[] => [name]);
  for (const verb of rule.verbs) {
    for (const url of rule.nonResourceURLs ?? []) yield { verbs: [verb], nonResourceURLs: [url] };
    for (const apiGroup of rule.apiGroups ?? [])
      for (const resource of rule.resources ?? [])
        for (const resourceNames of names.length === 0 ? [[]] : names)
          yield { verbs: [verb], apiGroups: [apiGroup], resources: [resource], resourceNames };
  }
}

const has = (list: readonly string[] | undefined, value: string): boolean =>
  list !== undefined && (list.includes("*") || list.includes(value));

function hasResource(list: readonly string[] | undefined, wanted: string): boolean {
  if (has(list, wanted)) return true;
  const slash = wanted.indexOf("/");
  return slash > 0 && (list ?? []).includes(`*${wanted.slice(slash)}`);
}

/** Whether `held` includes `wanted`, which is single. */
function covers(held: PolicyRule, wanted: PolicyRule): boolean {
  if (!wanted.verbs.every((verb) => has(held.verbs, verb))) return false;
  const [url] = wanted.nonResourceURLs ?? [];
  if (url !== undefined) return (held.nonResourceURLs ?? []).some((own) => urlMatches(own, url));
  const names = wanted.resourceNames ?? [];
  return (
    has(held.apiGroups, wanted.apiGroups?.[0] ?? "") &&
    hasResource(held.resources, wanted.resources?.[0] ?? "") &&
    ((held.resourceNames ?? []).length === 0 ||
      (names.length > 0 && names.every((name) => (held.resourceNames ?? []).includes(name))))
  );
}

/** The single rules that nothing held covers, with their verbs put together again. */
export function missingRules(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  const missing = new Map<string, { rule: PolicyRule; verbs: string[] }>();
  for (const rule of wanted.flatMap((one) => [...single(one)])) {
    if (held.some((own) => covers(own, rule))) continue;
    const { verbs, ...what } = rule;
    const key = JSON.stringify(what);
    const known = missing.get(key) ?? { rule, verbs: [] };
    known.verbs.push(...verbs.filter((verb) => !known.verbs.includes(verb)));
    missing.set(key, known);
  }
  return [...missing.values()].map(({ rule, verbs }) => ({ ...rule, verbs }));
}

const quoted = (values: readonly string[]): string =>
  `[${values.map((value) => JSON.stringify(value)).join(" ")}]`;

/** `{APIGroups:[""], Resources:["pods"], Verbs:["get"]}` */
function describe(rule: PolicyRule): string {
  const parts = (
    [
      ["APIGroups", rule.apiGroups],
      ["Resources", rule.resources],
      ["NonResourceURLs", rule.nonResourceURLs],
      ["ResourceNames", rule.resourceNames],
      ["Verbs", rule.verbs],
    ] as const
  ).flatMap(([name, values]) => ((values ?? []).length === 0 ? [] : [`${name}:${quoted(values ?? [])}`]));
  return `{${parts.join(", ")}}`;
}

export interface EscalationDeps {
  /** Undefined while the server starts: then only its own components write. */
  view(): RbacView | undefined;
  readonly authorizer: Authorizer;
}

/** Says no more than what is missing; nothing when the caller has it all. */
function refusal(
  view: RbacView,
  caller: Caller,
  namespace: string,
  wanted: readonly PolicyRule[],
): string | undefined {
  const held = [...rulesFor(view, caller, namespace)].map(({ rule }) => rule);
  const missing = missingRules(held, wanted);
  if (missing.length === 0) return undefined;
  const lines = [...new Set(missing.map(describe))].sort().join("\n");
  return `user ${JSON.stringify(caller.name)} (groups=${quoted(caller.groups)}) is attempting to grant RBAC permissions not currently held:\n${lines}`;
}

export function escalationCheck({ view, authorizer }: EscalationDeps): AdmissionPlugin {
  async function may(
    request: AdmissionRequest,
    verb: string,
    resource: string,
    name: string,
  ): Promise<boolean> {
    const { caller, namespace } = request;
    const rest = { group, version: "v1", subresource: "", path: "", isResource: true, fields: [] };
    const decision = await authorizer.authorize({ caller, verb, resource, namespace, name, ...rest });
    return decision.verdict === "allow";
  }

  async function checkRole(request: AdmissionRequest, rbac: RbacView): Promise<string | undefined> {
    const { object, old, caller, namespace, name, resource } = request;
    const [role, before] = [object as RoleObject, old as RoleObject | undefined];
    const same = (key: "rules" | "aggregationRule"): boolean => isDeepStrictEqual(role[key], before?.[key]);
    if (before !== undefined && same("rules") && same("aggregationRule")) return undefined;
    if (await may(request, "escalate", resource.resource, name)) return undefined;
    const why = refusal(rbac, caller, namespace, role.rules ?? []);
    if (why !== undefined || role.aggregationRule === undefined) return why;
    return refusal(rbac, caller, namespace, everything) === undefined
      ? undefined
      : "must have cluster-admin privileges to use the aggregationRule";
  }

  async function checkBinding(request: AdmissionRequest, rbac: RbacView): Promise<string | undefined> {
    const { object, old, caller, namespace } = request;
    const [binding, before] = [object as BindingObject, old as BindingObject | undefined];
    const same = (key: "roleRef" | "subjects"): boolean => isDeepStrictEqual(binding[key], before?.[key]);
    if (before !== undefined && same("roleRef") && same("subjects")) return undefined;
    const { kind = "", name = "" } = binding.roleRef ?? {};
    const resource = kind === "ClusterRole" ? "clusterroles" : "roles";
    if (await may(request, "bind", resource, name)) return undefined;
    const rules = kind === "ClusterRole" ? rbac.clusterRoleRules(name) : rbac.roleRules(namespace, name);
    if (rules === undefined) throw notFound({ group, resource }, name);
    return refusal(rbac, caller, namespace, rules);
  }

  return {
    name: "RBACEscalation",
    async validate(request) {
      const { resource, subresource, operation, caller, name } = request;
      if (resource.group !== group || subresource !== "" || operation === "DELETE") return;
      const rbac = view();
      if (rbac === undefined || caller.groups.includes("system:masters")) return;
      const why = resource.resource.endsWith("bindings")
        ? await checkBinding(request, rbac)
        : await checkRole(request, rbac);
      if (why !== undefined) throw forbiddenError({ group, resource: resource.resource }, name, why);
    },
  };
}
