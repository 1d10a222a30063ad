// How a failure is told: kubectl's lines for answers of the server, lost connections, and everything else.

import { isApiError, type ApiError } from "#machinery/status.ts";
import { CommandError, ExitCode, UsageError } from "./command.ts";

export interface Told {
  readonly text: string;
  readonly exitCode: number;
}

function describeApiError(error: ApiError): string {
  const { status } = error;
  if (status.reason === "Invalid") return describeInvalid(error);
  if (status.reason === "Unauthorized")
    return `error: You must be logged in to the server (${status.message ?? ""})`;
  return status.reason
    ? `Error from server (${status.reason}): ${status.message ?? ""}`
    : `Error from server: ${status.message ?? ""}`;
}

/** Every problem of an object: one after the sentence, several as a list. */
function describeInvalid({ status }: ApiError): string {
  const { kind = "", group = "", name = "", causes } = status.details ?? {};
  const subject = group === "" ? kind : `${kind}.${group}`;
  const start = `The ${subject} ${JSON.stringify(name)} is invalid`;
  if (status.details === undefined) return "The request is invalid: " + (status.message ?? "");
  if (causes === undefined || causes.length === 0) return start;
  const lines = [...new Set(causes.map(({ field, message }) => (field ? `${field}: ${message}` : message)))];
  return lines.length === 1
    ? `${start}: ${lines[0]}`
    : `${start}: \n${lines.map((line) => `* ${line}`).join("\n")}`;
}

interface NetworkFailure {
  readonly code: string;
  readonly address: string;
  readonly url: string;
  readonly method: string;
  readonly message: string;
}

const isNetworkFailure = (thrown: unknown): thrown is NetworkFailure =>
  thrown instanceof Error && typeof (thrown as { address?: unknown }).address === "string" && "url" in thrown;

const wholeSentence = /^(error:|Error from server|The connection to the server|Unable to connect)/;

function describeNetwork(failure: NetworkFailure): string {
  if (failure.code === "ECONNREFUSED")
    return `The connection to the server ${failure.address} was refused - did you specify the right host or port?`;
  return `Unable to connect to the server: ${networkReason(failure)}`;
}

/** What happened on the wire, in the words that users of kubectl search for. */
function networkReason({ code, address, message, url }: NetworkFailure): string {
  const host = address.replace(/:\d+$/, "");
  switch (code) {
    case "ENOTFOUND":
      return `dial tcp: lookup ${host}: no such host`;
    case "EAI_AGAIN":
      return `dial tcp: lookup ${host}: Temporary failure in name resolution`;
    case "EHOSTUNREACH":
      return `dial tcp ${address}: connect: no route to host`;
    case "ENETUNREACH":
      return `dial tcp ${address}: connect: network is unreachable`;
    case "ETIMEDOUT":
      return url.startsWith("http") && message === "timed out"
        ? "net/http: request canceled (Client.Timeout exceeded while awaiting headers)"
        : `dial tcp ${address}: i/o timeout`;
    case "ECONNRESET":
      return `read tcp ${address}: connection reset by peer`;
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
      return "tls: failed to verify certificate: x509: certificate signed by unknown authority";
    case "CERT_HAS_EXPIRED":
      return "tls: failed to verify certificate: x509: certificate has expired or is not yet valid";
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return `tls: failed to verify certificate: x509: certificate is not valid for ${host}`;
    default:
      return message;
  }
}

const oneLine = (error: unknown): string => describe(error, "").text;

/** Several failures at once: each on its line. */
export class SeveralErrors extends Error {
  readonly errors: readonly unknown[];
  constructor(errors: readonly unknown[]) {
    super(`${errors.length} errors`);
    this.errors = errors;
  }
}

export function describe(thrown: unknown, commandPath: string): Told {
  if (thrown instanceof ExitCode) return { text: "", exitCode: thrown.code };
  if (thrown instanceof UsageError)
    return {
      text: `error: ${thrown.message}\nSee '${commandPath} -h' for help and examples`,
      exitCode: 1,
    };
  if (thrown instanceof SeveralErrors) return { text: thrown.errors.map(oneLine).join("\n"), exitCode: 1 };
  if (isApiError(thrown)) return { text: describeApiError(thrown), exitCode: 1 };
  if (isNetworkFailure(thrown)) return { text: describeNetwork(thrown), exitCode: 1 };
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const text = wholeSentence.test(message) ? message : `error: ${message}`;
  return { text, exitCode: thrown instanceof CommandError ? thrown.exitCode : 1 };
}
