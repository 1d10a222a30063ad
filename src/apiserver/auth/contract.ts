// Authentication and authorization as the pipeline sees them.

import type { Caller } from "#machinery/api-request.ts";
import type { FieldSelector } from "#machinery/field-selectors.ts";

/** What authentication may look at: headers, and the client certificate that TLS has already verified. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  /** Subject of the verified client certificate: CN and the O values. */
  readonly certificate?: { readonly commonName: string; readonly organizations: readonly string[] };
  /** There was a client certificate, but none that TLS could verify. */
  readonly badCertificate?: boolean;
}

export interface Authenticator {
  /** The caller; undefined when these credentials are not of this kind. Throws ApiError 401 when they are, and are bad. */
  authenticate(credentials: Credentials): Promise<Caller | undefined> | Caller | undefined;
}

/** The documented attributes of a request, as SubjectAccessReview names them. */
export interface Attributes {
  readonly caller: Caller;
  /** get list watch create update patch delete deletecollection, or the lower-case HTTP method for non-resource paths. */
  readonly verb: string;
  readonly isResource: boolean;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  /** Of a list or watch: the one name that its field selector leaves, if it does. */
  readonly name: string;
  readonly path: string;
  /** The field selector of a list or watch; nothing where it cannot be read. */
  readonly fields: FieldSelector;
}

export interface Decision {
  readonly verdict: "allow" | "deny" | "no-opinion";
  readonly reason: string;
}

export interface Authorizer {
  authorize(attributes: Attributes): Decision | Promise<Decision>;
}

/** The documented sentence of a 403: `User "x" cannot list resource "pods" in API group "" in the namespace "default"`. */
export function forbiddenReason(attributes: Attributes, reason: string): string {
  const { caller, verb, group, resource, subresource, namespace, isResource, path } = attributes;
  const user = `User ${JSON.stringify(caller.name)} cannot ${verb}`;
  const target = isResource
    ? `${user} resource ${JSON.stringify(subresource === "" ? resource : `${resource}/${subresource}`)} in API group ${JSON.stringify(group)}${
        namespace === "" ? " at the cluster scope" : ` in the namespace ${JSON.stringify(namespace)}`
      }`
    : `${user} path ${JSON.stringify(path)}`;
  return reason === "" ? target : `${target}: ${reason}`;
}
