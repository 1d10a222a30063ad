// Executes a plan in its order. Neighbouring creates go in batches of 1, 2, 4 …, so that a refusal costs one call;
// neighbouring deletions go together; everything else one by one. It stops at the first failure.

import { toError } from "#base/assert.ts";
import type { Client, ResourceRef } from "#client/client.ts";
import { objectKey, type KubeObject } from "#machinery/meta.ts";
import { ApiError } from "#machinery/status.ts";
import type { Action, Announcement } from "./action.ts";
import type { EventRecorder } from "./events.ts";
import { writesInFlightMax } from "./limits.ts";

/** A write that the server has acknowledged, as the caches must come to show it. */
export interface Written {
  readonly ref: ResourceRef;
  readonly key: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** Deletions end with the object marked or gone. */
  readonly deleted: boolean;
}

export interface Failure {
  readonly action: Action;
  readonly error: Error;
  /** No answer came: the write may or may not have happened. */
  readonly unknown: boolean;
}

export interface Outcome {
  readonly written: readonly Written[];
  readonly failures: readonly Failure[];
}

/** The namespace is going away: creating in it can only fail, and nobody needs to hear of it. */
export const isNamespaceTerminating = (error: Error): boolean =>
  error instanceof ApiError &&
  (error.status.details?.causes ?? []).some((cause) => cause.reason === "NamespaceTerminating");

export async function execute(
  client: Client,
  events: EventRecorder,
  actions: readonly Action[],
): Promise<Outcome> {
  const run = new Run(client, events);
  for (const group of groups(actions)) {
    if (run.failures.length > 0) break;
    if (group[0]?.do === "create") await run.creates(group);
    else await run.parallel(group, group[0]?.do === "delete" ? writesInFlightMax : 1);
  }
  return { written: run.written, failures: run.failures };
}

/** Neighbours of one sort together. */
function groups(actions: readonly Action[]): Action[][] {
  const found: Action[][] = [];
  for (const action of actions) {
    const last = found.at(-1);
    if (last?.[0]?.do === action.do) last.push(action);
    else found.push([action]);
  }
  return found;
}

class Run {
  readonly written: Written[] = [];
  readonly failures: Failure[] = [];
  readonly #client: Client;
  readonly #events: EventRecorder;

  constructor(client: Client, events: EventRecorder) {
    this.#client = client;
    this.#events = events;
  }

  async creates(actions: readonly Action[]): Promise<void> {
    for (
      let at = 0, size = 1;
      at < actions.length;
      at += size, size = Math.min(size * 2, writesInFlightMax)
    ) {
      await this.parallel(actions.slice(at, at + size), size);
      if (this.failures.length > 0) return;
    }
  }

  async parallel(actions: readonly Action[], width: number): Promise<void> {
    for (let at = 0; at < actions.length && this.failures.length === 0; at += width)
      await Promise.all(actions.slice(at, at + width).map((action) => this.one(action)));
  }

  async one(action: Action): Promise<void> {
    if (action.do === "event") {
      this.#events.event(action.about, action.type, action.reason, action.message);
      return;
    }
    const announce = "announce" in action ? action.announce : undefined;
    try {
      const answer = await this.#write(action);
      if (answer === undefined) return;
      const name = action.do === "delete" ? action.name : (answer.metadata?.name ?? "");
      this.#note(action, answer);
      this.#announce(announce, "done", name, "");
    } catch (thrown) {
      const error = toError(thrown);
      if (!isNamespaceTerminating(error))
        this.#announce(announce, "failed", action.do === "delete" ? action.name : "", error.message);
      this.failures.push({ action, error, unknown: !(error instanceof ApiError) });
    }
  }

  /** The server's answer; undefined when there was nothing to do. */
  async #write(action: Exclude<Action, { do: "event" }>): Promise<KubeObject | undefined> {
    const client = this.#client;
    try {
      switch (action.do) {
        case "create":
          return await client.create(action.ref, action.namespace, action.object);
        case "update":
          return await client.update(action.ref, action.object, action.subresource);
        case "status":
          return await client.update(action.ref, action.object, "status");
        case "patch": {
          const { ref, namespace, name, type, patch, subresource } = action;
          return await client.patch(ref, namespace, name, type, patch, subresource);
        }
        case "delete":
          return await client.delete(action.ref, action.namespace, action.name, action.options);
      }
    } catch (thrown) {
      if (thrown instanceof ApiError) {
        const absentIsFine =
          action.do === "delete" || (action.do === "patch" && action.absentIsFine === true);
        if (thrown.code === 404 && absentIsFine) return undefined;
        if (thrown.reason === "AlreadyExists" && action.do === "create" && action.existsIsFine === true)
          return undefined;
      }
      throw thrown;
    }
  }

  #note(action: Exclude<Action, { do: "event" }>, answer: KubeObject): void {
    const { uid = "", resourceVersion = "" } = answer.metadata ?? {};
    if (action.do === "delete") {
      const key = action.ref.namespaced ? `${action.namespace}/${action.name}` : action.name;
      const expected = action.options?.preconditions?.uid ?? uid;
      this.written.push({ ref: action.ref, key, uid: expected, resourceVersion, deleted: true });
      return;
    }
    if (resourceVersion !== "")
      this.written.push({ ref: action.ref, key: objectKey(answer), uid, resourceVersion, deleted: false });
  }

  #announce(announce: Announcement | undefined, which: "done" | "failed", name: string, error: string): void {
    const said = announce?.[which];
    if (announce === undefined || said === undefined) return;
    const message = said.message.replace("{name}", () => name).replace("{error}", () => error);
    this.#events.event(announce.about, which === "done" ? "Normal" : "Warning", said.reason, message);
  }
}
