// APIService: who serves a version of a group: this server, or another one behind a Service.

import { timestamp } from "#base/clock.ts";
import { defineResource } from "#machinery/define-resource.ts";
import type { APIService, APIServiceSpec } from "#machinery/gen/types/apiregistration-v1.ts";
import { child, index, invalid, notSupported, required, type FieldError } from "#machinery/field-error.ts";
import { checkDns1035Label, checkDnsSubdomain, checkPathSegment, checkPortNumber } from "#machinery/names.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { each, keep } from "../field-checks.ts";
import { keepMetadataOfObject } from "../status-metadata.ts";

const groupPriorityMax = 20_000;
const versionPriorityMax = 1000;

const nameOf = ({ version = "", group = "" }: APIServiceSpec): string => `${version}.${group}`;

function validateService(spec: APIServiceSpec): FieldError[] {
  const { service, caBundle = "", insecureSkipTLSVerify: insecure = false } = spec;
  const errors: FieldError[] = [];
  if (service === undefined) {
    if (caBundle !== "")
      errors.push(
        invalid(
          "spec.caBundle",
          `${Buffer.byteLength(caBundle, "base64")} bytes`,
          "local APIServices may not have a caBundle",
        ),
      );
    if (insecure)
      errors.push(
        invalid(
          "spec.insecureSkipTLSVerify",
          insecure,
          "local APIServices may not have insecureSkipTLSVerify",
        ),
      );
    return errors;
  }
  const path = "spec.service";
  if (!service.namespace) errors.push(required(child(path, "namespace")));
  if (!service.name) errors.push(required(child(path, "name")));
  const why = checkPortNumber(service.port ?? 443);
  if (why.length > 0)
    errors.push(invalid(child(path, "port"), service.port, `port is not valid: ${why.join(", ")}`));
  if (insecure && caBundle !== "")
    errors.push(invalid("spec.insecureSkipTLSVerify", insecure, "may not be true if caBundle is present"));
  return errors;
}

function validate({ metadata, spec }: APIService): FieldError[] {
  const { group = "", version = "", groupPriorityMinimum = 0, versionPriority = 0 } = spec ?? {};
  const errors: FieldError[] = [];
  const wanted = nameOf(spec ?? { groupPriorityMinimum, versionPriority });
  if (metadata?.name !== wanted)
    errors.push(
      invalid(
        "metadata.name",
        metadata?.name ?? "",
        `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(wanted)}`,
      ),
    );
  if (group === "" && version !== "v1")
    errors.push(required("spec.group", "only v1 may have an empty group and it better be legacy kube"));
  if (group !== "") errors.push(...each(checkDnsSubdomain(group), "spec.group", group));
  errors.push(...each(checkDns1035Label(version), "spec.version", version));
  if (groupPriorityMinimum <= 0 || groupPriorityMinimum > groupPriorityMax)
    errors.push(
      invalid(
        "spec.groupPriorityMinimum",
        groupPriorityMinimum,
        `must be positive and less than ${groupPriorityMax}`,
      ),
    );
  if (versionPriority <= 0 || versionPriority > versionPriorityMax)
    errors.push(
      invalid(
        "spec.versionPriority",
        versionPriority,
        `must be positive and less than ${versionPriorityMax}`,
      ),
    );
  return spec === undefined ? errors : [...errors, ...validateService(spec)];
}

function available({ status }: APIService): string {
  const condition = status?.conditions?.find(({ type }) => type === "Available");
  if (condition === undefined) return "Unknown";
  return condition.status === "True" || !condition.reason
    ? condition.status
    : `${condition.status} (${condition.reason})`;
}

export const apiService = defineResource<APIService>({
  group: "apiregistration.k8s.io",
  version: "v1",
  kind: "APIService",
  resource: "apiservices",
  categories: ["api-extensions"],
  namespaced: false,
  validateName: checkPathSegment,
  columns: [
    nameColumn,
    column("Service", ({ spec }) =>
      spec?.service === undefined ? "Local" : `${spec.service.namespace ?? ""}/${spec.service.name ?? ""}`,
    ),
    column("Available", available),
    ageColumn,
  ],
  applyDefaults: ({ spec }) => {
    if (spec?.service !== undefined) spec.service.port ??= 443;
  },
  prepareForCreate: (draft, { nowMs }) => {
    draft.status = {};
    // What this server serves itself is always there.
    if (draft.spec?.service === undefined)
      draft.status.conditions = [
        {
          type: "Available",
          status: "True",
          lastTransitionTime: timestamp(nowMs),
          reason: "Local",
          message: "Local APIServices are always available",
        },
      ];
  },
  prepareForUpdate: (draft, old) => keep(draft, old, "status"),
  validate,
  status: {
    prepareForUpdate: keepMetadataOfObject,
    validateUpdate: ({ status }) =>
      (status?.conditions ?? []).flatMap(({ status: is }, at) =>
        ["False", "True", "Unknown"].includes(is)
          ? []
          : [notSupported(child(index("status.conditions", at), "status"), is, ["False", "True", "Unknown"])],
      ),
  },
});
