// A failed CRI call: which one, with which gRPC code, and the runtime's own words.

export type CriCode =
  | "Canceled"
  | "Unknown"
  | "InvalidArgument"
  | "DeadlineExceeded"
  | "NotFound"
  | "AlreadyExists"
  | "PermissionDenied"
  | "ResourceExhausted"
  | "FailedPrecondition"
  | "Aborted"
  | "OutOfRange"
  | "Unimplemented"
  | "Internal"
  | "Unavailable"
  | "DataLoss"
  | "Unauthenticated";

const names: readonly CriCode[] = [
  "Unknown",
  "Canceled",
  "Unknown",
  "InvalidArgument",
  "DeadlineExceeded",
  "NotFound",
  "AlreadyExists",
  "PermissionDenied",
  "ResourceExhausted",
  "FailedPrecondition",
  "Aborted",
  "OutOfRange",
  "Unimplemented",
  "Internal",
  "Unavailable",
  "DataLoss",
  "Unauthenticated",
];

export const codeName = (code: number): CriCode => names[code] ?? "Unknown";

export class CriError extends Error {
  override name = "CriError";
  readonly method: string;
  readonly code: CriCode;
  /** What the runtime said, without our prefix. */
  readonly details: string;

  constructor(method: string, code: CriCode, details: string) {
    super(`rpc error: code = ${code} desc = ${details}`);
    this.method = method;
    this.code = code;
    this.details = details;
  }
}

export const isCriError = (thrown: unknown, code?: CriCode): thrown is CriError =>
  thrown instanceof CriError && (code === undefined || thrown.code === code);

/** The runtime is not there (yet, or any more): worth trying again soon. */
export const isUnavailable = (thrown: unknown): boolean =>
  isCriError(thrown) && (thrown.code === "Unavailable" || thrown.code === "DeadlineExceeded");
