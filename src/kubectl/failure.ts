// How a failure is told: kubectl's lines for answers of the server, lost connections, and everything else.

import { isApiError, type ApiError } from "#machinery/status.ts";
import { CommandError, ExitCode, UsageError } from "./command.ts";
import { describeNetwork, isNetworkFailure } from "./network-failure.ts";

export interface Told {
  readonly text: string;
  readonly exitCode: number;
}

/** Failures of several objects, each told on its line, as it stands. */
export class Failures extends Error {
  readonly errors: readonly unknown[];
  constructor(errors: readonly unknown[]) {
    super(`${errors.length} errors`);
    this.errors = errors;
  }
}

/** Throws what went wrong with some of many objects: one failure as it is, several together. */
export function throwFailures(errors: readonly unknown[]): void {
  if (errors.length === 1) throw errors[0] as Error;
  if (errors.length > 1) throw new Failures(errors);
}

const whole = /^(error:|Error from server|The connection to the server|Unable to connect)/;

function describeAnswer(error: ApiError): string {
  const { reason, message = "" } = error.status;
  if (reason === "Unauthorized") return `error: You must be logged in to the server (${message})`;
  return reason ? `Error from server (${reason}): ${message}` : `Error from server: ${message}`;
}

/** Every problem of an object: one after the sentence, several as a list. */
function describeInvalid({ status }: ApiError): string {
  const { details, message = "" } = status;
  const general = "The request is invalid";
  if (details === undefined) return message === "" ? general : `${general}: ${message}`;
  const { kind = "", name = "", causes = [] } = details;
  const about =
    kind !== "" || name !== ""
      ? `The ${kind} ${JSON.stringify(name)} is invalid`
      : message !== "" && causes.length === 0
        ? `${general}: ${message}`
        : general;
  if (causes.length === 0) return about;
  const lines = [...new Set(causes.map((cause) => `${cause.field ?? ""}: ${cause.message ?? ""}`))];
  return lines.length === 1
    ? `${about}: ${lines[0]}`
    : `${about}: \n${lines.map((line) => `* ${line}`).join("\n")}`;
}

/** Without the `error: ` that a failure alone has. */
function describePlainly(thrown: unknown): string {
  if (isApiError(thrown)) return describeAnswer(thrown);
  if (isNetworkFailure(thrown)) return describeNetwork(thrown);
  return thrown instanceof Error ? thrown.message : String(thrown);
}

export function describe(thrown: unknown, commandPath: string): Told {
  if (thrown instanceof ExitCode) return { text: "", exitCode: thrown.code };
  if (thrown instanceof UsageError)
    return { text: `error: ${thrown.message}\nSee '${commandPath} -h' for help and examples`, exitCode: 1 };
  if (thrown instanceof Failures) return { text: thrown.errors.map(describePlainly).join("\n"), exitCode: 1 };
  if (isApiError(thrown, "Invalid")) return { text: describeInvalid(thrown), exitCode: 1 };
  const text = describePlainly(thrown);
  const exitCode = thrown instanceof CommandError ? thrown.exitCode : 1;
  return { text: whole.test(text) || thrown instanceof WholeError ? text : `error: ${text}`, exitCode };
}

/** A failure whose message is the whole line. */
export class WholeError extends CommandError {}
