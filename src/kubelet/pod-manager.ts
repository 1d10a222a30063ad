// All pods of this node: one worker each, woken by the API, by container events and by a regular look at the
// runtime. What the runtime has and the API does not is ended.

import { toError } from "#base/assert.ts";
import type { Timer } from "#base/clock.ts";
import { spread } from "#base/random.ts";
import type { EventWatch } from "#cri/cri.ts";
import type { Pod } from "#machinery/gen/types/core-v1.ts";
import type { Informer } from "#reconcile/informer.ts";
import { relistBlindMs } from "./limits.ts";
import type { NodeContext } from "./node-context.ts";
import type { ReadonlyPod } from "./plan/model.ts";
import { graceAnnotation, podNameLabel, podNamespaceLabel, podUidLabel } from "./plan/sandbox-config.ts";
import { PodWorker } from "./pod-worker.ts";
import { fingerprint, listNode, type RuntimeList } from "./runtime-view.ts";

export interface PodManager {
  workers(): Iterable<PodWorker>;
  find(namespace: string, name: string): PodWorker | undefined;
  stop(): void;
}

export function startPodManager(context: NodeContext, pods: Informer<Pod>): PodManager {
  const { runtime, clock, random, pace, log, nodeName, volumes, signal } = context;
  const workers = new Map<string, PodWorker>();
  const seen = new Map<string, string>();
  let flowing = false;
  let timer: Timer | undefined;

  /** Pods that have ended here and that the API may still show for a moment. */
  const ended = new Set<string>();

  const drop = (worker: PodWorker): void => {
    workers.delete(worker.uid);
    seen.delete(worker.uid);
    const { namespace = "", name = "" } = worker.pod.metadata ?? {};
    if (pods.get(`${namespace}/${name}`)?.metadata?.uid === worker.uid) ended.add(worker.uid);
  };

  function add(pod: ReadonlyPod): PodWorker {
    const worker = new PodWorker(context, pod, drop);
    workers.set(worker.uid, worker);
    worker.wake();
    return worker;
  }

  const stopPods = pods.onChange((pod, old) => {
    const oldUid = old?.metadata?.uid ?? "";
    const uid = pod?.metadata?.uid;
    // A pod of the same name may have taken the place of one that this node still holds.
    if (old !== undefined && uid !== oldUid) {
      workers.get(oldUid)?.remove();
      ended.delete(oldUid);
    }
    if (pod === undefined || uid === undefined || ended.has(uid)) return;
    const worker = workers.get(uid);
    if (worker === undefined) add(pod);
    else worker.update(pod);
  });

  function noteEnd(id: string): void {
    for (const worker of workers.values()) {
      if (worker.view.ids.has(id)) {
        worker.noteEnd(id);
        return;
      }
    }
    // A container so new that no look has found it: its pod is at work right now, and must look once more.
    for (const worker of workers.values()) if (worker.busy) worker.noteEnd(id);
  }

  const events: EventWatch = runtime.watchEvents({
    onEvent({ id, kind }) {
      // Only the workers create and start; they look by themselves afterwards.
      if (kind !== "created" && kind !== "started") noteEnd(id);
    },
    onState(now) {
      if (now === flowing) return;
      flowing = now;
      schedule(0);
    },
  });

  async function relist(): Promise<void> {
    let list: RuntimeList;
    try {
      list = await listNode(runtime, nodeName);
    } catch (thrown) {
      log.debug("the runtime does not answer", { error: toError(thrown) });
      return;
    }
    for (const uid of new Set([...list.sandboxes.keys(), ...list.containers.keys()])) {
      const worker = workers.get(uid);
      if (worker === undefined) {
        if (pods.synced && uid !== "") endOrphan(list, uid);
        continue;
      }
      const print = fingerprint(list, uid);
      if (seen.get(uid) !== print) {
        seen.set(uid, print);
        worker.wake();
      }
    }
    // A pod whose last container vanished shows in no list at all.
    for (const [uid, worker] of workers) {
      if (!list.sandboxes.has(uid) && seen.has(uid)) {
        seen.delete(uid);
        worker.wake();
      }
    }
    if (pods.synced) await removeLeftovers();
  }

  /** The runtime runs a pod that nobody wants: it was deleted while this node was away. */
  function endOrphan(list: RuntimeList, uid: string): void {
    const sandbox = list.sandboxes.get(uid)?.[0];
    const labels = (sandbox ?? list.containers.get(uid)?.[0])?.labels;
    if (labels === undefined) return;
    const grace = Number(sandbox?.annotations[graceAnnotation] ?? 30);
    log.info("ending a pod that is no longer in the API", { pod: labels[podNameLabel], uid });
    const worker = add({
      metadata: {
        name: labels[podNameLabel] ?? "",
        namespace: labels[podNamespaceLabel] ?? "",
        uid: labels[podUidLabel] ?? "",
      },
      spec: { containers: [], terminationGracePeriodSeconds: Number.isInteger(grace) ? grace : 30 },
    });
    worker.remove();
  }

  async function removeLeftovers(): Promise<void> {
    for (const uid of volumes.known()) {
      if (workers.has(uid)) continue;
      log.info("removing the volumes of a pod that is gone", { uid });
      await volumes.remove(uid);
    }
  }

  function schedule(ms: number): void {
    timer?.cancel();
    if (signal.aborted) return;
    timer = clock.after(ms, () => {
      void relist()
        .catch((thrown: unknown) => log.warn("a look at the runtime failed", { error: toError(thrown) }))
        .then(() => schedule(flowing ? spread(pace.relistMs, random) : relistBlindMs));
    });
  }
  schedule(0);

  return {
    workers: () => workers.values(),
    find(namespace, name) {
      // A pod that still ends may have the same name as its successor, which is the one that is meant.
      const uid = pods.get(`${namespace}/${name}`)?.metadata?.uid;
      return uid === undefined ? undefined : workers.get(uid);
    },
    stop() {
      stopPods();
      events.stop();
      timer?.cancel();
      for (const worker of workers.values()) worker.stop();
    },
  };
}
