// What both kinds of admission policies and their bindings have in common. Pure; what expressions mean is checked on admission.

import type {
  MatchCondition,
  MatchResources,
  ParamKind,
  ParamRef,
  Variable,
} from "#machinery/gen/types/admissionregistration-v1.ts";
import {
  child,
  forbidden,
  index,
  invalid,
  notSupported,
  required,
  type FieldError,
} from "#machinery/field-error.ts";
import { checkDns1035Label, checkDnsSubdomain, checkPathSegment } from "#machinery/names.ts";
import { each, oneOf, validateLabelSelector } from "../field-checks.ts";
import { failurePolicies, matchResourcesDefaults, validateMatchResources } from "./rules.ts";
import { validateConditions } from "./webhooks.ts";

const identifier = /^[_a-zA-Z][_a-zA-Z0-9]*$/;

export interface PolicySpec {
  paramKind?: ParamKind;
  matchConstraints?: MatchResources;
  failurePolicy?: string;
  matchConditions?: MatchCondition[];
  variables?: Variable[];
}

interface BindingSpec {
  policyName?: string;
  paramRef?: ParamRef;
  matchResources?: MatchResources;
}

function validateParamKind({ apiVersion = "", kind = "" }: ParamKind, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const own = child(path, "apiVersion");
  const parts = apiVersion.split("/");
  if (apiVersion === "") errors.push(required(own));
  else if (parts.length > 2)
    errors.push(invalid(own, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  else {
    const [version = "", group = ""] = parts.toReversed();
    if (group !== "") errors.push(...each(checkDnsSubdomain(group), own, apiVersion));
    errors.push(...each(checkDns1035Label(version), own, apiVersion));
  }
  if (kind === "") return [...errors, required(child(path, "kind"))];
  const why = checkDns1035Label(kind.toLowerCase());
  if (why.length > 0)
    errors.push(
      invalid(child(path, "kind"), kind, `may have mixed case, but should otherwise match: ${why.join(",")}`),
    );
  return errors;
}

/** An expression that is there at all. */
export const expression = (text: string | undefined, path: string): FieldError[] =>
  (text ?? "").trim() === "" ? [required(path, `${path.split(".").at(-1)} is not specified`)] : [];

function validateVariables(variables: readonly Variable[] | undefined): FieldError[] {
  return (variables ?? []).flatMap(({ name, expression: text }, at) => {
    const own = index("spec.variables", at);
    const errors: FieldError[] = [];
    if (!name) errors.push(required(child(own, "name"), "name is not specified"));
    else if (!identifier.test(name))
      errors.push(invalid(child(own, "name"), name, "name is not a valid CEL identifier"));
    return [...errors, ...expression(text, child(own, "expression"))];
  });
}

export function validatePolicy(spec: PolicySpec): FieldError[] {
  const { paramKind, matchConstraints } = spec;
  const constraints = "spec.matchConstraints";
  return [
    ...oneOf(spec.failurePolicy, failurePolicies, "spec.failurePolicy"),
    ...(paramKind === undefined ? [] : validateParamKind(paramKind, "spec.paramKind")),
    ...(matchConstraints === undefined
      ? [required(constraints)]
      : validateMatchResources(matchConstraints, constraints)),
    ...(matchConstraints !== undefined && (matchConstraints.resourceRules ?? []).length === 0
      ? [required(`${constraints}.resourceRules`)]
      : []),
    ...validateConditions(spec.matchConditions, "spec.matchConditions"),
    ...validateVariables(spec.variables),
  ];
}

export function policyDefaults(spec: PolicySpec | undefined): void {
  if (spec === undefined) return;
  spec.failurePolicy ??= "Fail";
  matchResourcesDefaults(spec.matchConstraints);
}

function validateParamRef({ name = "", selector, parameterNotFoundAction: action }: ParamRef): FieldError[] {
  const path = "spec.paramRef";
  const errors = name === "" ? [] : each(checkPathSegment(name), child(path, "name"), name);
  const both = "name and selector are mutually exclusive";
  if (name !== "" && selector !== undefined) errors.push(forbidden(child(path, "name"), both));
  if (selector !== undefined) {
    errors.push(...validateLabelSelector(selector, child(path, "selector")));
    if (name !== "") errors.push(forbidden(child(path, "selector"), both));
  }
  if (name === "" && selector === undefined)
    errors.push(required(path, "one of name or selector must be specified"));
  const own = child(path, "parameterNotFoundAction");
  if (!action) errors.push(required(own));
  else if (action !== "Allow" && action !== "Deny") errors.push(notSupported(own, action, ["Deny", "Allow"]));
  return errors;
}

export function validateBinding({ policyName, paramRef, matchResources }: BindingSpec): FieldError[] {
  return [
    ...(policyName
      ? each(checkDnsSubdomain(policyName), "spec.policyName", policyName)
      : [required("spec.policyName")]),
    ...(paramRef === undefined ? [] : validateParamRef(paramRef)),
    ...(matchResources === undefined ? [] : validateMatchResources(matchResources, "spec.matchResources")),
  ];
}

export function bindingDefaults(spec: BindingSpec | undefined): void {
  if (spec?.paramRef !== undefined) spec.paramRef.parameterNotFoundAction ??= "Deny";
  matchResourcesDefaults(spec?.matchResources);
}

export const paramKindCell = ({ spec }: { spec?: PolicySpec }): string =>
  spec?.paramKind === undefined
    ? "<unset>"
    : `${spec.paramKind.apiVersion ?? ""}/${spec.paramKind.kind ?? ""}`;

export function paramRefCell({ spec }: { spec?: BindingSpec }): string {
  if (spec?.paramRef === undefined) return "<unset>";
  const { namespace = "", name = "" } = spec.paramRef;
  return namespace === "" ? name : `${namespace}/${name}`;
}
