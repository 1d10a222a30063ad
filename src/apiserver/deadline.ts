// How long a request may take, where its client says so: after that the answer is 504, whatever comes of it.

import type { Clock } from "#base/clock.ts";
import { durationNanos } from "#machinery/schema/scalar-text.ts";
import { badRequest, timedOut } from "#machinery/status.ts";

/** The `timeout` of a query in milliseconds; undefined where it sets none. */
export function requestTimeoutMs(query: URLSearchParams): number | undefined {
  const text = query.get("timeout") ?? "";
  if (text === "") return undefined;
  const nanos = durationNanos(text);
  if (nanos === undefined)
    throw badRequest(
      `invalid timeout specified in the request URL - time: invalid duration ${JSON.stringify(text)}`,
    );
  return nanos > 0n ? Number(nanos) / 1e6 : undefined;
}

export async function withinDeadline<T>(
  clock: Clock,
  timeoutMs: number | undefined,
  work: () => Promise<T>,
): Promise<T> {
  if (timeoutMs === undefined) return work();
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = clock.after(timeoutMs, () =>
    reject(timedOut("request did not complete within requested timeout - context deadline exceeded")),
  );
  try {
    return await Promise.race([work(), promise]);
  } finally {
    timer.cancel();
  }
}
