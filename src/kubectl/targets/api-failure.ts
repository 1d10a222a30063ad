// What kubectl puts before the server's own words when a document of a file fails: what it was doing, and with which file.

import { ApiError } from "#machinery/status.ts";

/** Adds `error when creating "pod.yaml": `. */
export function withSource(thrown: unknown, doing: string, source: string | undefined): unknown {
  if (!(thrown instanceof ApiError) || source === undefined) return thrown;
  const message = `error when ${doing} ${JSON.stringify(source)}: ${thrown.status.message ?? ""}`;
  return new ApiError({ ...thrown.status, message });
}
