// Keeps a sink equal to one resource of the API server: list in pages, then watch, resuming where a stream ended.
// 410 lists again; any other failure backs off and goes on from the last version seen.
// Events are handed over as they arrive, in the stream's turn, so there is no buffer here to overflow.

import { backoffDelay } from "#base/backoff.ts";
import { toError } from "#base/assert.ts";
import type { Clock } from "#base/clock.ts";
import type { Logger } from "#base/log.ts";
import type { Random } from "#base/random.ts";
import type { Client, ResourceRef } from "#client/client.ts";
import type { SharedEvent } from "#machinery/api-request.ts";
import { apiVersionOf, type KubeObject } from "#machinery/meta.ts";
import { ApiError } from "#machinery/status.ts";
import type { InformerOptions } from "./informer.ts";
import {
  listPageObjects,
  reflectorBackoff,
  watchGraceMs,
  watchSecondsMax,
  watchSecondsMin,
  watchShortMs,
} from "./limits.ts";

/** What a reflector feeds. All calls are synchronous. */
export interface Sink {
  replace(objects: readonly KubeObject[], resourceVersion: string): void;
  /** Never holds bookmarks or errors; `resourceVersion` is where the stream now stands. */
  apply(events: readonly SharedEvent[], resourceVersion: string): void;
}

export interface ReflectorDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

const isExpired = (error: Error): boolean =>
  error instanceof ApiError && (error.code === 410 || error.reason === "Expired");

/** Runs until `signal` aborts. Never rejects: every failure ends in a retry. */
export async function runReflector(
  deps: ReflectorDeps,
  ref: ResourceRef,
  options: InformerOptions,
  sink: Sink,
  signal: AbortSignal,
): Promise<void> {
  const { clock, random } = deps;
  const log = deps.log.with({ resource: ref.resource });
  let resourceVersion = "";
  let failures = 0;
  while (!signal.aborted) {
    try {
      if (resourceVersion === "") {
        const listed = await listAll(deps.client, ref, options);
        if (signal.aborted) return;
        sink.replace(listed.objects, listed.resourceVersion);
        resourceVersion = listed.resourceVersion;
        failures = 0;
      }
      const beganMs = clock.monotonic();
      let silent = true;
      for await (const batch of watchOnce(deps, ref, options, resourceVersion, signal)) {
        resourceVersion = deliver(batch, sink, resourceVersion);
        silent = false;
        failures = 0;
      }
      // A stream that the server ends at once, without a word, must not become a loop without rest.
      if (silent && clock.monotonic() - beganMs < watchShortMs) failures++;
    } catch (thrown) {
      if (signal.aborted) return;
      const error = toError(thrown);
      if (isExpired(error)) resourceVersion = "";
      failures++;
      log.debug("list or watch failed", { error, failures });
    }
    const rest = backoffDelay(failures, reflectorBackoff) * (0.5 + random.next() / 2);
    if (rest > 0) await clock.sleep(rest, signal);
  }
}

function deliver(batch: readonly SharedEvent[], sink: Sink, from: string): string {
  const last = batch[batch.length - 1];
  if (last === undefined) return from;
  const resourceVersion = last.object.metadata?.resourceVersion ?? from;
  const events = batch.some((event) => event.type === "BOOKMARK")
    ? batch.filter((event) => event.type !== "BOOKMARK")
    : batch;
  for (const { object } of events) lean(object);
  sink.apply(events, resourceVersion);
  return resourceVersion;
}

async function* watchOnce(
  { client, clock, random }: ReflectorDeps,
  ref: ResourceRef,
  options: InformerOptions,
  resourceVersion: string,
  signal: AbortSignal,
): AsyncGenerator<readonly SharedEvent[]> {
  const timeoutSeconds = watchSecondsMin + random.integer(watchSecondsMax - watchSecondsMin);
  const abort = new AbortController();
  if (signal.aborted) return;
  const stop = (): void => abort.abort();
  signal.addEventListener("abort", stop, { once: true });
  const timer = clock.after(timeoutSeconds * 1000 + watchGraceMs, stop);
  try {
    yield* client.watch(ref, { ...options, resourceVersion, timeoutSeconds, signal: abort.signal });
  } finally {
    timer.cancel();
    signal.removeEventListener("abort", stop);
    abort.abort();
  }
}

/** The whole collection in pages. When the pages' snapshot expires half-way, once more in one piece. */
async function listAll(
  client: Client,
  ref: ResourceRef,
  options: InformerOptions,
): Promise<{ objects: KubeObject[]; resourceVersion: string }> {
  const objects: KubeObject[] = [];
  let next: string | undefined;
  for (;;) {
    try {
      const page = await client.list(ref, {
        ...options,
        limit: listPageObjects,
        ...(next === undefined ? {} : { continue: next }),
      });
      for (const item of page.items) objects.push(typed(ref, item));
      next = page.metadata?.continue;
      if (next === undefined || next === "")
        return { objects, resourceVersion: page.metadata?.resourceVersion ?? "" };
    } catch (thrown) {
      if (next === undefined || !isExpired(toError(thrown))) throw thrown;
      const whole = await client.list(ref, options);
      return {
        objects: whole.items.map((item) => typed(ref, item)),
        resourceVersion: whole.metadata?.resourceVersion ?? "",
      };
    }
  }
}

/** Who owns which field is half of an object, and no concern of a controller: an update without it changes nothing. */
function lean(object: KubeObject): KubeObject {
  if (object.metadata?.managedFields !== undefined) delete object.metadata.managedFields;
  return object;
}

/** Items of a list may leave out their type. */
function typed(ref: ResourceRef, item: KubeObject): KubeObject {
  lean(item);
  return item.kind === undefined ? { kind: ref.kind, apiVersion: apiVersionOf(ref), ...item } : item;
}
