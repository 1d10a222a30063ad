// metav1.Status and the error that carries it. Every failure that a client sees is one of these.

import { fieldErrorBody, fieldErrorMessage, type FieldError } from "./field-error.ts";
import { groupResource } from "./meta.ts";

export interface StatusCause {
  reason?: string;
  message?: string;
  field?: string;
}

export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: StatusCause[];
  retryAfterSeconds?: number;
}

export interface Status {
  kind: "Status";
  apiVersion: "v1";
  metadata: Record<string, unknown>;
  status: "Success" | "Failure";
  message?: string;
  reason?: string;
  details?: StatusDetails;
  code: number;
}

/** What an error is about: `details.kind` holds the resource name (or the kind, for Invalid). */
export interface Subject {
  readonly group: string;
  readonly resource: string;
}

/** A failed API call, on both sides of the wire: thrown by the server's layers and by clients. */
export class ApiError extends Error {
  override name = "ApiError";
  readonly status: Status;
  /** Extra response headers, e.g. `Retry-After`. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: Status, headers: Record<string, string> = {}) {
    super(status.message ?? status.reason ?? `HTTP ${status.code}`);
    this.status = status;
    this.headers = headers;
  }

  get code(): number {
    return this.status.code;
  }

  get reason(): string {
    return this.status.reason ?? "";
  }
}

export function failure(
  code: number,
  reason: string,
  message: string,
  details?: StatusDetails,
  headers?: Record<string, string>,
): ApiError {
  const status: Status = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, code };
  if (reason !== "") status.reason = reason;
  if (details !== undefined) status.details = details;
  return new ApiError(status, headers);
}

function detailsOf({ group, resource }: Subject, name: string): StatusDetails {
  const details: StatusDetails = {};
  if (name !== "") details.name = name;
  if (group !== "") details.group = group;
  details.kind = resource;
  return details;
}

export const badRequest = (message: string): ApiError => failure(400, "BadRequest", message);
export const unauthorized = (message = "Unauthorized"): ApiError => failure(401, "Unauthorized", message);
export const notFound = (subject: Subject, name: string): ApiError =>
  failure(
    404,
    "NotFound",
    `${groupResource(subject)} ${JSON.stringify(name)} not found`,
    detailsOf(subject, name),
  );
export const pathNotFound = (): ApiError =>
  failure(404, "NotFound", "the server could not find the requested resource", {});
export const forbiddenError = (subject: Subject, name: string, why: string): ApiError =>
  failure(
    403,
    "Forbidden",
    subject.resource === ""
      ? `forbidden: ${why}`
      : name === ""
        ? `${groupResource(subject)} is forbidden: ${why}`
        : `${groupResource(subject)} ${JSON.stringify(name)} is forbidden: ${why}`,
    subject.resource === "" ? {} : detailsOf(subject, name),
  );
export const alreadyExists = (subject: Subject, name: string): ApiError =>
  failure(
    409,
    "AlreadyExists",
    `${groupResource(subject)} ${JSON.stringify(name)} already exists`,
    detailsOf(subject, name),
  );
/** A generated name that was taken, every time that one was made: ask again. */
export const generatedNameTaken = (subject: Subject, name: string): ApiError =>
  failure(
    409,
    "AlreadyExists",
    `${groupResource(subject)} ${JSON.stringify(name)} already exists, the server was not able to generate a unique name for the object`,
    { ...detailsOf(subject, name), retryAfterSeconds: 1 },
  );
export const conflict = (subject: Subject, name: string, why: string): ApiError =>
  failure(
    409,
    "Conflict",
    `Operation cannot be fulfilled on ${groupResource(subject)} ${JSON.stringify(name)}: ${why}`,
    detailsOf(subject, name),
  );
/** The message of a failed optimistic update. */
export const staleObject =
  "the object has been modified; please apply your changes to the latest version and try again";
/** `metadata` may say how to go on after all. */
export function gone(message: string, metadata: Record<string, unknown> = {}): ApiError {
  const { status } = failure(410, "Expired", message);
  return new ApiError({ ...status, metadata });
}
/** It took longer than it may; whether it has happened is not known. */
export const timedOut = (why: string): ApiError => failure(504, "Timeout", `Timeout: ${why}`, {});
/** A revision that nobody has written yet, and that did not come while the server waited. */
export const futureVersion = (wanted: number, current: number): ApiError =>
  failure(504, "Timeout", `Timeout: Too large resource version: ${wanted}, current: ${current}`, {
    causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
    retryAfterSeconds: 1,
  });
export const tooLarge = (message: string): ApiError => failure(413, "RequestEntityTooLarge", message);
export const internalError = (why: string): ApiError =>
  failure(500, "InternalError", `Internal error occurred: ${why}`, { causes: [{ message: why }] });
export const serviceUnavailable = (message: string): ApiError => failure(503, "ServiceUnavailable", message);
export const methodNotAllowed = (): ApiError =>
  failure(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {});
export const notAcceptable = (supported: readonly string[]): ApiError =>
  failure(406, "NotAcceptable", `only the following media types are accepted: ${supported.join(", ")}`);
export const unsupportedMediaType = (supported: readonly string[]): ApiError =>
  failure(
    415,
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: ${supported.join(", ")}`,
  );

/** 422: all field errors at once, each also a cause. `kind` is the object's kind, as documented for this reason. */
export function invalidObject(
  kind: { group: string; kind: string },
  name: string,
  errors: readonly FieldError[],
): ApiError {
  const messages = errors.map(fieldErrorMessage);
  const list = messages.length === 1 ? messages[0] : `[${[...new Set(messages)].join(", ")}]`;
  return failure(
    422,
    "Invalid",
    `${kind.group === "" ? kind.kind : `${kind.kind}.${kind.group}`} ${JSON.stringify(name)} is invalid: ${list}`,
    {
      ...(name === "" ? {} : { name }),
      ...(kind.group === "" ? {} : { group: kind.group }),
      kind: kind.kind,
      causes: errors.map((error) => ({
        reason: error.type,
        message: fieldErrorBody(error),
        field: error.field,
      })),
    },
  );
}

export const isApiError = (thrown: unknown, reason?: string): thrown is ApiError =>
  thrown instanceof ApiError && (reason === undefined || thrown.reason === reason);
