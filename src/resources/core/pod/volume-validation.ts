// What is a valid volume of a pod. Pure.

import type {
  DownwardAPIVolumeFile,
  KeyToPath,
  Volume,
  VolumeProjection,
} from "#machinery/gen/types/core-v1.ts";
import {
  child,
  duplicate,
  forbidden,
  index,
  invalid,
  required,
  type FieldError,
} from "#machinery/field-error.ts";
import { checkDnsLabel } from "#machinery/names.ts";
import { compareQuantities, isQuantity } from "#machinery/quantity.ts";
import { oneOf } from "../../field-checks.ts";
import { validateFieldRef } from "./field-rules.ts";

const modeMax = 0o777;
const tokenSecondsMin = 600;
/** Fields of a pod that a file can show. */
const fileFields: ReadonlySet<string> = new Set([
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "metadata.labels",
  "metadata.annotations",
]);

function validateMode(mode: number | undefined, path: string): FieldError[] {
  return mode === undefined || (mode >= 0 && mode <= modeMax)
    ? []
    : [invalid(path, mode, "must be a number between 0 and 0777 (octal), both inclusive")];
}

/** Where a file stands in its volume: below it, never beside. */
function validateFilePath(value: string | undefined, path: string): FieldError[] {
  if (!value) return [required(path)];
  const errors: FieldError[] = [];
  if (value.startsWith("/")) errors.push(invalid(path, value, "must be a relative path"));
  if (value.split("/").includes("..")) errors.push(invalid(path, value, "must not contain '..'"));
  if (value.startsWith("..") && !value.startsWith("../"))
    errors.push(invalid(path, value, "must not start with '..'"));
  return errors;
}

function validateItems(items: readonly KeyToPath[] | undefined, path: string): FieldError[] {
  return (items ?? []).flatMap((item, at) => {
    const own = index(path, at);
    return [
      ...(item.key ? [] : [required(child(own, "key"))]),
      ...validateFilePath(item.path, child(own, "path")),
      ...validateMode(item.mode, child(own, "mode")),
    ];
  });
}

function validateDownward(items: DownwardAPIVolumeFile[] | undefined, path: string): FieldError[] {
  return (items ?? []).flatMap((item, at) => {
    const own = index(path, at);
    const errors = validateFilePath(item.path, child(own, "path"));
    if (item.fieldRef !== undefined) {
      errors.push(...validateFieldRef(item.fieldRef, child(own, "fieldRef"), fileFields));
      if (item.resourceFieldRef !== undefined)
        errors.push(
          invalid(own, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously"),
        );
    } else if (item.resourceFieldRef === undefined)
      errors.push(required(own, "one of fieldRef and resourceFieldRef is required"));
    return [...errors, ...validateMode(item.mode, child(own, "mode"))];
  });
}

function validateProjection(source: VolumeProjection, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const given = Object.entries(source).filter(([, value]) => value !== undefined);
  if (given.length === 0) errors.push(required(path, "must specify a projection type"));
  for (const [extra] of given.slice(1))
    errors.push(forbidden(child(path, extra), "may not specify more than 1 volume type"));
  for (const key of ["secret", "configMap"] as const) {
    const own = child(path, key);
    if (source[key] !== undefined && !source[key].name) errors.push(required(child(own, "name")));
    errors.push(...validateItems(source[key]?.items, child(own, "items")));
  }
  errors.push(...validateDownward(source.downwardAPI?.items, child(path, "downwardAPI.items")));
  const token = source.serviceAccountToken;
  if (token === undefined) return errors;
  const own = child(path, "serviceAccountToken");
  if (token.expirationSeconds !== undefined && token.expirationSeconds < tokenSecondsMin)
    errors.push(
      invalid(
        child(own, "expirationSeconds"),
        token.expirationSeconds,
        "may not specify a duration less than 10 minutes",
      ),
    );
  return [...errors, ...validateFilePath(token.path, child(own, "path"))];
}

function validateSource(volume: Volume, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { secret, configMap, hostPath, persistentVolumeClaim, emptyDir, projected, downwardAPI, nfs } =
    volume;
  if (secret !== undefined && !secret.secretName) errors.push(required(child(path, "secret.secretName")));
  if (configMap !== undefined && !configMap.name) errors.push(required(child(path, "configMap.name")));
  for (const key of ["secret", "configMap", "projected", "downwardAPI"] as const)
    errors.push(...validateMode(volume[key]?.defaultMode, child(path, `${key}.defaultMode`)));
  errors.push(...validateItems(secret?.items, child(path, "secret.items")));
  errors.push(...validateItems(configMap?.items, child(path, "configMap.items")));
  errors.push(...validateDownward(downwardAPI?.items, child(path, "downwardAPI.items")));
  for (const [at, source] of (projected?.sources ?? []).entries())
    errors.push(...validateProjection(source, index(child(path, "projected.sources"), at)));
  if (persistentVolumeClaim !== undefined && !persistentVolumeClaim.claimName)
    errors.push(required(child(path, "persistentVolumeClaim.claimName")));
  const size = emptyDir?.sizeLimit;
  if (size !== undefined && isQuantity(size) && compareQuantities(size, "0") < 0)
    errors.push(
      forbidden(child(path, "emptyDir.sizeLimit"), "SizeLimit field must be a valid resource quantity"),
    );
  if (hostPath !== undefined) {
    const own = child(path, "hostPath");
    if (!hostPath.path) errors.push(required(child(own, "path")));
    else if (hostPath.path.split("/").includes(".."))
      errors.push(invalid(child(own, "path"), hostPath.path, "must not contain '..'"));
    errors.push(...oneOf(hostPath.type, hostPathTypes, child(own, "type")));
  }
  if (nfs !== undefined) {
    if (!nfs.server) errors.push(required(child(path, "nfs.server")));
    if (!nfs.path) errors.push(required(child(path, "nfs.path")));
    else if (!nfs.path.startsWith("/"))
      errors.push(invalid(child(path, "nfs.path"), nfs.path, "must be an absolute path"));
  }
  return errors;
}

const hostPathTypes = [
  "BlockDevice",
  "CharDevice",
  "Directory",
  "DirectoryOrCreate",
  "File",
  "FileOrCreate",
  "Socket",
];

export function validateVolumes(volumes: readonly Volume[], path: string): FieldError[] {
  const names = new Set<string>();
  return volumes.flatMap((volume, at) => {
    const own = index(path, at);
    const errors: FieldError[] = [];
    if (!volume.name) errors.push(required(child(own, "name")));
    else {
      errors.push(...checkDnsLabel(volume.name).map((why) => invalid(child(own, "name"), volume.name, why)));
      if (names.has(volume.name)) errors.push(duplicate(child(own, "name"), volume.name));
      names.add(volume.name);
    }
    const given = Object.entries(volume)
      .filter(([key, source]) => key !== "name" && source !== undefined)
      .map(([key]) => key);
    if (given.length === 0) errors.push(required(own, "must specify a volume type"));
    for (const extra of given.slice(1))
      errors.push(forbidden(child(own, extra), "may not specify more than 1 volume type"));
    return [...errors, ...validateSource(volume, own)];
  });
}
