// PersistentVolumeClaim: storage that is asked for, of a size and a class.

import { isDeepStrictEqual } from "node:util";
import { defineResource } from "#machinery/define-resource.ts";
import { child, forbidden, invalid, required, type FieldError } from "#machinery/field-error.ts";
import type {
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  TypedLocalObjectReference,
} from "#machinery/gen/types/core-v1.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { compareQuantities } from "#machinery/quantity.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { each, oneOf, validateLabelSelector } from "../field-checks.ts";
import { accessModesText, classAnnotation, validateAccessModes, volumeModes } from "./storage-columns.ts";

function validateSize(spec: PersistentVolumeClaimSpec, path: string): FieldError[] {
  const size = spec.resources?.requests?.["storage"];
  if (size === undefined) return [required(`${path}.resources[storage]`)];
  return compareQuantities(size, "0") > 0
    ? []
    : [invalid(`${path}.resources[storage]`, size, "must be greater than zero")];
}

function validateSource(source: TypedLocalObjectReference | undefined, path: string): FieldError[] {
  if (source === undefined) return [];
  const errors: FieldError[] = [];
  if (!source.name) errors.push(required(child(path, "name")));
  if (!source.kind) errors.push(required(child(path, "kind")));
  if (!source.apiGroup && source.kind !== "PersistentVolumeClaim")
    errors.push(
      invalid(path, source.kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"),
    );
  else if (source.apiGroup)
    errors.push(...each(checkDnsSubdomain(source.apiGroup), child(path, "apiGroup"), source.apiGroup));
  return errors;
}

/** All errors of a claim's spec, at `path`: of claims, and of the claims that pods and sets make. */
export function validateClaimSpec(spec: PersistentVolumeClaimSpec, path: string): FieldError[] {
  const { dataSource, dataSourceRef } = spec;
  const errors = [
    ...validateLabelSelector(spec.selector, child(path, "selector")),
    ...validateAccessModes(
      spec.accessModes,
      child(path, "accessModes"),
      "at least 1 access mode is required",
    ),
    ...validateSize(spec, path),
    ...oneOf(spec.volumeMode, volumeModes, child(path, "volumeMode")),
    ...validateSource(dataSource, child(path, "dataSource")),
    ...validateSource(dataSourceRef, child(path, "dataSourceRef")),
  ];
  for (const name of ["storageClassName", "volumeAttributesClassName"] as const)
    if (spec[name]) errors.push(...each(checkDnsSubdomain(spec[name]), child(path, name), spec[name]));
  const { namespace: _n, ...reference } = dataSourceRef ?? { kind: "", name: "" };
  if (dataSource !== undefined && dataSourceRef !== undefined && !isDeepStrictEqual(dataSource, reference))
    errors.push(invalid(path, dataSource, "must match dataSourceRef"));
  return errors;
}

/** What was decided when the claim was made stays; a claim that has a volume may ask for more of it. */
function validateChange(next: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const [now, before] = [next.spec ?? {}, old.spec ?? {}];
  const isBound = old.status?.phase === "Bound";
  const [size = "0", last = "0"] = [
    now.resources?.requests?.["storage"],
    before.resources?.requests?.["storage"],
  ];
  const errors: FieldError[] = [];
  const isResized = compareQuantities(size, last) !== 0;
  const rest = (spec: PersistentVolumeClaimSpec): PersistentVolumeClaimSpec => {
    const { resources: _r, volumeAttributesClassName: _v, ...others } = spec;
    // A claim is given its volume once; until then its class may be found for it.
    if (before.volumeName === undefined) delete others.volumeName;
    if (before.storageClassName === undefined) delete others.storageClassName;
    return others;
  };
  const isChanged =
    !isDeepStrictEqual(rest(now), rest(before)) ||
    (!isBound && (isResized || now.volumeAttributesClassName !== before.volumeAttributesClassName));
  if (isChanged)
    errors.push(
      forbidden(
        "spec",
        "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims",
      ),
    );
  const has = old.status?.capacity?.["storage"] ?? last;
  if (isBound && compareQuantities(size, has) < 0)
    errors.push(forbidden("spec.resources.requests.storage", "field can not be less than status.capacity"));
  return errors;
}

const validate = ({ spec }: PersistentVolumeClaim): FieldError[] => validateClaimSpec(spec ?? {}, "spec");
const unset = "<unset>";

export const persistentVolumeClaim = defineResource<PersistentVolumeClaim>({
  group: "",
  version: "v1",
  kind: "PersistentVolumeClaim",
  resource: "persistentvolumeclaims",
  shortNames: ["pvc"],
  namespaced: true,
  validateName: nameCheck(checkDnsSubdomain),
  columns: [
    nameColumn,
    column("Status", ({ metadata, status }) =>
      metadata?.deletionTimestamp === undefined ? (status?.phase ?? "") : "Terminating",
    ),
    column("Volume", ({ spec }) => spec?.volumeName ?? ""),
    column("Capacity", ({ spec, status }) =>
      spec?.volumeName ? (status?.capacity?.["storage"] ?? "0") : "",
    ),
    column("Access Modes", ({ spec, status }) =>
      spec?.volumeName ? accessModesText(status?.accessModes) : "",
    ),
    column(
      "StorageClass",
      ({ metadata, spec }) => metadata?.annotations?.[classAnnotation] ?? spec?.storageClassName ?? "",
    ),
    column("VolumeAttributesClass", ({ spec }) => spec?.volumeAttributesClassName ?? unset),
    ageColumn,
    column("VolumeMode", ({ spec }) => spec?.volumeMode ?? unset, { wide: true }),
  ],
  applyDefaults: (draft) => {
    const spec = (draft.spec ??= {});
    spec.volumeMode ??= "Filesystem";
    (draft.status ??= {}).phase ??= "Pending";
    const { dataSource, dataSourceRef } = spec;
    if (dataSourceRef === undefined && dataSource !== undefined) spec.dataSourceRef = { ...dataSource };
    else if (dataSource === undefined && dataSourceRef !== undefined && !dataSourceRef.namespace) {
      const { namespace: _n, ...local } = dataSourceRef;
      spec.dataSource = local;
    }
  },
  prepareForCreate: (draft) => {
    draft.status = { phase: "Pending" };
  },
  prepareForUpdate: (draft, old) => {
    draft.status = structuredClone(old.status ?? { phase: "Pending" });
  },
  validate,
  validateUpdate: (next, old) => [...validate(next), ...validateChange(next, old)],
  status: {
    validateUpdate: ({ status }) =>
      Object.entries(status?.capacity ?? {}).flatMap(([name, amount]) =>
        compareQuantities(amount, "0") < 0
          ? [invalid(`status.capacity[${name}]`, amount, "must be greater than or equal to 0")]
          : [],
      ),
  },
});
