// Which requests a webhook or a policy is about: operations, groups, versions, resources, selectors. Pure.

import type {
  MatchResources,
  NamedRuleWithOperations,
  RuleWithOperations,
} from "#machinery/gen/types/admissionregistration-v1.ts";
import {
  child,
  duplicate,
  index,
  invalid,
  notSupported,
  required,
  type FieldError,
} from "#machinery/field-error.ts";
import { checkPathSegment } from "#machinery/names.ts";
import { each, oneOf, validateLabelSelector } from "../field-checks.ts";

const operations = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
const scopes = ["*", "Cluster", "Namespaced"];
export const failurePolicies = ["Fail", "Ignore"];
export const matchPolicies = ["Equivalent", "Exact"];

/** A list with at least one word; beside `*` there is no other. */
function words(given: readonly string[] | undefined, path: string, what: string): FieldError[] {
  if (given === undefined || given.length === 0) return [required(path)];
  return given.length > 1 && given.includes("*")
    ? [invalid(path, given, `if '*' is present, must not specify other ${what}`)]
    : [];
}

function validateResources(resources: readonly string[] | undefined, path: string): FieldError[] {
  if (resources === undefined || resources.length === 0) return [required(path)];
  const errors: FieldError[] = [];
  /** Resources with all their subresources, and subresources of every resource. */
  const [whole, everywhere] = [new Set<string>(), new Set<string>()];
  let plain = false;
  for (const [at, text] of resources.entries()) {
    const own = index(path, at);
    if (text === "") {
      errors.push(required(own));
      continue;
    }
    const slash = text.indexOf("/");
    const [resource, sub] = slash < 0 ? [text, ""] : [text.slice(0, slash), text.slice(slash + 1)];
    if (slash < 0 && text !== "*") plain = true;
    if (slash < 0 || text === "*/*") continue;
    if (whole.has(resource))
      errors.push(invalid(own, text, `if '${resource}/*' is present, must not specify ${text}`));
    if (everywhere.has(sub))
      errors.push(invalid(own, text, `if '*/${sub}' is present, must not specify ${text}`));
    if (sub === "*") whole.add(resource);
    if (resource === "*") everywhere.add(sub);
  }
  if (resources.length > 1 && resources.includes("*/*"))
    errors.push(invalid(path, resources, "if '*/*' is present, must not specify other resources"));
  if (resources.includes("*") && plain)
    errors.push(
      invalid(path, resources, "if '*' is present, must not specify other resources without subresources"),
    );
  return errors;
}

export function validateRule(rule: RuleWithOperations, path: string): FieldError[] {
  const versions = child(path, "apiVersions");
  return [
    ...words(rule.operations, child(path, "operations"), "operations"),
    ...(rule.operations ?? []).flatMap((operation, at) =>
      operations.includes(operation)
        ? []
        : [notSupported(index(child(path, "operations"), at), operation, operations)],
    ),
    ...words(rule.apiGroups, child(path, "apiGroups"), "API groups"),
    ...words(rule.apiVersions, versions, "API versions"),
    ...(rule.apiVersions ?? []).flatMap((version, at) =>
      version === "" ? [required(index(versions, at))] : [],
    ),
    ...validateResources(rule.resources, child(path, "resources")),
    ...oneOf(rule.scope, scopes, child(path, "scope")),
  ];
}

function validateNamedRule(rule: NamedRuleWithOperations, path: string): FieldError[] {
  const names = rule.resourceNames ?? [];
  return [
    ...names.flatMap((name, at) => {
      const own = index(child(path, "resourceNames"), at);
      return [
        ...each(checkPathSegment(name), own, name),
        ...(names.indexOf(name) < at ? [duplicate(own, name)] : []),
      ];
    }),
    ...validateRule(rule, path),
  ];
}

export function validateMatchResources(match: MatchResources, path: string): FieldError[] {
  const { matchPolicy, namespaceSelector, objectSelector } = match;
  return [
    ...(matchPolicy === undefined
      ? [required(child(path, "matchPolicy"))]
      : oneOf(matchPolicy, matchPolicies, child(path, "matchPolicy"))),
    ...(namespaceSelector === undefined
      ? [required(child(path, "namespaceSelector"))]
      : validateLabelSelector(namespaceSelector, child(path, "namespaceSelector"))),
    ...(objectSelector === undefined
      ? [required(child(path, "objectSelector"))]
      : validateLabelSelector(objectSelector, child(path, "objectSelector"))),
    ...(["resourceRules", "excludeResourceRules"] as const).flatMap((field) =>
      (match[field] ?? []).flatMap((rule, at) => validateNamedRule(rule, index(child(path, field), at))),
    ),
  ];
}

export function ruleDefaults(rules: readonly RuleWithOperations[] | undefined): void {
  for (const rule of rules ?? []) rule.scope ??= "*";
}

export function matchResourcesDefaults(match: MatchResources | undefined): void {
  if (match === undefined) return;
  match.matchPolicy ??= "Equivalent";
  match.namespaceSelector ??= {};
  match.objectSelector ??= {};
  ruleDefaults(match.resourceRules);
  ruleDefaults(match.excludeResourceRules);
}
