// What both kinds of webhook configurations have in common. Pure; what their expressions mean is checked on admission.

import type {
  MutatingWebhook,
  ValidatingWebhook,
  WebhookClientConfig,
} from "#machinery/gen/types/admissionregistration-v1.ts";
import {
  child,
  duplicate,
  index,
  invalid,
  notSupported,
  required,
  tooMany,
  type FieldError,
} from "#machinery/field-error.ts";
import { checkDns1035Label, checkDnsSubdomain, checkQualifiedName } from "#machinery/names.ts";
import { each, oneOf, validateLabelSelector } from "../field-checks.ts";
import { validateWebhookService, validateWebhookUrl } from "../webhook-client.ts";
import { failurePolicies, matchPolicies, ruleDefaults, validateRule } from "./rules.ts";

type Webhook = ValidatingWebhook | MutatingWebhook;

const sideEffects = ["None", "NoneOnDryRun"];
const reviewVersions = ["v1", "v1beta1"];
const conditionsMax = 64;

/** A domain of at least three labels. */
function fullyQualified(name: string | undefined, path: string): FieldError[] {
  if (!name) return [required(path)];
  const why = checkDnsSubdomain(name);
  if (why.length > 0) return [invalid(path, name, why.join(","))];
  return name.split(".").length < 3
    ? [invalid(path, name, "should be a domain with at least three segments separated by dots")]
    : [];
}

function validateVersions(versions: readonly string[] | undefined, path: string): FieldError[] {
  const known = reviewVersions.join(", ");
  if (versions === undefined || versions.length === 0)
    return [required(path, `must specify one of ${known}`)];
  const errors = versions.flatMap((version, at) => {
    const own = index(path, at);
    if (versions.indexOf(version) < at) return [invalid(own, version, "duplicate version")];
    const why = checkDns1035Label(version);
    return why.length === 0 ? [] : [invalid(own, version, why.join(","))];
  });
  if (!versions.some((version) => reviewVersions.includes(version)))
    errors.push(invalid(path, versions, `must include at least one of ${known}`));
  return errors;
}

function validateClient({ url, service }: WebhookClientConfig, path: string): FieldError[] {
  if ((url === undefined) === (service === undefined))
    return [required(path, "exactly one of url or service is required")];
  if (url !== undefined) return validateWebhookUrl(url, child(path, "url"));
  return service === undefined ? [] : validateWebhookService(service, child(path, "service"));
}

export function validateConditions(
  conditions: readonly { name: string; expression: string }[] | undefined,
  path: string,
): FieldError[] {
  if (conditions === undefined) return [];
  const names = new Set<string>();
  const errors = conditions.flatMap(({ name = "", expression = "" }, at) => {
    const own = index(path, at);
    const again = name !== "" && names.has(name);
    names.add(name);
    return [
      ...(expression.trim() === "" ? [required(child(own, "expression"))] : []),
      ...(name === ""
        ? [required(child(own, "name"))]
        : each(checkQualifiedName(name), child(own, "name"), name)),
      ...(again ? [duplicate(child(own, "name"), name)] : []),
    ];
  });
  return conditions.length > conditionsMax
    ? [tooMany(path, conditions.length, conditionsMax), ...errors]
    : errors;
}

function validateWebhook(hook: Webhook, path: string): FieldError[] {
  const { timeoutSeconds: seconds, sideEffects: effects } = hook;
  const errors = [
    ...fullyQualified(hook.name, child(path, "name")),
    ...(hook.rules ?? []).flatMap((rule, at) => validateRule(rule, index(child(path, "rules"), at))),
    ...oneOf(hook.failurePolicy, failurePolicies, child(path, "failurePolicy")),
    ...oneOf(hook.matchPolicy, matchPolicies, child(path, "matchPolicy")),
  ];
  const own = child(path, "sideEffects");
  if (effects === undefined) errors.push(required(own, `must specify one of ${sideEffects.join(", ")}`));
  else if (!sideEffects.includes(effects)) errors.push(notSupported(own, effects, sideEffects));
  if (seconds !== undefined && (seconds < 1 || seconds > 30))
    errors.push(
      invalid(child(path, "timeoutSeconds"), seconds, "the timeout value must be between 1 and 30 seconds"),
    );
  return [
    ...errors,
    ...validateLabelSelector(hook.namespaceSelector, child(path, "namespaceSelector")),
    ...validateLabelSelector(hook.objectSelector, child(path, "objectSelector")),
    ...oneOf(
      "reinvocationPolicy" in hook ? hook.reinvocationPolicy : undefined,
      ["IfNeeded", "Never"],
      child(path, "reinvocationPolicy"),
    ),
    ...validateClient(hook.clientConfig ?? {}, child(path, "clientConfig")),
    ...validateConditions(hook.matchConditions, child(path, "matchConditions")),
  ];
}

export function validateWebhooks(hooks: readonly Webhook[] | undefined): FieldError[] {
  const names = new Set<string>();
  return (hooks ?? []).flatMap((hook, at) => {
    const own = index("webhooks", at);
    const again = Boolean(hook.name) && names.has(hook.name);
    names.add(hook.name);
    return [
      ...validateWebhook(hook, own),
      ...validateVersions(hook.admissionReviewVersions, child(own, "admissionReviewVersions")),
      ...(again ? [duplicate(child(own, "name"), hook.name)] : []),
    ];
  });
}

export function webhookDefaults(hook: Webhook): void {
  hook.failurePolicy ??= "Fail";
  hook.matchPolicy ??= "Equivalent";
  hook.namespaceSelector ??= {};
  hook.objectSelector ??= {};
  hook.timeoutSeconds ??= 10;
  if (hook.clientConfig?.service !== undefined) hook.clientConfig.service.port ??= 443;
  ruleDefaults(hook.rules);
}
