// FlowSchema: which requests belong to which priority level.

import { isDeepStrictEqual } from "node:util";
import { defineResource } from "#machinery/define-resource.ts";
import type {
  FlowSchema,
  FlowSchemaSpec,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  Subject,
} from "#machinery/gen/types/flowcontrol-v1.ts";
import {
  child,
  forbidden,
  index,
  invalid,
  notSupported,
  required,
  type FieldError,
} from "#machinery/field-error.ts";
import { checkDnsLabel, checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { each, keep, oneOf } from "../field-checks.ts";
import { keepMetadataOfObject } from "../status-metadata.ts";
import { mandatorySchemas } from "./fixed.ts";

const precedenceMax = 10_000;
const verbs = [
  "*",
  "create",
  "delete",
  "deletecollection",
  "get",
  "list",
  "patch",
  "proxy",
  "update",
  "watch",
];
const fields = { User: "user", Group: "group", ServiceAccount: "serviceAccount" } as const;
type SubjectKind = keyof typeof fields;

function validateSubject(subject: Subject, path: string): FieldError[] {
  const { kind } = subject;
  const kinds = Object.keys(fields) as SubjectKind[];
  if (!kinds.includes(kind as SubjectKind))
    return [notSupported(child(path, "kind"), kind, ["Group", "ServiceAccount", "User"])];
  const errors: FieldError[] = [];
  for (const one of kinds) {
    const own = child(path, fields[one]);
    if (one === kind && subject[fields[one]] === undefined)
      errors.push(required(own, `${fields[one]} is required when subject kind is '${kind}'`));
    else if (one !== kind && subject[fields[one]] !== undefined)
      errors.push(forbidden(own, `${fields[one]} is forbidden when subject kind is not '${one}'`));
  }
  const named = subject[fields[kind as SubjectKind]];
  if (named === undefined) return errors;
  const own = child(path, fields[kind as SubjectKind]);
  if (!named.name) errors.push(required(child(own, "name")));
  else if (kind === "ServiceAccount" && named.name !== "*")
    errors.push(...each(checkDnsSubdomain(named.name), child(own, "name"), named.name));
  const { namespace } = subject.serviceAccount ?? {};
  if (kind !== "ServiceAccount") return errors;
  if (!namespace)
    return [...errors, required(child(own, "namespace"), "must specify namespace for service account")];
  return [...errors, ...each(checkDnsLabel(namespace), child(own, "namespace"), namespace)];
}

/** A list with at least one word; beside `*` there is no other. */
function words(
  given: readonly string[] | undefined,
  path: string,
  missing: string,
  what: string,
): FieldError[] {
  if (given === undefined || given.length === 0) return [required(path, missing)];
  return given.length > 1 && given.includes("*")
    ? [invalid(path, given, `if '*' is present, must not specify other ${what}`)]
    : [];
}

function validateVerbs(given: readonly string[] | undefined, path: string): FieldError[] {
  const errors = words(given, path, "verbs must contain at least one value", "verbs");
  return errors.length > 0 || (given ?? []).every((verb) => verbs.includes(verb))
    ? errors
    : [notSupported(path, given, verbs)];
}

function validateResourceRule(rule: ResourcePolicyRule, path: string): FieldError[] {
  const { namespaces = [], clusterScope = false } = rule;
  const own = child(path, "namespaces");
  const errors = [
    ...validateVerbs(rule.verbs, child(path, "verbs")),
    ...words(
      rule.apiGroups,
      child(path, "apiGroups"),
      "resource rules must supply at least one api group",
      "api groups",
    ),
    ...words(
      rule.resources,
      child(path, "resources"),
      "resource rules must supply at least one resource",
      "resources",
    ),
  ];
  if (namespaces.length === 0 && !clusterScope)
    errors.push(
      required(own, "resource rules that are not cluster scoped must supply at least one namespace"),
    );
  else if (namespaces.includes("*")) {
    if (namespaces.length > 1)
      errors.push(invalid(own, namespaces, "if '*' is present, must not specify other namespaces"));
  } else
    for (const [at, one] of namespaces.entries())
      errors.push(...each(checkDnsLabel(one), index(own, at), one));
  return errors;
}

function validateUrl(url: string, path: string): FieldError[] {
  if (url === "") return [invalid(path, url, "must not be empty")];
  if (url === "/" || url === "*") return [];
  if (!url.startsWith("/")) return [invalid(path, url, "must start with slash")];
  if (url.includes(" ")) return [invalid(path, url, "must not contain white-space")];
  if (url.includes("//")) return [invalid(path, url, "must not contain double slash")];
  const star = url.indexOf("*");
  return star < 0 || (star === url.length - 1 && url.endsWith("/*"))
    ? []
    : [invalid(path, url, "wildcard can only do suffix matching")];
}

function validateNonResourceRule(rule: NonResourcePolicyRule, path: string): FieldError[] {
  const own = child(path, "nonResourceURLs");
  const urls = words(
    rule.nonResourceURLs,
    own,
    "nonResourceURLs must contain at least one value",
    "non-resource URLs",
  );
  return [
    ...validateVerbs(rule.verbs, child(path, "verbs")),
    ...urls,
    ...(urls.length > 0 ? [] : rule.nonResourceURLs.flatMap((url, at) => validateUrl(url, index(own, at)))),
  ];
}

function validateRules(rule: PolicyRulesWithSubjects, path: string): FieldError[] {
  const { subjects = [], resourceRules = [], nonResourceRules = [] } = rule;
  const places = { subjects: child(path, "subjects"), resources: child(path, "resourceRules") };
  return [
    ...(subjects.length === 0
      ? [required(places.subjects, "subjects must contain at least one value")]
      : subjects.flatMap((one, at) => validateSubject(one, index(places.subjects, at)))),
    ...(resourceRules.length + nonResourceRules.length === 0
      ? [required(path, "at least one of resourceRules and nonResourceRules has to be non-empty")]
      : []),
    ...resourceRules.flatMap((one, at) => validateResourceRule(one, index(places.resources, at))),
    ...nonResourceRules.flatMap((one, at) =>
      validateNonResourceRule(one, index(child(path, "nonResourceRules"), at)),
    ),
  ];
}

function validateSpec(spec: FlowSchemaSpec, name: string): FieldError[] {
  const { matchingPrecedence = 0, distinguisherMethod } = spec;
  const level = spec.priorityLevelConfiguration?.name;
  const own = "spec.matchingPrecedence";
  const errors: FieldError[] = [];
  if (matchingPrecedence <= 0) errors.push(invalid(own, matchingPrecedence, "must be a positive value"));
  if (matchingPrecedence > precedenceMax)
    errors.push(invalid(own, matchingPrecedence, `must not be greater than ${precedenceMax}`));
  if (matchingPrecedence === 1 && name !== "exempt")
    errors.push(
      invalid(own, matchingPrecedence, "only the schema named 'exempt' may have matchingPrecedence 1"),
    );
  errors.push(...oneOf(distinguisherMethod?.type, ["ByNamespace", "ByUser"], "spec.distinguisherMethod"));
  const reference = "spec.priorityLevelConfiguration.name";
  if (!level) errors.push(required(reference, "must reference a priority level"));
  else errors.push(...each(checkDnsSubdomain(level), reference, level));
  return [...errors, ...(spec.rules ?? []).flatMap((one, at) => validateRules(one, index("spec.rules", at)))];
}

function validate({ metadata, spec }: FlowSchema): FieldError[] {
  const name = metadata?.name ?? "";
  const errors = validateSpec(spec ?? { priorityLevelConfiguration: { name: "" } }, name);
  const fixed = Object.hasOwn(mandatorySchemas, name) ? mandatorySchemas[name] : undefined;
  if (fixed !== undefined && !isDeepStrictEqual(spec, fixed))
    errors.push(invalid("spec", spec, `spec of '${name}' must equal the fixed value`));
  return errors;
}

const dangling = ({ status }: FlowSchema): string =>
  status?.conditions?.find(({ type }) => type === "Dangling")?.status ?? "?";

export const flowSchema = defineResource<FlowSchema>({
  group: "flowcontrol.apiserver.k8s.io",
  version: "v1",
  kind: "FlowSchema",
  resource: "flowschemas",
  namespaced: false,
  validateName: nameCheck(checkDnsSubdomain),
  generation: "spec",
  columns: [
    nameColumn,
    column("PriorityLevel", ({ spec }) => spec?.priorityLevelConfiguration.name ?? ""),
    column("MatchingPrecedence", ({ spec }) => String(spec?.matchingPrecedence ?? 0)),
    column("DistinguisherMethod", ({ spec }) => spec?.distinguisherMethod?.type ?? "<none>"),
    ageColumn,
    column("MissingPL", dangling),
  ],
  applyDefaults: ({ spec }) => {
    if (spec !== undefined) spec.matchingPrecedence ||= 1000;
  },
  prepareForCreate: (draft) => {
    draft.status = {};
  },
  prepareForUpdate: (draft, old) => keep(draft, old, "status"),
  validate,
  status: { prepareForUpdate: keepMetadataOfObject },
});
