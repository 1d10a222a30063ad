// Where a webhook is: a URL, or a Service of the cluster. Pure.

import { child, invalid, required, type FieldError } from "#machinery/field-error.ts";
import { checkDnsSubdomain, checkPortNumber } from "#machinery/names.ts";

const desired = "; desired format: https://host[/path]";

export interface ServiceReference {
  namespace: string;
  name: string;
  path?: string;
  port?: number;
}

export function validateWebhookUrl(text: string, path: string): FieldError[] {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    // What has no scheme is a path to the documented parser, and reported as such.
    return [
      invalid(path, "", `'https' is the only allowed URL scheme${desired}`),
      invalid(path, "", `host must be specified${desired}`),
    ];
  }
  const errors: FieldError[] = [];
  const scheme = url.protocol.slice(0, -1);
  if (scheme !== "https")
    errors.push(invalid(path, scheme, `'https' is the only allowed URL scheme${desired}`));
  if (url.host === "") errors.push(invalid(path, "", `host must be specified${desired}`));
  const user = url.password === "" ? url.username : `${url.username}:${url.password}`;
  if (user !== "") errors.push(invalid(path, user, "user information is not permitted in the URL"));
  const fragment = url.hash.slice(1);
  if (fragment !== "") errors.push(invalid(path, fragment, "fragments are not permitted in the URL"));
  const query = url.search.slice(1);
  if (query !== "") errors.push(invalid(path, query, "query parameters are not permitted in the URL"));
  return errors;
}

export function validateWebhookService(service: ServiceReference, path: string): FieldError[] {
  const { name, namespace, port = 443, path: urlPath = "" } = service;
  const errors: FieldError[] = [];
  if (!name) errors.push(required(child(path, "name"), "service name is required"));
  if (!namespace) errors.push(required(child(path, "namespace"), "service namespace is required"));
  const why = checkPortNumber(port);
  if (why.length > 0) errors.push(invalid(child(path, "port"), port, `port is not valid: ${why.join(",")}`));
  return [...errors, ...validateUrlPath(urlPath, child(path, "path"))];
}

function validateUrlPath(urlPath: string, path: string): FieldError[] {
  if (urlPath === "" || urlPath === "/") return [];
  if (urlPath === "//") return [invalid(path, urlPath, "segment[0] may not be empty")];
  const errors = urlPath.startsWith("/") ? [] : [invalid(path, urlPath, "must start with a '/'")];
  const segments = urlPath.slice(1).replace(/\/$/, "").split("/");
  return [
    ...errors,
    ...segments.flatMap((segment, at) =>
      segment === ""
        ? [invalid(path, urlPath, `segment[${at}] may not be empty`)]
        : checkDnsSubdomain(segment).map((why) => invalid(path, urlPath, `segment[${at}]: ${why}`)),
    ),
  ];
}
