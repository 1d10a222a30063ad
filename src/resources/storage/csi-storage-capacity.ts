// CSIStorageCapacity: how much room a storage class has for the nodes that it selects.

import { isDeepStrictEqual } from "node:util";
import { defineResource } from "#machinery/define-resource.ts";
import type { CSIStorageCapacity } from "#machinery/gen/types/storage-v1.ts";
import { invalid, type FieldError } from "#machinery/field-error.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { compareQuantities } from "#machinery/quantity.ts";
import { column, nameColumn } from "../columns.ts";
import { each, isImmutable, mustNotBeNegative, validateLabelSelector } from "../field-checks.ts";

function notNegative(amount: string | undefined, path: string): FieldError[] {
  return amount !== undefined && compareQuantities(amount, "0") < 0
    ? [invalid(path, amount, mustNotBeNegative)]
    : [];
}

function validate(object: CSIStorageCapacity): FieldError[] {
  const { storageClassName = "", nodeTopology, capacity, maximumVolumeSize } = object;
  return [
    ...each(checkDnsSubdomain(storageClassName), "storageClassName", storageClassName),
    ...validateLabelSelector(nodeTopology, "nodeTopology"),
    ...notNegative(capacity, "capacity"),
    ...notNegative(maximumVolumeSize, "maximumVolumeSize"),
  ];
}

export const csiStorageCapacity = defineResource<CSIStorageCapacity>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSIStorageCapacity",
  resource: "csistoragecapacities",
  namespaced: true,
  validateName: nameCheck(checkDnsSubdomain),
  columns: [nameColumn, column("Created At", ({ metadata }) => metadata?.creationTimestamp ?? "")],
  validate,
  validateUpdate: (next, old) => [
    ...validate(next),
    ...(["nodeTopology", "storageClassName"] as const)
      .filter((field) => !isDeepStrictEqual(next[field], old[field]))
      .map((field) => invalid(field, next[field], isImmutable)),
  ],
});
