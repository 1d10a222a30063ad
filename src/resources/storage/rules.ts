// What the kinds of storage.k8s.io have in common: names of drivers, parameters, the mark of a default class. Pure.

import { isDeepStrictEqual } from "node:util";
import type { KubeObject } from "#machinery/meta.ts";
import { forbidden, invalid, required, tooLong, type FieldError } from "#machinery/field-error.ts";
import { checkDnsSubdomain } from "#machinery/names.ts";
import { each } from "../field-checks.ts";

const driverNameMax = 63;
const parametersMax = 512;
const parametersBytesMax = 256 * 1024;

/** The name of a CSI driver: a domain, in any case. */
export function driverName(name: string | undefined, path: string): FieldError[] {
  if (!name) return [required(path)];
  return [
    ...(name.length > driverNameMax ? [tooLong(path, driverNameMax)] : []),
    ...each(checkDnsSubdomain(name.toLowerCase()), path, name),
  ];
}

export function parameters(
  given: Readonly<Record<string, string>> | undefined,
  path: string,
  { needed = false } = {},
): FieldError[] {
  const entries = Object.entries(given ?? {});
  if (entries.length > parametersMax) return [tooLong(path, parametersMax)];
  if (needed && entries.length === 0) return [required(path, "must contain at least one key/value pair")];
  if (entries.some(([key]) => key === "")) return [invalid(path, "", "field can not be empty.")];
  return bytesOf(entries) > parametersBytesMax ? [tooLong(path, parametersBytesMax)] : [];
}

const bytesOf = (entries: readonly (readonly [string, string])[]): number =>
  entries.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);

/** Fields of classes that stay as they were. */
export function unchanged<T extends object>(next: T, old: T, ...fields: (keyof T & string)[]): FieldError[] {
  return fields
    .filter((field) => !isDeepStrictEqual(next[field], old[field]))
    .map((field) => forbidden(field, `updates to ${field} are forbidden.`));
}

/** The name as tables show it: the class that is taken where none is named says so. */
export const nameOfClass = ({ metadata }: KubeObject, ...annotations: string[]): string =>
  `${metadata?.name ?? ""}${annotations.some((one) => metadata?.annotations?.[one] === "true") ? " (default)" : ""}`;
