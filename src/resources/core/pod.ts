// Pod: containers that run together on one node.

import { sameJson } from "#machinery/apply/equal.ts";
import { defineResource } from "#machinery/define-resource.ts";
import type { Pod, PodSpec } from "#machinery/gen/types/core-v1.ts";
import { forbidden, required, type FieldError } from "#machinery/field-error.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { podColumns } from "./pod-columns.ts";
import { podSpecDefaults } from "./pod-defaults.ts";
import { ephemeralContainers, resize } from "./pod/pod-parts.ts";
import { podWarnings } from "./pod/pod-warnings.ts";
import { podQos } from "./pod/qos.ts";
import { validatePodSpec } from "./pod-validation.ts";

const core = (kind: string) => ({ group: "", version: "v1", kind });

/** What an update may change: images, deadline, more tolerations, a grace period that was negative, gates. */
function mutableParts(spec: PodSpec, old: PodSpec): PodSpec {
  const images = (containers: PodSpec["containers"], before: PodSpec["containers"]): PodSpec["containers"] =>
    (containers ?? []).map((container, at) => ({
      ...container,
      image: before?.[at]?.image ?? container.image,
    }));
  const next: PodSpec = { ...spec, containers: images(spec.containers, old.containers) };
  if (spec.initContainers !== undefined)
    next.initContainers = images(spec.initContainers, old.initContainers ?? []);
  for (const key of ["activeDeadlineSeconds", "tolerations", "schedulingGates"] as const) {
    if (old[key] === undefined) delete next[key];
    else (next as unknown as Record<string, unknown>)[key] = old[key];
  }
  return next;
}

function validateUpdate(next: Pod, old: Pod): FieldError[] {
  const [spec, before] = [next.spec, old.spec];
  // What is as it was has been found valid: labels and annotations are most of what is ever changed.
  if (sameJson(spec, before)) return [];
  const errors = validate(next);
  if (spec === undefined || before === undefined) return errors;
  if ((spec.containers ?? []).length !== (before.containers ?? []).length) {
    errors.push(forbidden("spec.containers", "pod updates may not add or remove containers"));
  } else if (!sameJson(mutableParts(spec, before), before)) {
    errors.push(
      forbidden(
        "spec",
        "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
      ),
    );
  }
  const kept = spec.tolerations ?? [];
  if ((before.tolerations ?? []).some((one) => !kept.some((other) => sameJson(one, other)))) {
    errors.push(
      forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds"),
    );
  }
  return errors;
}

function validate(pod: Pod): FieldError[] {
  return pod.spec === undefined ? [required("spec.containers")] : validatePodSpec(pod.spec, "spec");
}

/** What a new pod cannot have: containers for debugging come later, into a pod that runs. */
function validateCreate(pod: Pod): FieldError[] {
  const errors = validate(pod);
  if ((pod.spec?.ephemeralContainers ?? []).length > 0)
    errors.push(forbidden("spec.ephemeralContainers", "cannot be set on create"));
  if (pod.spec?.nodeName && (pod.spec.schedulingGates ?? []).length > 0)
    errors.push(forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared"));
  return errors;
}

export const pod = defineResource<Pod>({
  ...core("Pod"),
  resource: "pods",
  shortNames: ["po"],
  categories: ["all"],
  namespaced: true,
  returnsDeleted: true,
  validateName: nameCheck(checkDnsSubdomain),
  columns: podColumns,
  generation: "spec",
  applyDefaults: (draft) => {
    podSpecDefaults((draft.spec ??= { containers: [] }));
    draft.spec.enableServiceLinks ??= true;
  },
  prepareForCreate: (draft) => {
    draft.status = { phase: "Pending", qosClass: podQos(draft) };
  },
  prepareForUpdate: (draft, old) => {
    if (old.status === undefined) delete draft.status;
    else draft.status = old.status;
  },
  validate: validateCreate,
  // Once it runs it is changed by components more than by people.
  warnings: ({ metadata, spec }, old) =>
    old === undefined ? podWarnings(metadata?.annotations, spec, "") : [],
  validateUpdate,
  rewriteLegacy: (raw) => {
    const warnings: string[] = [];
    const spec = raw["spec"] as Record<string, unknown> | undefined;
    if (Object.hasOwn(raw, "id")) {
      delete raw["id"];
      warnings.push(`unknown field "id": today's field is "metadata.name"`);
    }
    if (typeof spec === "object" && spec !== null) {
      for (const [field, today] of [
        ["version", "apiVersion"],
        ["name", "metadata.name"],
      ] as const) {
        if (!Object.hasOwn(spec, field)) continue;
        delete spec[field];
        warnings.push(`unknown field "spec.${field}": today's field is "${today}"`);
      }
    }
    return warnings;
  },
  selectableFields: {
    "spec.nodeName": (object) => object.spec?.nodeName ?? "",
    "spec.restartPolicy": (object) => object.spec?.restartPolicy ?? "",
    "spec.schedulerName": (object) => object.spec?.schedulerName ?? "",
    "spec.serviceAccountName": (object) => object.spec?.serviceAccountName ?? "",
    "spec.hostNetwork": (object) => String(object.spec?.hostNetwork ?? false),
    "status.phase": (object) => object.status?.phase ?? "",
    "status.podIP": (object) => object.status?.podIP ?? "",
    "status.podIPs": (object) => (object.status?.podIPs ?? []).map(({ ip }) => ip ?? "").join(","),
    "status.nominatedNodeName": (object) => object.status?.nominatedNodeName ?? "",
  },
  status: { validateUpdate: () => [] },
  parts: { ephemeralcontainers: ephemeralContainers, resize },
  resetFields: {
    "": ["status"],
    status: ["spec", "metadata.deletionTimestamp", "metadata.ownerReferences"],
  },
  subresources: {
    attach: { verbs: ["create", "get"], kind: core("PodAttachOptions") },
    binding: { verbs: ["create"], kind: core("Binding") },
    eviction: { verbs: ["create"], kind: { group: "policy", version: "v1", kind: "Eviction" } },
    exec: { verbs: ["create", "get"], kind: core("PodExecOptions") },
    log: { verbs: ["get"], kind: core("Pod") },
    portforward: { verbs: ["create", "get"], kind: core("PodPortForwardOptions") },
    proxy: { verbs: ["create", "delete", "get", "patch", "update"], kind: core("PodProxyOptions") },
  },
  gracePeriod: (object, requested) => {
    const finished = object.status?.phase === "Failed" || object.status?.phase === "Succeeded";
    if (!object.spec?.nodeName || finished) return 0;
    const wanted = requested ?? object.spec.terminationGracePeriodSeconds ?? 30;
    return wanted < 0 ? 1 : wanted;
  },
});
