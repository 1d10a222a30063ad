// ReplicationController: as many pods of one template as asked for.

import { defineResource } from "#machinery/define-resource.ts";
import type { ReplicationController } from "#machinery/gen/types/core-v1.ts";
import { invalid, notSupported, required, type FieldError } from "#machinery/field-error.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { formatSelector, matches, selectorFromMap } from "#machinery/selectors.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { podSpecDefaults } from "./pod-defaults.ts";
import { templateWarnings } from "./pod/pod-warnings.ts";
import { validatePodSpec } from "./pod-validation.ts";

const mustNotBeNegative = "must be greater than or equal to 0";

function validate(object: ReplicationController): FieldError[] {
  const { replicas = 0, selector, template, minReadySeconds = 0 } = object.spec ?? {};
  const errors: FieldError[] = [];
  if (minReadySeconds < 0) errors.push(invalid("spec.minReadySeconds", minReadySeconds, mustNotBeNegative));
  if (selector === undefined || Object.keys(selector).length === 0) errors.push(required("spec.selector"));
  if (replicas < 0) errors.push(invalid("spec.replicas", replicas, mustNotBeNegative));
  if (template === undefined) return [...errors, required("spec.template")];
  const labels = template.metadata?.labels ?? {};
  if (selector !== undefined && !matches(selectorFromMap(selector), labels)) {
    errors.push(
      invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`"),
    );
  }
  errors.push(...validatePodSpec(template.spec ?? { containers: [] }, "spec.template.spec"));
  const policy = template.spec?.restartPolicy;
  if (policy !== undefined && policy !== "Always")
    errors.push(notSupported("spec.template.spec.restartPolicy", policy, ["Always"]));
  return errors;
}

const containers = (object: ReplicationController) => object.spec?.template?.spec?.containers ?? [];

export const replicationController = defineResource<ReplicationController>({
  group: "",
  version: "v1",
  kind: "ReplicationController",
  resource: "replicationcontrollers",
  shortNames: ["rc"],
  categories: ["all"],
  namespaced: true,
  validateName: nameCheck(checkDnsSubdomain),
  generation: "spec",
  defaultPropagation: "Orphan",
  columns: [
    nameColumn,
    column("Desired", (object) => object.spec?.replicas ?? 0, { type: "integer" }),
    column("Current", (object) => object.status?.replicas ?? 0, { type: "integer" }),
    column("Ready", (object) => object.status?.readyReplicas ?? 0, { type: "integer" }),
    ageColumn,
    column(
      "Containers",
      (object) =>
        containers(object)
          .map(({ name }) => name)
          .join(","),
      { wide: true },
    ),
    column(
      "Images",
      (object) =>
        containers(object)
          .map(({ image }) => image ?? "")
          .join(","),
      { wide: true },
    ),
    column("Selector", (object) => formatSelector(selectorFromMap(object.spec?.selector)), { wide: true }),
  ],
  applyDefaults: (draft) => {
    const spec = (draft.spec ??= {});
    const labels = spec.template?.metadata?.labels;
    if (labels !== undefined && Object.keys(labels).length > 0) {
      if (spec.selector === undefined || Object.keys(spec.selector).length === 0)
        spec.selector = { ...labels };
      const metadata = (draft.metadata ??= {});
      if (metadata.labels === undefined || Object.keys(metadata.labels).length === 0)
        metadata.labels = { ...labels };
    }
    spec.replicas ??= 1;
    if (spec.template?.spec !== undefined) podSpecDefaults(spec.template.spec);
  },
  prepareForCreate: (draft) => {
    draft.status = { replicas: 0 };
  },
  prepareForUpdate: (draft, old) => {
    draft.status = old.status ?? { replicas: 0 };
  },
  validate,
  warnings: (object, old) => templateWarnings(object.spec?.template, "spec.template", object, old),
  selectableFields: { "status.replicas": (object) => String(object.status?.replicas ?? 0) },
  status: {},
  scale: {
    specReplicasPath: "spec.replicas",
    statusReplicasPath: "status.replicas",
    selector: (object: KubeObject) =>
      formatSelector(selectorFromMap((object as ReplicationController).spec?.selector)),
  },
});
