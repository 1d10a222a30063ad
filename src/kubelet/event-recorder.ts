// Events about pods and the node: sent in the background, repetitions counted on one object. Losing one is no fault.

import { timestamp, type Clock } from "#base/clock.ts";
import type { Logger } from "#base/log.ts";
import { toError } from "#base/assert.ts";
import type { Client } from "#client/client.ts";
import { Events } from "#client/refs.ts";
import type { Event, ObjectReference } from "#machinery/gen/types/core-v1.ts";
import { isApiError } from "#machinery/status.ts";
import { eventsQueuedMax, eventsRememberedMax } from "./limits.ts";

export interface EventRecorder {
  event(about: ObjectReference, type: "Normal" | "Warning", reason: string, message: string): void;
  /** Resolves when everything recorded so far is sent or given up. */
  flush(): Promise<void>;
}

interface Known {
  name: string;
  count: number;
}

export function createEventRecorder(
  client: Client,
  nodeName: string,
  deps: { clock: Clock; log: Logger },
): EventRecorder {
  const { clock, log } = deps;
  const known = new Map<string, Known>();
  const queue: { key: string; event: Event }[] = [];
  let sending: Promise<void> | undefined;
  let dropped = 0;
  let lastName = 0;

  async function send({ key, event }: { key: string; event: Event }): Promise<void> {
    const namespace = event.metadata.namespace ?? "default";
    const seen = known.get(key);
    if (seen !== undefined) {
      seen.count += 1;
      try {
        await client.patch(Events, namespace, seen.name, "merge", {
          count: seen.count,
          lastTimestamp: event.lastTimestamp,
          message: event.message,
        });
        return;
      } catch (error) {
        // It has expired on the server: a new one begins.
        if (!isApiError(error, "NotFound")) throw error;
        known.delete(key);
      }
    }
    await client.create(Events, namespace, event);
    if (known.size >= eventsRememberedMax) known.delete(known.keys().next().value as string);
    known.set(key, { name: event.metadata.name ?? "", count: 1 });
  }

  async function drain(): Promise<void> {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      try {
        await send(next);
      } catch (thrown) {
        log.debug("an event was not recorded", { reason: next.event.reason, error: toError(thrown) });
      }
    }
    sending = undefined;
  }

  return {
    event(about, type, reason, message) {
      if (queue.length >= eventsQueuedMax) {
        dropped += 1;
        log.warn("too many events are waiting; dropped one", { reason, dropped });
        return;
      }
      const now = clock.now();
      const stamp = timestamp(now);
      // Names count on from the clock, so that no two events of this process share one.
      lastName = Math.max(lastName + 1, Math.round(now * 1000));
      queue.push({
        key: [
          about.kind,
          about.namespace,
          about.name,
          about.uid,
          about.fieldPath,
          type,
          reason,
          message,
        ].join("\0"),
        event: {
          apiVersion: "v1",
          kind: "Event",
          metadata: {
            name: `${about.name ?? ""}.${lastName.toString(16)}`,
            namespace: about.namespace ?? "default",
          },
          involvedObject: about,
          reason,
          message,
          source: { component: "kubelet", host: nodeName },
          firstTimestamp: stamp,
          lastTimestamp: stamp,
          count: 1,
          type,
          reportingComponent: "kubelet",
          reportingInstance: nodeName,
        },
      });
      sending ??= drain();
    },
    flush: () => sending ?? Promise.resolve(),
  };
}
