// A connection that failed, in the words that users of kubectl search for. Pure.

export interface NetworkFailure extends Error {
  readonly code: string;
  /** `host:port` */
  readonly address: string;
  readonly url: string;
  readonly method: string;
  readonly dialed: string;
}

export const isNetworkFailure = (thrown: unknown): thrown is NetworkFailure =>
  thrown instanceof Error && "address" in thrown && "url" in thrown;

export function describeNetwork(failure: NetworkFailure): string {
  if (failure.code === "ECONNREFUSED")
    return `The connection to the server ${failure.address} was refused - did you specify the right host or port?`;
  return `Unable to connect to the server: ${networkReason(failure)}`;
}

/** `Get "https://…": dial tcp …`: the request, and what became of it. `path` replaces the one it was for. */
export function describeRequest(failure: NetworkFailure, path?: string): string {
  const method = failure.method[0] + failure.method.slice(1).toLowerCase();
  const url = path === undefined ? failure.url : new URL(path, failure.url).href;
  return `${method} ${JSON.stringify(url)}: ${networkReason(failure)}`;
}

/** What happened on the wire. */
function networkReason(failure: NetworkFailure): string {
  const { code, address, dialed, message } = failure;
  const host = address.replace(/:\d+$/, "");
  switch (code) {
    case "ECONNREFUSED":
      return `dial tcp ${dialed}: connect: connection refused`;
    case "ENOTFOUND":
      return `dial tcp: lookup ${host}: no such host`;
    case "EAI_AGAIN":
      return `dial tcp: lookup ${host}: Temporary failure in name resolution`;
    case "EHOSTUNREACH":
      return `dial tcp ${dialed}: connect: no route to host`;
    case "ENETUNREACH":
      return `dial tcp ${dialed}: connect: network is unreachable`;
    case "ETIMEDOUT":
      return message === "timed out"
        ? "net/http: request canceled (Client.Timeout exceeded while awaiting headers)"
        : `dial tcp ${dialed}: i/o timeout`;
    case "ECONNRESET":
      return message === "socket hang up" ? "EOF" : `read tcp ${dialed}: read: connection reset by peer`;
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "UNABLE_TO_GET_ISSUER_CERT":
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
      return "tls: failed to verify certificate: x509: certificate signed by unknown authority";
    case "CERT_HAS_EXPIRED":
      return "tls: failed to verify certificate: x509: certificate has expired or is not yet valid";
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return `tls: failed to verify certificate: x509: ${wrongName(failure, host)}`;
    default:
      return message;
  }
}

/** Which names the certificate has, and which it was to have. */
function wrongName({ cause }: NetworkFailure, host: string): string {
  const { host: asked = host, cert } = (cause ?? {}) as { host?: string; cert?: { subjectaltname?: string } };
  const kind = /^[\d.]+$|:/.test(asked) ? "IP Address" : "DNS";
  const names = (cert?.subjectaltname ?? "")
    .split(", ")
    .filter((name) => name.startsWith(`${kind}:`))
    .map((name) => name.slice(kind.length + 1));
  return names.length === 0
    ? `certificate is not valid for any names, but wanted to match ${asked}`
    : `certificate is valid for ${names.join(", ")}, not ${asked}`;
}
