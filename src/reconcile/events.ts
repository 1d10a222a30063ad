// Records events about objects: never blocks, never fails its caller; sends in order from a bounded queue.

import { toError } from "#base/assert.ts";
import { timestamp } from "#base/clock.ts";
import type { Client } from "#client/client.ts";
import { Events } from "#client/refs.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { ApiError } from "#machinery/status.ts";
import type { ObjectRef } from "./action.ts";
import type { Deps } from "./component.ts";
import { EventAggregator, type EventRecord } from "./event-aggregation.ts";
import { eventsQueuedMax } from "./limits.ts";

export interface EventRecorder {
  event(about: ObjectRef, type: "Normal" | "Warning", reason: string, message: string): void;
  /** Resolves when everything recorded so far was sent or given up. */
  flush(): Promise<void>;
}

export interface EventRecorderOptions {
  readonly client: Client;
  /** `source.component`, e.g. `replication-controller` or `kubelet`. */
  readonly component: string;
  /** `source.host`: the node, for components of a node. */
  readonly host?: string;
}

export function createEventRecorder(
  { client, component, host }: EventRecorderOptions,
  { clock, log }: Pick<Deps, "clock" | "log">,
): EventRecorder {
  const aggregator = new EventAggregator();
  const queue: { record: EventRecord; atMs: number }[] = [];
  let sending: Promise<void> | undefined;
  let dropped = 0;
  let lastStamp = 0;

  /** Event names are the object's name and the time; two in one moment must still differ. */
  const nameOf = (about: ObjectRef, atMs: number): string => {
    lastStamp = Math.max(lastStamp + 1, atMs * 1000);
    return `${about.name ?? "unknown"}.${(BigInt(lastStamp) * 1000n).toString(16)}`;
  };

  const create = async (record: EventRecord, message: string, atMs: number): Promise<string> => {
    const { about, type, reason } = record;
    const namespace = about.namespace ?? "default";
    const name = nameOf(about, atMs);
    const event: KubeObject & Record<string, unknown> = {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name, namespace },
      involvedObject: about,
      reason,
      message,
      source: { component, ...(host === undefined ? {} : { host }) },
      firstTimestamp: timestamp(atMs),
      lastTimestamp: timestamp(atMs),
      count: 1,
      type,
      eventTime: null,
      reportingComponent: component,
      reportingInstance: host ?? "",
    };
    await client.create(Events, namespace, event);
    return name;
  };

  const send = async (record: EventRecord, atMs: number): Promise<void> => {
    const decision = aggregator.decide(record, atMs);
    if (decision.send === "nothing") return;
    if (decision.send === "count") {
      const { name, count, message } = decision;
      const patch = { count, message, lastTimestamp: timestamp(atMs) };
      try {
        await client.patch(Events, record.about.namespace ?? "default", name, "strategic", patch);
        return;
      } catch (thrown) {
        if (!(thrown instanceof ApiError && thrown.code === 404)) throw thrown;
        // It expired meanwhile: begin a new one.
        aggregator.forget(record);
        await create(record, message, atMs);
        return;
      }
    }
    decision.remember(await create(record, decision.message, atMs));
  };

  const drain = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      try {
        await send(next.record, next.atMs);
      } catch (thrown) {
        const error = toError(thrown);
        log.debug("an event was not recorded", { reason: next.record.reason, error });
      }
    }
    sending = undefined;
  };

  return {
    event(about, type, reason, message) {
      if (queue.length >= eventsQueuedMax) {
        dropped++;
        if (dropped === 1 || dropped % 1000 === 0) log.warn("events are dropped", { dropped });
        return;
      }
      queue.push({ record: { about, type, reason, message: message.slice(0, 1024) }, atMs: clock.now() });
      sending ??= drain();
    },
    async flush() {
      while (sending !== undefined) await sending;
    },
  };
}
