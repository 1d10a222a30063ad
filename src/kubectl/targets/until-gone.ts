// Waits until an object is gone: it cannot be got any more, or another of its name has taken its place.

import { resourcePath, type WatchOptions } from "#client/client.ts";
import { groupResource, type KubeObject } from "#machinery/meta.ts";
import { isApiError } from "#machinery/status.ts";
import { CommandError, type Context } from "../command.ts";
import type { Target } from "./resolve.ts";

const weekMs = 7 * 24 * 3_600_000;

export async function untilGone(
  context: Context,
  target: Target,
  uid: string,
  timeoutMs: number,
): Promise<void> {
  const client = await context.client();
  const { resource, namespace, name = "" } = target;
  const deadline = AbortSignal.timeout(timeoutMs > 0 ? Math.min(timeoutMs, weekMs) : weekMs);
  const isGone = (object: KubeObject): boolean => uid !== "" && object.metadata?.uid !== uid;
  while (!deadline.aborted) {
    let object: KubeObject;
    try {
      object = await client.json("GET", resourcePath(resource, namespace, name));
    } catch (thrown) {
      if (isApiError(thrown, "NotFound")) return;
      throw thrown;
    }
    if (isGone(object)) return;
    const options: WatchOptions = {
      namespace,
      fieldSelector: `metadata.name=${name}`,
      resourceVersion: object.metadata?.resourceVersion ?? "0",
      allowBookmarks: false,
      signal: deadline,
    };
    try {
      for await (const batch of client.watch(resource, options))
        if (batch.some((event) => event.type === "DELETED" || isGone(event.object))) return;
    } catch (thrown) {
      if (!deadline.aborted && !isApiError(thrown)) throw thrown;
    }
  }
  const kind = groupResource(resource);
  throw new CommandError(`timed out waiting for the condition on ${kind}/${name}`);
}
