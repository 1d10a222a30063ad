// What a path and method ask for: verb, resource, name … as authorization and routing see it. Pure.

import { booleanParameter } from "./options.ts";

export interface RequestInfo {
  readonly isResource: boolean;
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly namespace: string;
  readonly resource: string;
  readonly name: string;
  readonly subresource: string;
  /** What follows the subresource (`proxy/…`), with its leading slash, still encoded. */
  readonly rest: string;
  readonly path: string;
}

const methodVerbs: Readonly<Record<string, string>> = {
  GET: "get",
  HEAD: "get",
  POST: "create",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

const nothing = { group: "", version: "", namespace: "", resource: "", name: "", subresource: "", rest: "" };

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** A resource request is under /api/VERSION/… or /apis/GROUP/VERSION/…; everything else is a plain path. */
export function requestInfo(method: string, path: string, query: URLSearchParams): RequestInfo {
  const plain: RequestInfo = { isResource: false, verb: method.toLowerCase(), ...nothing, path };
  const parts = path.split("/").slice(1);
  let at: number;
  let group = "";
  if (parts[0] === "api" && parts.length >= 3) at = 1;
  else if (parts[0] === "apis" && parts.length >= 4) {
    group = parts[1] as string;
    at = 2;
  } else return plain;
  const version = parts[at++] as string;
  let namespace = "";
  // `namespaces/x` alone is the Namespace itself; with more behind it, it is where the rest lives.
  if (
    parts[at] === "namespaces" &&
    parts.length > at + 2 &&
    !["status", "finalize"].includes(parts[at + 2] as string)
  ) {
    namespace = decode(parts[at + 1] as string);
    at += 2;
  }
  const resource = parts[at++];
  if (resource === undefined || resource === "") return plain;
  const name = decode(parts[at++] ?? "");
  const subresource = parts[at++] ?? "";
  const rest = at < parts.length ? `/${parts.slice(at).join("/")}` : "";
  if (resource === "namespaces" && name !== "") namespace = name;
  let verb = methodVerbs[method] ?? method.toLowerCase();
  if (name === "") {
    if (verb === "get") verb = booleanParameter(query, "watch") === true ? "watch" : "list";
    if (verb === "delete") verb = "deletecollection";
  }
  return { isResource: true, verb, group, version, namespace, resource, name, subresource, rest, path };
}
