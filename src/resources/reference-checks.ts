// References to other objects and other names that several groups have in common. Pure.

import { child, invalid, required, tooLong, type FieldError } from "#machinery/field-error.ts";
import { checkDnsSubdomain, checkPathSegment } from "#machinery/names.ts";
import { each } from "./field-checks.ts";

const pathPattern = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
const isPath = new RegExp(`^${pathPattern}$`);

/** A required part of a reference that is a segment of a path: kind, resource, name. */
export function pathSegment(value: string | undefined, path: string, missing = ""): FieldError[] {
  return value ? each(checkPathSegment(value), path, value) : [required(path, missing)];
}

/** `{apiGroup, kind, name}`: an object in the same namespace, or of the cluster. */
export function typedReference(
  { apiGroup, kind, name }: { apiGroup?: string; kind?: string; name?: string },
  path: string,
): FieldError[] {
  return [
    ...(apiGroup === undefined || apiGroup === ""
      ? []
      : each(checkDnsSubdomain(apiGroup), child(path, "apiGroup"), apiGroup)),
    ...pathSegment(kind, child(path, "kind"), "kind is required"),
    ...pathSegment(name, child(path, "name"), "name is required"),
  ];
}

/** `acme.io/foo`: a domain and a path below it. */
export function domainPrefixedPath(value: string | undefined, path: string): FieldError[] {
  if (!value) return [required(path)];
  const slash = value.indexOf("/");
  const [domain, rest] = [value.slice(0, Math.max(slash, 0)), value.slice(slash + 1)];
  if (domain === "" || rest === "")
    return [invalid(path, value, 'must be a domain-prefixed path (such as "acme.io/foo")')];
  return [
    ...each(checkDnsSubdomain(domain), path, domain),
    ...(isPath.test(rest)
      ? []
      : [invalid(path, rest, `Invalid path (regex used for validation is '${pathPattern}')`)]),
  ];
}

export const longerThan = (value: string | undefined, max: number, path: string): FieldError[] =>
  Buffer.byteLength(value ?? "") > max ? [tooLong(path, max)] : [];
