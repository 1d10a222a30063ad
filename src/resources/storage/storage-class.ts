// StorageClass: how volumes are made that nobody has made before.

import { isDeepStrictEqual } from "node:util";
import { defineResource } from "#machinery/define-resource.ts";
import type { StorageClass } from "#machinery/gen/types/storage-v1.ts";
import { child, duplicate, index, invalid, required, type FieldError } from "#machinery/field-error.ts";
import { checkDnsSubdomain, checkQualifiedName, nameCheck } from "#machinery/names.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { each, isImmutable, labelName, oneOf } from "../field-checks.ts";
import { nameOfClass, parameters, unchanged } from "./rules.ts";

const path = "allowedTopologies";

function validateTopologies({ allowedTopologies = [] }: StorageClass): FieldError[] {
  return allowedTopologies.flatMap(({ matchLabelExpressions = [] }, at) => {
    const own = child(index(path, at), "matchLabelExpressions");
    const keys = new Set<string>();
    const errors = matchLabelExpressions.flatMap(({ key, values = [] }, i): FieldError[] => {
      const one = index(own, i);
      const seen = keys.has(key);
      keys.add(key);
      return [
        ...(values.length === 0 ? [required(child(one, "values"))] : []),
        ...values.flatMap((value, j) =>
          values.indexOf(value) < j ? [duplicate(index(child(one, "values"), j), value)] : [],
        ),
        ...labelName(key, child(one, "key")),
        ...(seen ? [duplicate(child(one, "key"), key)] : []),
      ];
    });
    const again = allowedTopologies
      .slice(0, at)
      .some((before) => isDeepStrictEqual(before.matchLabelExpressions, matchLabelExpressions));
    return again ? [...errors, duplicate(own, "")] : errors;
  });
}

function validate(object: StorageClass): FieldError[] {
  const { provisioner, volumeBindingMode } = object;
  return [
    ...(provisioner
      ? each(checkQualifiedName(provisioner.toLowerCase()), "provisioner", provisioner)
      : [required("provisioner")]),
    ...parameters(object.parameters, "parameters"),
    ...oneOf(object.reclaimPolicy, ["Delete", "Retain"], "reclaimPolicy"),
    ...oneOf(volumeBindingMode, ["Immediate", "WaitForFirstConsumer"], "volumeBindingMode"),
    ...validateTopologies(object),
  ];
}

export const storageClass = defineResource<StorageClass>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "StorageClass",
  resource: "storageclasses",
  shortNames: ["sc"],
  namespaced: false,
  returnsDeleted: true,
  validateName: nameCheck(checkDnsSubdomain),
  columns: [
    {
      ...nameColumn,
      cell: (object) =>
        nameOfClass(
          object,
          "storageclass.kubernetes.io/is-default-class",
          "storageclass.beta.kubernetes.io/is-default-class",
        ),
    },
    column("Provisioner", (object) => object.provisioner),
    column("ReclaimPolicy", (object) => object.reclaimPolicy ?? "Delete"),
    column("VolumeBindingMode", (object) => object.volumeBindingMode ?? "Immediate"),
    column("AllowVolumeExpansion", (object) => object.allowVolumeExpansion ?? false),
    ageColumn,
  ],
  applyDefaults: (draft) => {
    draft.reclaimPolicy ??= "Delete";
    draft.volumeBindingMode ??= "Immediate";
  },
  validate,
  validateUpdate: (next, old) => [
    ...unchanged(next, old, "parameters", "provisioner", "reclaimPolicy"),
    ...(next.volumeBindingMode === old.volumeBindingMode
      ? []
      : [invalid("volumeBindingMode", next.volumeBindingMode, isImmutable)]),
    ...validateTopologies(next),
  ],
});
