// CSINode: which storage drivers a node has, and how many volumes each can attach there.

import { isDeepStrictEqual } from "node:util";
import { defineResource } from "#machinery/define-resource.ts";
import type { CSINode, CSINodeDriver } from "#machinery/gen/types/storage-v1.ts";
import {
  child,
  duplicate,
  index,
  invalid,
  required,
  tooLong,
  type FieldError,
} from "#machinery/field-error.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { isImmutable, labelName, nonNegative } from "../field-checks.ts";
import { driverName } from "./rules.ts";

const nodeIdBytesMax = 192;

function validateDriver(
  { name, nodeID, allocatable, topologyKeys = [] }: CSINodeDriver,
  path: string,
): FieldError[] {
  const [id, keys] = [child(path, "nodeID"), child(path, "topologyKeys")];
  return [
    ...driverName(name, child(path, "name")),
    ...(nodeID ? [] : [required(id)]),
    ...(Buffer.byteLength(nodeID ?? "") > nodeIdBytesMax ? [tooLong(id, nodeIdBytesMax)] : []),
    ...nonNegative(allocatable?.count, child(path, "allocatable.count")),
    ...topologyKeys.flatMap((key, at) => [
      ...(key === "" ? [required(keys)] : labelName(key, keys)),
      ...(topologyKeys.indexOf(key) < at ? [duplicate(keys, key)] : []),
    ]),
  ];
}

function validate({ spec }: CSINode): FieldError[] {
  const drivers = spec?.drivers ?? [];
  return drivers.flatMap((driver, at) => {
    const own = index("spec.drivers", at);
    const again = drivers.slice(0, at).some(({ name }) => name === driver.name);
    return [...validateDriver(driver, own), ...(again ? [duplicate(child(own, "name"), driver.name)] : [])];
  });
}

/** All but what can be attached. */
const fixed = ({ name, nodeID, topologyKeys }: CSINodeDriver): unknown[] => [name, nodeID, topologyKeys];

/** A driver may come and go, but what it said of the node stays. */
function validateUpdate(next: CSINode, old: CSINode): FieldError[] {
  const before = new Map((old.spec?.drivers ?? []).map((driver) => [driver.name, driver]));
  return [
    ...validate(next),
    ...(next.spec?.drivers ?? []).flatMap((driver) => {
      const known = before.get(driver.name);
      return known === undefined || isDeepStrictEqual(fixed(known), fixed(driver))
        ? []
        : [invalid("CSINodeDriver", driver, isImmutable)];
    }),
  ];
}

export const csiNode = defineResource<CSINode>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSINode",
  resource: "csinodes",
  namespaced: false,
  returnsDeleted: true,
  validateName: nameCheck(checkDnsSubdomain),
  columns: [
    nameColumn,
    column("Drivers", ({ spec }) => (spec?.drivers ?? []).length, { type: "integer" }),
    ageColumn,
  ],
  validate,
  validateUpdate,
});
