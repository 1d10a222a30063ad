// What is left of a pod once the runtime has nothing of it: cgroup, volumes, logs, and its object in the API.

import { Pods } from "#client/refs.ts";
import { isApiError } from "#machinery/status.ts";
import type { NodeContext } from "./node-context.ts";
import type { ReadonlyPod } from "./plan/model.ts";

/** Releases what the node holds, then tells the API that the pod has ended. */
export async function finishPod(context: NodeContext, pod: ReadonlyPod, removed: boolean): Promise<void> {
  const { statuses, client, files, volumes, images, log } = context;
  const uid = pod.metadata?.uid ?? "";
  await files.removePod(pod);
  images.forget(`${uid}/`);
  await volumes.remove(uid);
  if (!removed && (await statuses.flush(uid))) {
    const { namespace = "", name = "" } = pod.metadata ?? {};
    try {
      await client.delete(Pods, namespace, name, { gracePeriodSeconds: 0, preconditions: { uid } });
    } catch (error) {
      // Gone, or another pod of that name: either way this one has ended.
      if (!isApiError(error, "NotFound") && !isApiError(error, "Conflict")) throw error;
    }
  }
  statuses.forget(uid);
  log.debug("a pod has ended", { pod: pod.metadata?.name, uid });
}
