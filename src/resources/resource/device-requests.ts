// What a claim may ask of devices: requests, constraints, configuration. Pure; what selectors mean is not checked here.

import type {
  DeviceClaim,
  DeviceConfiguration,
  DeviceRequest,
  DeviceSelector,
  DeviceSubRequest,
  DeviceToleration,
  ExactDeviceRequest,
} from "#machinery/gen/types/resource-v1.ts";
import {
  child,
  duplicate,
  forbidden,
  index,
  invalid,
  notSupported,
  required,
  tooLong,
  tooMany,
  type FieldError,
} from "#machinery/field-error.ts";
import { checkDnsLabel, checkDnsSubdomain, checkQualifiedName } from "#machinery/names.ts";
import { each, oneOf, requiredName } from "../field-checks.ts";

const itemsMax = 32;
const alternativesMax = 8;
const tolerationsMax = 16;
const parametersBytesMax = 10 * 1024;
const modes = ["All", "ExactCount"];

export const atMost = (items: readonly unknown[] | undefined, max: number, path: string): FieldError[] =>
  (items ?? []).length > max ? [tooMany(path, (items ?? []).length, max)] : [];

export function validateSelectors(
  selectors: readonly DeviceSelector[] | undefined,
  path: string,
): FieldError[] {
  return [
    ...atMost(selectors, itemsMax, path),
    ...(selectors ?? []).flatMap(({ cel }, at) => {
      const own = child(index(path, at), "cel");
      if (cel === undefined) return [required(own)];
      // What is in an expression is checked where it can be compiled.
      return cel.expression ? [] : [required(child(own, "expression"))];
    }),
  ];
}

/** The name of a driver: a domain that fits a label's length. */
export function driverName(name: string | undefined, path: string): FieldError[] {
  const errors = requiredName(name, path, checkDnsSubdomain);
  return (name ?? "").length > 63 ? [tooLong(path, 63), ...errors] : errors;
}

export function validateConfiguration({ opaque }: DeviceConfiguration, path: string): FieldError[] {
  const own = child(path, "opaque");
  if (opaque === undefined) return [required(own)];
  const { driver, parameters } = opaque;
  const place = child(own, "parameters");
  const text = parameters === undefined || parameters === null ? "" : JSON.stringify(parameters);
  return [
    ...driverName(driver, child(own, "driver")),
    ...(text === "" ? [required(place)] : []),
    ...(text !== "" && (typeof parameters !== "object" || Array.isArray(parameters))
      ? [invalid(place, "<value omitted>", "parsed object must be a JSON object")]
      : []),
    ...(Buffer.byteLength(text) > parametersBytesMax ? [tooLong(place, parametersBytesMax)] : []),
  ];
}

function validateTolerations(
  tolerations: readonly DeviceToleration[] | undefined,
  path: string,
): FieldError[] {
  return [
    ...atMost(tolerations, tolerationsMax, path),
    ...(tolerations ?? []).flatMap(({ key = "", operator = "", value = "", effect }, at) => {
      const own = index(path, at);
      const errors = key === "" ? [] : each(checkQualifiedName(key), child(own, "key"), key);
      if (operator === "Exists") {
        if (value !== "")
          errors.push(invalid(child(own, "value"), value, "must be empty for operator `Exists`"));
      } else if (operator === "Equal") {
        if (key === "") errors.push(required(child(own, "key"), "must be set for operator `Equal`"));
      } else if (operator === "") errors.push(required(child(own, "operator")));
      else errors.push(notSupported(child(own, "operator"), operator, ["Equal", "Exists"]));
      return [...errors, ...oneOf(effect, ["NoExecute", "NoSchedule", "None"], child(own, "effect"))];
    }),
  ];
}

function validateAsked(asked: ExactDeviceRequest | DeviceSubRequest, path: string): FieldError[] {
  const { deviceClassName, allocationMode = "", count } = asked;
  const errors = [
    ...requiredName(deviceClassName, child(path, "deviceClassName"), checkDnsSubdomain),
    ...validateSelectors(asked.selectors, child(path, "selectors")),
  ];
  const own = child(path, "count");
  if (allocationMode === "All") {
    if (count !== undefined && count !== 0)
      errors.push(invalid(own, count, "must not be specified when allocationMode is 'All'"));
  } else if (allocationMode === "ExactCount") {
    if ((count ?? 0) <= 0) errors.push(invalid(own, count ?? 0, "must be greater than zero"));
  } else errors.push(notSupported(child(path, "allocationMode"), allocationMode, modes));
  return [...errors, ...validateTolerations(asked.tolerations, child(path, "tolerations"))];
}

function validateRequest({ name, exactly, firstAvailable = [] }: DeviceRequest, path: string): FieldError[] {
  const errors = requiredName(name, child(path, "name"), checkDnsLabel);
  const either = "exactly one of `exactly` or `firstAvailable` is required";
  if (exactly !== undefined && firstAvailable.length > 0)
    return [...errors, invalid(path, "", `${either}, but multiple fields are set`)];
  if (exactly !== undefined) return [...errors, ...validateAsked(exactly, child(path, "exactly"))];
  if (firstAvailable.length === 0) return [...errors, required(path, either)];
  const own = child(path, "firstAvailable");
  const names = firstAvailable.map((one) => one.name);
  return [
    ...errors,
    ...atMost(firstAvailable, alternativesMax, own),
    ...firstAvailable.flatMap((one, at) => [
      ...requiredName(one.name, child(index(own, at), "name"), checkDnsLabel),
      ...(names.indexOf(one.name) < at ? [duplicate(child(index(own, at), "name"), one.name)] : []),
      ...validateAsked(one, index(own, at)),
    ]),
  ];
}

/** Names by which constraints and configuration refer to requests: `a`, `a/b`. */
function knownNames(requests: readonly DeviceRequest[]): Set<string> {
  return new Set(
    requests.flatMap(({ name, firstAvailable = [] }) => [
      name,
      ...firstAvailable.map((one) => `${name}/${one.name}`),
    ]),
  );
}

function validateReferences(
  names: readonly string[] | undefined,
  known: ReadonlySet<string>,
  path: string,
): FieldError[] {
  return [
    ...atMost(names, itemsMax, path),
    ...(names ?? []).flatMap((name, at) => [
      ...(known.has(name)
        ? []
        : [invalid(index(path, at), name, "must be the name of a request in the claim")]),
      ...((names ?? []).indexOf(name) < at ? [duplicate(index(path, at), name)] : []),
    ]),
  ];
}

export function validateDeviceClaim(
  { requests = [], constraints = [], config = [] }: DeviceClaim,
  path: string,
): FieldError[] {
  const known = knownNames(requests);
  const names = requests.map(({ name }) => name);
  const places = ["requests", "constraints", "config"].map((name) => child(path, name)) as [
    string,
    string,
    string,
  ];
  return [
    ...atMost(requests, itemsMax, places[0]),
    ...requests.flatMap((one, at) => [
      ...validateRequest(one, index(places[0], at)),
      ...(names.indexOf(one.name) < at ? [duplicate(index(places[0], at), one.name)] : []),
    ]),
    ...atMost(constraints, itemsMax, places[1]),
    ...constraints.flatMap(({ requests: given, matchAttribute, distinctAttribute }, at) => {
      const own = index(places[1], at);
      const errors = validateReferences(given, known, child(own, "requests"));
      if (matchAttribute === undefined && distinctAttribute === undefined)
        errors.push(required(own, "exactly one of `matchAttribute` or `distinctAttribute` is required"));
      else if (matchAttribute !== undefined && distinctAttribute !== undefined)
        errors.push(forbidden(own, "may not specify both `matchAttribute` and `distinctAttribute`"));
      return [
        ...errors,
        ...attributeName(matchAttribute, child(own, "matchAttribute")),
        ...attributeName(distinctAttribute, child(own, "distinctAttribute")),
      ];
    }),
    ...atMost(config, itemsMax, places[2]),
    ...config.flatMap((one, at) => [
      ...validateReferences(one.requests, known, child(index(places[2], at), "requests")),
      ...validateConfiguration(one, index(places[2], at)),
    ]),
  ];
}

/** `domain/identifier` of an attribute. */
function attributeName(name: string | undefined, path: string): FieldError[] {
  if (name === undefined) return [];
  if (name === "") return [required(path)];
  const slash = name.indexOf("/");
  if (slash < 0) return [invalid(path, name, "must include a domain")];
  return [
    ...each(checkDnsSubdomain(name.slice(0, slash)), path, name.slice(0, slash)),
    ...identifier(name.slice(slash + 1), path),
  ];
}

/** What may name an attribute or a capacity. */
export function identifier(name: string, path: string): FieldError[] {
  if (name === "") return [required(path, "the name must not be empty")];
  if (name.length > 32) return [tooLong(path, 32)];
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)
    ? []
    : [
        invalid(
          path,
          name,
          "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')",
        ),
      ];
}

export function deviceClaimDefaults({ requests = [] }: DeviceClaim): void {
  for (const { exactly, firstAvailable = [] } of requests)
    for (const asked of exactly === undefined ? firstAvailable : [exactly, ...firstAvailable]) {
      asked.allocationMode ||= "ExactCount";
      if (asked.allocationMode === "ExactCount") asked.count ||= 1;
      for (const toleration of asked.tolerations ?? []) toleration.operator ||= "Equal";
    }
}
