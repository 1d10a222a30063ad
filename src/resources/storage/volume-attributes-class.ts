// VolumeAttributesClass: properties of volumes that may be changed while they exist, under a name.

import { defineResource } from "#machinery/define-resource.ts";
import type { VolumeAttributesClass } from "#machinery/gen/types/storage-v1.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { driverName, nameOfClass, parameters, unchanged } from "./rules.ts";

export const volumeAttributesClass = defineResource<VolumeAttributesClass>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "VolumeAttributesClass",
  resource: "volumeattributesclasses",
  shortNames: ["vac"],
  namespaced: false,
  returnsDeleted: true,
  validateName: nameCheck(checkDnsSubdomain),
  columns: [
    {
      ...nameColumn,
      cell: (object) => nameOfClass(object, "volumeattributesclass.alpha.kubernetes.io/is-default-class"),
    },
    column("DriverName", (object) => object.driverName),
    ageColumn,
  ],
  validate: (object) => [
    ...driverName(object.driverName, "driverName"),
    ...parameters(object.parameters, "parameters", { needed: true }),
  ],
  validateUpdate: (next, old) => unchanged(next, old, "driverName", "parameters"),
});
