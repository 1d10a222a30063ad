// PersistentVolume: storage of the cluster that one claim at a time may have.

import { isDeepStrictEqual } from "node:util";
import { defineResource } from "#machinery/define-resource.ts";
import {
  child,
  forbidden,
  invalid,
  notSupported,
  required,
  type FieldError,
} from "#machinery/field-error.ts";
import type { PersistentVolume, PersistentVolumeSpec } from "#machinery/gen/types/core-v1.ts";
import { timestamp } from "#base/clock.ts";
import { checkDnsSubdomain, nameCheck } from "#machinery/names.ts";
import { compareQuantities } from "#machinery/quantity.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { each, isImmutable, oneOf } from "../field-checks.ts";
import { accessModesText, classAnnotation, validateAccessModes, volumeModes } from "./storage-columns.ts";
import { validateNodeSelectorTerms } from "./pod/scheduling-validation.ts";

/** The fields of a spec that are not where the storage is. */
const own: ReadonlySet<string> = new Set([
  "capacity",
  "accessModes",
  "claimRef",
  "persistentVolumeReclaimPolicy",
  "storageClassName",
  "mountOptions",
  "volumeMode",
  "nodeAffinity",
  "volumeAttributesClassName",
]);
const policies = ["Delete", "Recycle", "Retain"];

const sourceOf = (spec: PersistentVolumeSpec): [string, unknown][] =>
  Object.entries(spec).filter(([name, value]) => !own.has(name) && value !== undefined);

/** What each kind of storage cannot do without. */
const needs: Readonly<Record<string, readonly string[]>> = {
  hostPath: ["path"],
  local: ["path"],
  nfs: ["server", "path"],
  csi: ["driver", "volumeHandle"],
  iscsi: ["targetPortal", "iqn"],
  gcePersistentDisk: ["pdName"],
  awsElasticBlockStore: ["volumeID"],
  cephfs: ["monitors"],
  rbd: ["monitors", "image"],
  glusterfs: ["endpoints", "path"],
  cinder: ["volumeID"],
  azureDisk: ["diskName", "diskURI"],
  azureFile: ["secretName", "shareName"],
  vsphereVolume: ["volumePath"],
  flexVolume: ["driver"],
  portworxVolume: ["volumeID"],
};

function validateSource(spec: PersistentVolumeSpec): FieldError[] {
  const [first, ...more] = sourceOf(spec);
  if (first === undefined) return [required("spec", "must specify a volume type")];
  const [name, source] = first;
  const errors = more.map(([other]) =>
    forbidden(child("spec", other), "may not specify more than 1 volume type"),
  );
  const fields = source as Record<string, unknown>;
  for (const field of needs[name] ?? []) {
    const value = fields[field];
    if (value === undefined || value === "" || (Array.isArray(value) && value.length === 0))
      errors.push(required(`spec.${name}.${field}`));
  }
  const path = fields["path"];
  if ((name === "hostPath" || name === "local") && typeof path === "string" && path.split("/").includes(".."))
    errors.push(invalid(`spec.${name}.path`, path, "must not contain '..'"));
  if (name === "local" && spec.nodeAffinity === undefined)
    errors.push(required("spec.nodeAffinity", "Local volume requires node affinity"));
  if (name === "hostPath" && path === "/" && spec.persistentVolumeReclaimPolicy === "Recycle")
    errors.push(
      forbidden("spec.persistentVolumeReclaimPolicy", "may not be 'recycle' for a hostPath mount of '/'"),
    );
  return errors;
}

function validateCapacity({ capacity = {} }: PersistentVolumeSpec): FieldError[] {
  const path = "spec.capacity";
  const names = Object.keys(capacity);
  if (names.length === 0) return [required(path)];
  const errors: FieldError[] = [];
  if (!names.includes("storage") || names.length > 1) errors.push(notSupported(path, capacity, ["storage"]));
  for (const name of names)
    if (compareQuantities(capacity[name] ?? "0", "0") <= 0)
      errors.push(invalid(`${path}[${name}]`, capacity[name], "must be greater than zero"));
  return errors;
}

function validate({ spec = {} }: PersistentVolume): FieldError[] {
  const required_ = spec.nodeAffinity?.required;
  const errors = [
    ...validateAccessModes(spec.accessModes, "spec.accessModes"),
    ...validateCapacity(spec),
    ...validateSource(spec),
    ...oneOf(spec.persistentVolumeReclaimPolicy, policies, "spec.persistentVolumeReclaimPolicy"),
    ...oneOf(spec.volumeMode, volumeModes, "spec.volumeMode"),
  ];
  for (const name of ["storageClassName", "volumeAttributesClassName"] as const)
    if (spec[name]) errors.push(...each(checkDnsSubdomain(spec[name]), `spec.${name}`, spec[name]));
  if (spec.nodeAffinity !== undefined)
    errors.push(
      ...(required_ === undefined
        ? [required("spec.nodeAffinity.required", "must specify required node constraints")]
        : validateNodeSelectorTerms(
            required_.nodeSelectorTerms ?? [],
            "spec.nodeAffinity.required.nodeSelectorTerms",
          )),
    );
  return errors;
}

function validateChange(
  { spec: now = {} }: PersistentVolume,
  { spec: before = {} }: PersistentVolume,
): FieldError[] {
  const errors: FieldError[] = [];
  if (!isDeepStrictEqual(sourceOf(now), sourceOf(before)))
    errors.push(
      forbidden("spec.persistentvolumesource", "spec.persistentvolumesource is immutable after creation"),
    );
  if (now.volumeMode !== before.volumeMode)
    errors.push(invalid("spec.volumeMode", now.volumeMode, isImmutable));
  if (before.nodeAffinity !== undefined && !isDeepStrictEqual(now.nodeAffinity, before.nodeAffinity))
    errors.push(invalid("spec.nodeAffinity", now.nodeAffinity, isImmutable));
  return errors;
}

const unset = "<unset>";

export const persistentVolume = defineResource<PersistentVolume>({
  group: "",
  version: "v1",
  kind: "PersistentVolume",
  resource: "persistentvolumes",
  shortNames: ["pv"],
  namespaced: false,
  validateName: nameCheck(checkDnsSubdomain),
  columns: [
    nameColumn,
    column("Capacity", ({ spec }) => spec?.capacity?.["storage"] ?? "0"),
    column("Access Modes", ({ spec }) => accessModesText(spec?.accessModes)),
    column("Reclaim Policy", ({ spec }) => spec?.persistentVolumeReclaimPolicy ?? ""),
    column("Status", ({ metadata, status }) =>
      metadata?.deletionTimestamp === undefined ? (status?.phase ?? "") : "Terminating",
    ),
    column("Claim", ({ spec }) =>
      spec?.claimRef === undefined ? "" : `${spec.claimRef.namespace ?? ""}/${spec.claimRef.name ?? ""}`,
    ),
    column(
      "StorageClass",
      ({ metadata, spec }) => metadata?.annotations?.[classAnnotation] ?? spec?.storageClassName ?? "",
    ),
    column("VolumeAttributesClass", ({ spec }) => spec?.volumeAttributesClassName ?? unset),
    column("Reason", ({ status }) => status?.reason ?? ""),
    ageColumn,
    column("VolumeMode", ({ spec }) => spec?.volumeMode ?? unset, { wide: true }),
  ],
  applyDefaults: (draft) => {
    const spec = (draft.spec ??= {});
    spec.persistentVolumeReclaimPolicy ||= "Retain";
    spec.volumeMode ??= "Filesystem";
    if (spec.hostPath !== undefined) spec.hostPath.type ??= "";
    (draft.status ??= {}).phase ||= "Pending";
  },
  prepareForCreate: (draft, { nowMs }) => {
    draft.status = { phase: "Pending", lastPhaseTransitionTime: timestamp(nowMs) };
  },
  prepareForUpdate: (draft, old) => {
    draft.status = structuredClone(old.status ?? { phase: "Pending" });
  },
  validate,
  validateUpdate: (next, old) => [...validate(next), ...validateChange(next, old)],
  status: {
    prepareForUpdate: (next, old, { nowMs }) => {
      const { status } = next;
      if (status === undefined || status.phase === old.status?.phase) return;
      if (status.lastPhaseTransitionTime === old.status?.lastPhaseTransitionTime)
        status.lastPhaseTransitionTime = timestamp(nowMs);
    },
  },
});
