// Which requests a policy, a binding or a webhook is about: rules over operations and resources, and selectors over
// the object's and its namespace's labels. Pure.
import type {
  MatchResources,
  NamedRuleWithOperations,
} from "#machinery/gen/types/admissionregistration-v1.ts";
import type { DeepReadonly, KubeObject } from "#machinery/meta.ts";
import { matches, selectorFromObject, type LabelSelectorObject } from "#machinery/selectors.ts";
import type { AdmissionRequest } from "./contract.ts";

export type MatchRequest = Pick<
  AdmissionRequest,
  "operation" | "resource" | "subresource" | "namespace" | "name" | "object" | "old"
>;

type Rule = DeepReadonly<Omit<NamedRuleWithOperations, "resourceNames"> & { resourceNames?: string[] }>;

const includes = (values: readonly string[] | undefined, value: string): boolean =>
  values !== undefined && (values.includes("*") || values.includes(value));

// A pattern is one of: pods, pods/status, pods/*, * (no subresources), */scale, */*.
function resourceMatches(
  patterns: readonly string[] | undefined,
  resource: string,
  subresource: string,
): boolean {
  return (patterns ?? []).some((pattern) => {
    const [main = "", sub = ""] = pattern.split("/");
    return (main === "*" || main === resource) && (sub === "*" || sub === subresource);
  });
}

export function ruleMatches(rule: Rule, request: MatchRequest): boolean {
  const { group, version, resource } = request.resource;
  const { scope = "*", resourceNames = [] } = rule;
  const clusterScoped = request.namespace === "" || isNamespace(request);
  return (
    (scope === "*" || scope === (clusterScoped ? "Cluster" : "Namespaced")) &&
    includes(rule.operations, request.operation) &&
    includes(rule.apiGroups, group) &&
    includes(rule.apiVersions, version) &&
    resourceMatches(rule.resources, resource, request.subresource) &&
    (resourceNames.length === 0 || resourceNames.includes(request.name))
  );
}

export const isNamespace = ({ resource }: MatchRequest): boolean =>
  resource.group === "" && resource.resource === "namespaces";

type SelectorObject = DeepReadonly<LabelSelectorObject> | undefined;
type Labelled = DeepReadonly<KubeObject> | undefined;

const selects = (selector: SelectorObject, object: Labelled): boolean =>
  object !== undefined && matches(selectorFromObject(selector) ?? [], object.metadata?.labels);
const selectsAll = (selector: SelectorObject): boolean => (selectorFromObject(selector) ?? []).length === 0;

/** An object matches as it was or as it shall be. */
export const objectMatches = (selector: SelectorObject, { object, old }: MatchRequest): boolean =>
  selectsAll(selector) || selects(selector, object) || selects(selector, old);

/** Namespaces match by their own labels; what is in no namespace always does. */
export function namespaceMatches(
  selector: SelectorObject,
  request: MatchRequest,
  namespace: Labelled,
): boolean {
  if (selectsAll(selector)) return true;
  if (isNamespace(request)) return selects(selector, request.object ?? request.old);
  return request.namespace === "" || selects(selector, namespace);
}

/** Whether the rules are about a request; everything where there are none. */
function rulesMatch(constraints: DeepReadonly<MatchResources>, request: MatchRequest): boolean {
  const { resourceRules = [], excludeResourceRules = [] } = constraints;
  if (excludeResourceRules.some((rule) => ruleMatches(rule, request))) return false;
  return resourceRules.length === 0 || resourceRules.some((rule) => ruleMatches(rule, request));
}

/** The request as it is now, in the version that somebody knows. */
export type View = () => AdmissionRequest | Promise<AdmissionRequest>;

/**
 * The request itself where it matches, or else in the first version of its resource that does; undefined where none
 * does. `Exact` knows no other versions.
 */
export function viewFor(
  matchPolicy: string | undefined,
  request: AdmissionRequest,
  accepts: (request: MatchRequest) => boolean,
): View | undefined {
  if (accepts(request)) return () => request;
  if (matchPolicy === "Exact") return undefined;
  const { operation, subresource, namespace, name, object, old } = request;
  const found = request
    .equivalents()
    .find(({ resource }) => accepts({ operation, resource, subresource, namespace, name, object, old }));
  return found === undefined ? undefined : () => found.view();
}

/** As `viewFor`, for all that a policy or a binding says. `namespace` is the one that the request is in. */
export function resourcesView(
  constraints: DeepReadonly<MatchResources> | undefined,
  request: AdmissionRequest,
  namespace: Labelled,
): View | undefined {
  if (constraints === undefined) return () => request;
  const { namespaceSelector, objectSelector, matchPolicy } = constraints;
  if (!namespaceMatches(namespaceSelector, request, namespace) || !objectMatches(objectSelector, request))
    return undefined;
  return viewFor(matchPolicy, request, (one) => rulesMatch(constraints, one));
}
