// What a row of the malformed inputs is, and short ways to write one.

export interface Malformed {
  readonly name: string;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes or text as they are; anything else as JSON. */
  readonly body?: unknown;
  readonly status: number;
  readonly reason: string;
  /** Pieces of the message. */
  readonly says: readonly string[];
}

export const configMaps = "/api/v1/namespaces/default/configmaps";
export const pods = "/api/v1/namespaces/default/pods";
export const services = "/api/v1/namespaces/default/services";
export const controllers = "/api/v1/namespaces/default/replicationcontrollers";
export const rbac = "/apis/rbac.authorization.k8s.io/v1";

export const reasons: Readonly<Record<number, string>> = {
  400: "BadRequest",
  404: "NotFound",
  405: "MethodNotAllowed",
  406: "NotAcceptable",
  413: "RequestEntityTooLarge",
  415: "UnsupportedMediaType",
  422: "Invalid",
};

type Says = readonly [status: number, ...says: string[]];

export function row(
  method: string,
  name: string,
  path: string,
  [status, ...says]: Says,
  body?: unknown,
  headers?: Record<string, string>,
): Malformed {
  const reason = reasons[status] ?? "";
  return {
    name,
    method,
    path,
    status,
    reason,
    says,
    ...(body === undefined ? {} : { body }),
    ...(headers === undefined ? {} : { headers }),
  };
}

export const post = (name: string, path: string, body: unknown, ...answer: Says): Malformed =>
  row("POST", name, path, answer, body);
export const put = (name: string, path: string, body: unknown, ...answer: Says): Malformed =>
  row("PUT", name, path, answer, body);
export const get = (name: string, path: string, ...answer: Says): Malformed => row("GET", name, path, answer);
export const del = (name: string, path: string, body: unknown, ...answer: Says): Malformed =>
  row("DELETE", name, path, answer, body);

/** A POST of YAML text. */
export const yaml = (name: string, text: string, ...answer: Says): Malformed =>
  row("POST", `YAML: ${name}`, `${configMaps}?fieldValidation=Strict`, answer, text, {
    "content-type": "application/yaml",
  });

const patchTypes = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
};

export const patch = (
  type: keyof typeof patchTypes,
  name: string,
  path: string,
  body: unknown,
  ...answer: Says
): Malformed =>
  row("PATCH", `${type} patch: ${name}`, path, answer, body, { "content-type": patchTypes[type] });

/** A conflict has two reasons; the row says which. */
export const because = (reason: string, malformed: Malformed): Malformed => ({ ...malformed, reason });

export const named = (metadata: object, more: object = {}): object => ({ metadata, ...more });
