// Which operation of the distribution API a method and path ask for. Pure. Repository names hold slashes, so the
// path is read from its end.

import { RegistryError } from "./errors.ts";
import { isDigest, isRepositoryName, isTag } from "./reference.ts";

export type RegistryRoute =
  | { readonly op: "ping" }
  | { readonly op: "catalog" }
  | { readonly op: "tags"; readonly name: string }
  | { readonly op: "manifest"; readonly name: string; readonly reference: string }
  | { readonly op: "blob"; readonly name: string; readonly digest: string }
  | { readonly op: "startUpload"; readonly name: string }
  | { readonly op: "upload"; readonly name: string; readonly id: string };

const patterns: readonly (readonly [RegExp, (name: string, last: string) => RegistryRoute])[] = [
  [/^\/v2\/(.+)\/tags\/list$/, (name) => ({ op: "tags", name })],
  [/^\/v2\/(.+)\/blobs\/uploads\/?$/, (name) => ({ op: "startUpload", name })],
  [/^\/v2\/(.+)\/blobs\/uploads\/([^/]+)$/, (name, id) => ({ op: "upload", name, id })],
  [/^\/v2\/(.+)\/blobs\/([^/]+)$/, (name, digest) => ({ op: "blob", name, digest })],
  [/^\/v2\/(.+)\/manifests\/([^/]+)$/, (name, reference) => ({ op: "manifest", name, reference })],
];

/** Undefined when the path is not of this API. */
export function routeOf(path: string): RegistryRoute | undefined {
  if (path === "/v2" || path === "/v2/") return { op: "ping" };
  if (path === "/v2/_catalog") return { op: "catalog" };
  for (const [pattern, make] of patterns) {
    const match = pattern.exec(path);
    if (match !== null) return checked(make(match[1] as string, match[2] ?? ""));
  }
  return undefined;
}

function checked(route: RegistryRoute): RegistryRoute {
  if ("name" in route && !isRepositoryName(route.name)) throw new RegistryError("NAME_INVALID", route.name);
  if (route.op === "blob" && !isDigest(route.digest)) throw new RegistryError("DIGEST_INVALID", route.digest);
  if (route.op === "manifest" && !isDigest(route.reference) && !isTag(route.reference))
    throw new RegistryError("TAG_INVALID", route.reference);
  return route;
}

/** One page of sorted names: at most `n` after `last`. */
export function pageOf(
  names: readonly string[],
  n: number | undefined,
  last: string | undefined,
): { page: string[]; more: boolean } {
  const rest = last === undefined ? names : names.filter((name) => name > last);
  const page = n === undefined ? [...rest] : rest.slice(0, n);
  return { page, more: page.length < rest.length };
}

/** `bytes=a-b` of a body of `size`; undefined when there is none or it is not one plain range. */
export function parseRange(
  header: string | undefined,
  size: number,
): { start: number; end: number } | undefined {
  const match = /^bytes=(\d+)-(\d*)$/.exec(header ?? "");
  if (match === null) return undefined;
  const start = Number(match[1]);
  const end = match[2] === "" ? size - 1 : Math.min(Number(match[2]), size - 1);
  return start <= end ? { start, end } : undefined;
}
