// What kubectl puts before the server's own words when a document of a file fails: what it was doing, and with which file.

import { ApiError } from "#machinery/status.ts";

/** Adds `error when creating "pod.yaml": `. Invalid objects speak for themselves. */
export function apiFailure(thrown: unknown, doing: string, source: string): unknown {
  if (!(thrown instanceof ApiError) || source === "" || thrown.reason === "Invalid") return thrown;
  const { status } = thrown;
  return new ApiError({
    ...status,
    message: `error when ${doing} ${JSON.stringify(source)}: ${status.message ?? ""}`,
  });
}
