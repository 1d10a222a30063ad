// What is a valid CustomResourceDefinition, its schemas aside (those are schema-validation.ts's). Pure.

import {
  child,
  forbidden,
  index,
  invalid,
  notSupported,
  required,
  type FieldError,
} from "#machinery/field-error.ts";
import type {
  CustomResourceColumnDefinition,
  CustomResourceConversion,
  CustomResourceDefinition,
  CustomResourceDefinitionSpec as Spec,
  CustomResourceDefinitionVersion as Version,
  WebhookClientConfig,
} from "#machinery/gen/types/apiextensions-v1.ts";
import { checkDns1035Label, checkDnsSubdomain } from "#machinery/names.ts";
import { validateWebhookService, validateWebhookUrl } from "../webhook-client.ts";
import { approvedAnnotation, isSystemGroup, isTrue, validateNames } from "./names.ts";

const columnTypes = ["boolean", "date", "integer", "number", "string"];
const columnFormats = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
const warningLengthMax = 256;

export function validateDefinition(crd: CustomResourceDefinition): FieldError[] {
  const { spec, metadata } = crd;
  const name = metadata?.name ?? "";
  const required = `${spec.names.plural}.${spec.group}`;
  return [
    ...(name === required
      ? []
      : [invalid("metadata.name", name, `must be spec.names.plural+"."+spec.group`)]),
    ...validateSpec(spec),
    ...validateApproval(crd),
  ];
}

function validateApproval({ spec, metadata }: CustomResourceDefinition): FieldError[] {
  if (!isSystemGroup(spec.group)) return [];
  const path = `metadata.annotations[${approvedAnnotation}]`;
  const value = metadata?.annotations?.[approvedAnnotation] ?? "";
  const see = "see https://github.com/kubernetes/enhancements/pull/1111";
  if (value === "")
    return [required(path, `protected groups must have approval annotation "${approvedAnnotation}", ${see}`)];
  if (value.startsWith("unapproved") || /^https?:\/\/[^/]+\/.+/.test(value)) return [];
  const why = `protected groups must have approval annotation "${approvedAnnotation}" with either a URL or a reason starting with "unapproved", ${see}`;
  return [invalid(path, value, why)];
}

export function validateSpec(spec: Spec): FieldError[] {
  const errors: FieldError[] = [];
  const { group, scope, versions, names } = spec;
  if (group === "") errors.push(required("spec.group"));
  else {
    const wrong = checkDnsSubdomain(group);
    if (wrong.length > 0) errors.push(invalid("spec.group", group, wrong.join(",")));
    else if (!group.includes("."))
      errors.push(invalid("spec.group", group, "should be a domain with at least one dot"));
  }
  if (scope === "") errors.push(required("spec.scope"));
  else if (scope !== "Cluster" && scope !== "Namespaced")
    errors.push(notSupported("spec.scope", scope, ["Cluster", "Namespaced"]));
  versions.forEach((version, at) => errors.push(...validateVersion(version, index("spec.versions", at))));
  eachOnce(versions, "subresources", (version, path) => errors.push(...validateSubresources(version, path)));
  eachOnce(versions, "additionalPrinterColumns", (version, path) =>
    (version.additionalPrinterColumns ?? []).forEach((column, at) =>
      errors.push(...validateColumn(column, index(path, at))),
    ),
  );
  if (new Set(versions.map((version) => version.name)).size !== versions.length)
    errors.push(invalid("spec.versions", versions, "must contain unique version names"));
  if (versions.filter(({ storage }) => storage).length !== 1)
    errors.push(
      invalid("spec.versions", versions, "must have exactly one version marked as storage version"),
    );
  errors.push(...validateNames(names, "spec.names"));
  if (spec.preserveUnknownFields === true) {
    const why =
      "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
    errors.push(invalid("spec.preserveUnknownFields", true, why));
  }
  if (spec.conversion !== undefined) errors.push(...validateConversion(spec.conversion, "spec.conversion"));
  return errors;
}

/** What all versions have in common is the definition's own: errors name it once, as the first form of the API did. */
export function eachOnce(
  versions: readonly Version[],
  field: "subresources" | "additionalPrinterColumns" | "selectableFields",
  visit: (version: Version, path: string) => void,
): void {
  const [first] = versions;
  if (first === undefined) return;
  if (versions.every((one) => JSON.stringify(one[field]) === JSON.stringify(first[field])))
    visit(first, child("spec", field));
  else versions.forEach((version, at) => visit(version, child(index("spec.versions", at), field)));
}

function validateVersion(version: Version, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const wrong = checkDns1035Label(version.name);
  if (wrong.length > 0) errors.push(invalid(child(path, "name"), version.name, wrong.join(",")));
  if (version.schema?.openAPIV3Schema === undefined)
    errors.push(required(child(path, "schema.openAPIV3Schema"), "schemas are required"));
  const why = warningError(version);
  if (why !== undefined)
    errors.push(invalid(child(path, "deprecationWarning"), version.deprecationWarning, why));
  return errors;
}

function warningError({ deprecated, deprecationWarning: warning }: Version): string | undefined {
  if (warning === undefined) return undefined;
  if (deprecated !== true) return "can only be set for deprecated versions";
  if (warning === "") return "must not be an empty string";
  if (warning.length > warningLengthMax) return `must be <= ${warningLengthMax} characters long`;
  const at = [...warning].findIndex((character) => /[^\P{C}]/u.test(character) || /[^\S ]/u.test(character));
  if (at < 0) return undefined;
  return `must only contain printable UTF-8 characters; non-printable character found at index ${at}`;
}

function simplePath(value: string, path: string): FieldError[] {
  return value.startsWith(".") ? [] : [invalid(path, value, "must be a simple json path starting with .")];
}

function validateSubresources({ subresources }: Version, path: string): FieldError[] {
  const scale = subresources?.scale;
  if (scale === undefined) return [];
  const check = (field: "specReplicasPath" | "statusReplicasPath" | "labelSelectorPath"): FieldError[] => {
    const value = scale[field] ?? "";
    const at = child(path, `scale.${field}`);
    if (value === "") return field === "labelSelectorPath" ? [] : [required(at)];
    const errors = simplePath(value, at);
    if (errors.length > 0) return errors;
    const [under, why] =
      field === "specReplicasPath"
        ? [value.startsWith(".spec."), "should be a json path under .spec"]
        : field === "statusReplicasPath"
          ? [value.startsWith(".status."), "should be a json path under .status"]
          : [/^\.(spec|status)\./.test(value), "should be a json path under either .status or .spec"];
    return under ? [] : [invalid(at, value, why)];
  };
  return [...check("specReplicasPath"), ...check("statusReplicasPath"), ...check("labelSelectorPath")];
}

function validateColumn(column: CustomResourceColumnDefinition, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const types = `must be one of ${columnTypes.join(",")}`;
  if (column.name === "") errors.push(required(child(path, "name")));
  if (column.type === "") errors.push(required(child(path, "type"), types));
  else if (!columnTypes.includes(column.type)) errors.push(invalid(child(path, "type"), column.type, types));
  if (column.format && !columnFormats.includes(column.format))
    errors.push(invalid(child(path, "format"), column.format, `must be one of ${columnFormats.join(",")}`));
  if (column.jsonPath === "") errors.push(required(child(path, "jsonPath")));
  else errors.push(...simplePath(column.jsonPath, child(path, "jsonPath")));
  return errors;
}

function validateConversion(conversion: CustomResourceConversion, path: string): FieldError[] {
  const { strategy, webhook } = conversion;
  // Fields are named as they are inside of the server, as documented errors do.
  const [config, versions] = [child(path, "webhookClientConfig"), child(path, "conversionReviewVersions")];
  if (strategy === "") return [required(child(path, "strategy"))];
  if (strategy !== "None" && strategy !== "Webhook")
    return [notSupported(child(path, "strategy"), strategy, ["None", "Webhook"])];
  const given = webhook?.conversionReviewVersions ?? [];
  if (strategy === "None") {
    const only = "should not be set when strategy is not set to Webhook";
    return [
      ...(webhook?.clientConfig === undefined ? [] : [forbidden(config, only)]),
      ...(given.length === 0 ? [] : [forbidden(versions, only)]),
    ];
  }
  const errors =
    webhook?.clientConfig === undefined
      ? [required(config, "required when strategy is set to Webhook")]
      : [
          ...validateClientConfig(webhook.clientConfig, config),
          ...validateAuthorities(webhook.clientConfig, config),
        ];
  return [...errors, ...validateReviewVersions(given, versions)];
}

function validateReviewVersions(given: readonly string[], path: string): FieldError[] {
  if (given.length === 0) return [required(path, "must specify one of v1, v1beta1")];
  const wrong = given.flatMap((version, at) => {
    if (given.indexOf(version) !== at) return [invalid(index(path, at), version, "duplicate version")];
    const errors = checkDns1035Label(version);
    return errors.length === 0 ? [] : [invalid(index(path, at), version, errors.join(","))];
  });
  if (wrong.length > 0 || given.some((version) => version === "v1" || version === "v1beta1")) return wrong;
  return [invalid(path, given, "must include at least one of v1, v1beta1")];
}

function validateAuthorities({ caBundle }: WebhookClientConfig, path: string): FieldError[] {
  if (!caBundle || Buffer.from(caBundle, "base64").toString("latin1").includes("-----BEGIN CERTIFICATE-----"))
    return [];
  const why = "unable to load root certificates: unable to parse bytes as PEM block";
  return [invalid(child(path, "caBundle"), caBundle, why)];
}

function validateClientConfig({ url, service }: WebhookClientConfig, path: string): FieldError[] {
  if ((url === undefined) === (service === undefined))
    return [required(path, "exactly one of url or service is required")];
  if (url !== undefined) return validateWebhookUrl(url, child(path, "url"));
  return service === undefined ? [] : validateWebhookService(service, child(path, "service"));
}

const immutable = (path: string, next: unknown, old: unknown): FieldError[] =>
  next === old ? [] : [invalid(path, next, "field is immutable")];

/** What may not change: names and group ever, scope and kind once the definition is established. */
export function validateDefinitionUpdate(
  crd: CustomResourceDefinition,
  old: CustomResourceDefinition,
): FieldError[] {
  const { spec } = crd;
  return [
    ...validateDefinition(crd),
    ...(isTrue(old, "Established")
      ? [
          ...immutable("spec.scope", spec.scope, old.spec.scope),
          ...immutable("spec.names.kind", spec.names.kind, old.spec.names.kind),
        ]
      : []),
    ...immutable("spec.group", spec.group, old.spec.group),
    ...immutable("spec.names.plural", spec.names.plural, old.spec.names.plural),
    ...validateStoredVersions(crd),
  ];
}

/** Objects may be stored in each of them, so each must be known still. */
export function validateStoredVersions({ spec, status }: CustomResourceDefinition): FieldError[] {
  const path = "status.storedVersions";
  const stored = status?.storedVersions ?? [];
  if (stored.length === 0) return [invalid(path, stored, "must have at least one stored version")];
  const known = new Set(spec.versions.map(({ name }) => name));
  const current = spec.versions.find(({ storage }) => storage)?.name;
  const errors = stored.flatMap((name, at) =>
    known.has(name) ? [] : [invalid(index(path, at), name, "must appear in spec.versions")],
  );
  if (current !== undefined && !stored.includes(current))
    errors.push(invalid(path, stored, `must have the storage version ${current}`));
  return errors;
}
