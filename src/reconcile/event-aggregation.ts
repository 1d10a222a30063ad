// Which events are worth sending, pure: repetitions raise a count, too many alike become one, a flood is cut.
// Per (source, object) a token bucket: a burst of 25, then one every five minutes. All memories are bounded.

import type { ObjectRef } from "./action.ts";
import {
  eventsBurst,
  eventsRefillMs,
  eventsRememberedMax,
  eventsSimilarIntervalMs,
  eventsSimilarMax,
} from "./limits.ts";

export interface EventRecord {
  readonly about: ObjectRef;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
}

/** Send nothing, a new event, or a new count (by patch) of the event `name`. */
export type EventDecision =
  | { readonly send: "nothing" }
  | { readonly send: "create"; readonly message: string; readonly remember: (name: string) => void }
  | { readonly send: "count"; readonly name: string; readonly count: number; readonly message: string };

/** A map that forgets what was used longest ago. */
class BoundedMap<V> {
  readonly #entries = new Map<string, V>();

  get(key: string): V | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, value);
    }
    return value;
  }

  set(key: string, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size > eventsRememberedMax) {
      const oldest = this.#entries.keys().next();
      if (oldest.done !== true) this.#entries.delete(oldest.value);
    }
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}

export class EventAggregator {
  readonly #buckets = new BoundedMap<{ tokens: number; atMs: number }>();
  readonly #similar = new BoundedMap<{ messages: Set<string>; lastMs: number }>();
  readonly #sent = new BoundedMap<{ name: string; count: number }>();

  decide({ about, type, reason, message }: EventRecord, nowMs: number): EventDecision {
    const object = [about.kind, about.namespace, about.name, about.uid, about.apiVersion].join("\n");
    if (!this.#allowed(object, nowMs)) return { send: "nothing" };
    const group = [object, about.fieldPath, type, reason].join("\n");
    const combined = this.#isFlood(group, message, nowMs);
    const text = combined ? `(combined from similar events): ${message}` : message;
    const id = combined ? group : `${group}\n${message}`;
    const sent = this.#sent.get(id);
    if (sent === undefined)
      return {
        send: "create",
        message: text,
        remember: (name) => this.#sent.set(id, { name, count: 1 }),
      };
    sent.count++;
    return { send: "count", name: sent.name, count: sent.count, message: text };
  }

  /** The event is gone from the server: the next one like it is new. */
  forget({ about, type, reason, message }: EventRecord): void {
    const object = [about.kind, about.namespace, about.name, about.uid, about.apiVersion].join("\n");
    const group = [object, about.fieldPath, type, reason].join("\n");
    this.#sent.delete(group);
    this.#sent.delete(`${group}\n${message}`);
  }

  #allowed(object: string, nowMs: number): boolean {
    const bucket = this.#buckets.get(object) ?? { tokens: eventsBurst, atMs: nowMs };
    bucket.tokens = Math.min(eventsBurst, bucket.tokens + (nowMs - bucket.atMs) / eventsRefillMs);
    bucket.atMs = nowMs;
    this.#buckets.set(object, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }

  /** True from the eleventh different message of one group on, until the group rests for ten minutes. */
  #isFlood(group: string, message: string, nowMs: number): boolean {
    let similar = this.#similar.get(group);
    if (similar === undefined || nowMs - similar.lastMs > eventsSimilarIntervalMs)
      similar = { messages: new Set(), lastMs: nowMs };
    similar.lastMs = nowMs;
    if (similar.messages.size < eventsSimilarMax) similar.messages.add(message);
    this.#similar.set(group, similar);
    return similar.messages.size >= eventsSimilarMax && !similar.messages.has(message);
  }
}
