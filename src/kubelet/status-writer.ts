// Writes pod statuses: one write per pod at a time, always the newest, only what differs, and only to the pod of
// that uid. Failures are tried again; a pod that is gone ends it.

import { backoffDelay } from "#base/backoff.ts";
import type { Clock } from "#base/clock.ts";
import { toError } from "#base/assert.ts";
import type { Logger } from "#base/log.ts";
import type { Client } from "#client/client.ts";
import { Pods } from "#client/refs.ts";
import type { Pod, PodStatus } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { isApiError } from "#machinery/status.ts";
import { compareResourceVersions } from "#reconcile/resource-version.ts";
import { statusRetry } from "./limits.ts";
import type { ReadonlyPod } from "./plan/model.ts";
import { statusPatch } from "./plan/status-patch.ts";

interface Entry {
  /** The newest pod that the server is known to have. */
  server: ReadonlyPod;
  wanted: PodStatus;
  /** A write loop is at work; it will see every change of `wanted`. */
  busy: boolean;
  running: Promise<void>;
  gone: boolean;
}

export interface StatusWriter {
  /** `pod` is the informer's newest; the write happens in the background. */
  set(pod: ReadonlyPod, status: PodStatus): void;
  /** Resolves when the newest status is written; false when the pod is gone. */
  flush(uid: string): Promise<boolean>;
  forget(uid: string): void;
}

function newer(a: ReadonlyPod, b: ReadonlyPod): ReadonlyPod {
  const order = compareResourceVersions(a.metadata?.resourceVersion ?? "", b.metadata?.resourceVersion ?? "");
  return order === undefined || order >= 0 ? a : b;
}

export function createStatusWriter(
  client: Client,
  deps: { clock: Clock; log: Logger; signal: AbortSignal },
): StatusWriter {
  const { clock, log, signal } = deps;
  const entries = new Map<string, Entry>();

  async function write(uid: string, entry: Entry): Promise<void> {
    try {
      await writeUntilEqual(uid, entry);
    } finally {
      entry.busy = false;
    }
  }

  async function writeUntilEqual(uid: string, entry: Entry): Promise<void> {
    let failures = 0;
    while (!signal.aborted && !entry.gone) {
      const patch = statusPatch((entry.server.status ?? {}) as DeepReadonly<PodStatus>, entry.wanted);
      if (patch === undefined) return;
      const { namespace = "", name = "" } = entry.server.metadata ?? {};
      try {
        const answer = await client.patch<Pod>(
          Pods,
          namespace,
          name,
          "strategic",
          { metadata: { uid }, status: patch },
          "status",
        );
        entry.server = newer(answer, entry.server);
        failures = 0;
      } catch (error) {
        // Another pod has the name now, or none has.
        if (isApiError(error, "NotFound") || isApiError(error, "Conflict") || isApiError(error, "Invalid")) {
          const live = await read(namespace, name, uid);
          if (live === undefined) {
            entry.gone = true;
            return;
          }
          if (live !== "unknown") entry.server = live;
        }
        failures += 1;
        log.warn("a pod status was not written", { pod: `${namespace}/${name}`, error: toError(error) });
        await clock.sleep(backoffDelay(failures, statusRetry), signal);
      }
    }
  }

  async function read(namespace: string, name: string, uid: string): Promise<Pod | "unknown" | undefined> {
    try {
      const pod = await client.get<Pod>(Pods, namespace, name);
      return pod.metadata?.uid === uid ? pod : undefined;
    } catch (error) {
      return isApiError(error, "NotFound") ? undefined : "unknown";
    }
  }

  function run(uid: string, entry: Entry): void {
    if (entry.busy) return;
    entry.busy = true;
    entry.running = write(uid, entry);
  }

  return {
    set(pod, status) {
      const uid = pod.metadata?.uid ?? "";
      let entry = entries.get(uid);
      if (entry === undefined) {
        entry = { server: pod, wanted: status, busy: false, running: Promise.resolve(), gone: false };
        entries.set(uid, entry);
      }
      entry.server = newer(entry.server, pod);
      entry.wanted = status;
      run(uid, entry);
    },
    async flush(uid) {
      const entry = entries.get(uid);
      if (entry === undefined) return true;
      run(uid, entry);
      await entry.running;
      return !entry.gone;
    },
    forget: (uid) => void entries.delete(uid),
  };
}
