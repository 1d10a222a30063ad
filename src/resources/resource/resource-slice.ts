// ResourceSlice: devices that a driver has in a pool, and for which nodes.

import { timestamp } from "#base/clock.ts";
import { defineResource } from "#machinery/define-resource.ts";
import type {
  Device,
  DeviceAttribute,
  ResourceSlice,
  ResourceSliceSpec,
} from "#machinery/gen/types/resource-v1.ts";
import {
  child,
  duplicate,
  index,
  invalid,
  keyed,
  notSupported,
  required,
  tooLong,
  type FieldError,
} from "#machinery/field-error.ts";
import {
  checkDnsLabel,
  checkDnsSubdomain,
  checkLabelValue,
  checkQualifiedName,
  nameCheck,
} from "#machinery/names.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import { each, isImmutable, requiredName } from "../field-checks.ts";
import { atMost, driverName, identifier } from "./device-requests.ts";

const devicesMax = 128;
const attributesMax = 32;
const taintsMax = 16;
const poolNameMax = 253;
const stringMax = 64;
const effects = ["NoExecute", "NoSchedule", "None"];
const semver =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z.-]+)?$/;
const oneNeeded =
  "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";

function validatePool({ pool }: ResourceSliceSpec): FieldError[] {
  const { name = "", generation = 0, resourceSliceCount = 0 } = pool ?? {};
  const own = "spec.pool";
  const errors: FieldError[] = [];
  if (name === "") errors.push(required(child(own, "name")));
  else {
    if (name.length > poolNameMax) errors.push(tooLong(child(own, "name"), poolNameMax));
    for (const part of name.split("/"))
      errors.push(...each(checkDnsSubdomain(part), child(own, "name"), part));
  }
  if (resourceSliceCount <= 0)
    errors.push(invalid(child(own, "resourceSliceCount"), resourceSliceCount, "must be greater than zero"));
  if (generation < 0)
    errors.push(invalid(child(own, "generation"), generation, "must be greater than or equal to zero"));
  return errors;
}

function validateNodes(spec: ResourceSliceSpec): FieldError[] {
  const { nodeName, nodeSelector, allNodes, perDeviceNodeSelection } = spec;
  const errors: FieldError[] = [];
  if (nodeName !== undefined) errors.push(...requiredName(nodeName, "spec.nodeName", checkDnsSubdomain));
  for (const [field, value] of Object.entries({ allNodes, perDeviceNodeSelection }))
    if (value === false)
      errors.push(invalid(child("spec", field), value, "must be either unset or set to true"));
  const given = [nodeName, nodeSelector, allNodes, perDeviceNodeSelection].filter(Boolean).length;
  if (given === 0) errors.push(required("spec", oneNeeded));
  if (given > 1) errors.push(invalid("spec", "", `${oneNeeded}, but multiple fields are set`));
  return errors;
}

/** `name` or `domain/name`. */
function qualified(name: string, path: string): FieldError[] {
  const slash = name.indexOf("/");
  if (slash < 0) return identifier(name, path);
  const domain = name.slice(0, slash);
  return [...each(checkDnsSubdomain(domain), path, domain), ...identifier(name.slice(slash + 1), path)];
}

function validateAttribute({ string, version, ...others }: DeviceAttribute, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const given = [string, version, ...Object.values(others)].filter((one) => one !== undefined).length;
  if (string !== undefined && string.length > stringMax)
    errors.push(tooLong(child(path, "string"), stringMax));
  if (version !== undefined && !semver.test(version))
    errors.push(
      invalid(child(path, "version"), version, "must be a string compatible with semver.org spec 2.0.0"),
    );
  if (version !== undefined && version.length > stringMax)
    errors.push(tooLong(child(path, "version"), stringMax));
  if (given === 0) errors.push(required(path, "exactly one value must be specified"));
  if (given > 1) errors.push(invalid(path, "", "exactly one value must be specified"));
  return errors;
}

function validateDevice(device: Device, path: string): FieldError[] {
  const { name, attributes = {}, capacity = {}, taints = [] } = device;
  const errors = requiredName(name, child(path, "name"), checkDnsLabel);
  const count = Object.keys(attributes).length + Object.keys(capacity).length;
  if (count > attributesMax)
    errors.push(
      invalid(path, count, `the total number of attributes and capacities must not exceed ${attributesMax}`),
    );
  for (const [key, attribute] of Object.entries(attributes)) {
    const own = keyed(child(path, "attributes"), key);
    errors.push(...qualified(key, own), ...validateAttribute(attribute, own));
  }
  for (const key of Object.keys(capacity))
    errors.push(...qualified(key, keyed(child(path, "capacity"), key)));
  errors.push(...atMost(taints, taintsMax, child(path, "taints")));
  for (const [at, { key = "", value = "", effect = "" }] of taints.entries()) {
    const own = index(child(path, "taints"), at);
    errors.push(...each(checkQualifiedName(key), child(own, "key"), key));
    errors.push(...each(checkLabelValue(value), child(own, "value"), value));
    if (effect === "") errors.push(required(child(own, "effect")));
    else if (!effects.includes(effect)) errors.push(notSupported(child(own, "effect"), effect, effects));
  }
  return errors;
}

function validate({ spec }: ResourceSlice): FieldError[] {
  if (spec === undefined) return [required("spec")];
  const devices = spec.devices ?? [];
  const names = devices.map(({ name }) => name);
  return [
    ...driverName(spec.driver, "spec.driver"),
    ...validatePool(spec),
    ...validateNodes(spec),
    ...atMost(devices, devicesMax, "spec.devices"),
    ...devices.flatMap((device, at) => {
      const own = index("spec.devices", at);
      const again = names.indexOf(device.name) < at;
      return [...validateDevice(device, own), ...(again ? [duplicate(child(own, "name"), device.name)] : [])];
    }),
  ];
}

function validateUpdate(next: ResourceSlice, old: ResourceSlice): FieldError[] {
  const errors = validate(next);
  const pairs = [
    ["spec.driver", next.spec?.driver, old.spec?.driver],
    ["spec.pool.name", next.spec?.pool?.name, old.spec?.pool?.name],
    ["spec.nodeName", next.spec?.nodeName, old.spec?.nodeName],
  ] as const;
  for (const [path, value, before] of pairs)
    if (value !== before) errors.push(invalid(path, value, isImmutable));
  return errors;
}

/** Taints that do not say since when are from now on. */
function setTaintTimes(draft: ResourceSlice, nowMs: number): void {
  for (const { taints = [] } of draft.spec?.devices ?? [])
    for (const taint of taints) taint.timeAdded ??= timestamp(nowMs);
}

export const resourceSlice = defineResource<ResourceSlice>({
  group: "resource.k8s.io",
  version: "v1",
  kind: "ResourceSlice",
  resource: "resourceslices",
  namespaced: false,
  validateName: nameCheck(checkDnsSubdomain),
  generation: "spec",
  columns: [
    nameColumn,
    column("Node", ({ spec }) => spec.nodeName ?? ""),
    column("Driver", ({ spec }) => spec.driver),
    column("Pool", ({ spec }) => spec.pool.name),
    ageColumn,
  ],
  prepareForCreate: (draft, { nowMs }) => setTaintTimes(draft, nowMs),
  prepareForUpdate: (draft, _old, { nowMs }) => setTaintTimes(draft, nowMs),
  validate,
  validateUpdate,
  selectableFields: {
    "spec.nodeName": ({ spec }) => spec?.nodeName ?? "",
    "spec.driver": ({ spec }) => spec?.driver ?? "",
  },
});
