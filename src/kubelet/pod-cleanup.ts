// What is left of a pod once the runtime has nothing of it: cgroup, volumes, logs, and its object in the API.

import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { toError } from "#base/assert.ts";
import { Pods } from "#client/refs.ts";
import { detectCgroups, removeCgroup } from "#host/cgroups.ts";
import { isApiError } from "#machinery/status.ts";
import type { NodeContext } from "./node-context.ts";
import type { ReadonlyPod } from "./plan/model.ts";
import { possiblePodCgroups } from "./plan/resources.ts";
import { podLogDirectory } from "./plan/sandbox-config.ts";

/** Releases what the node holds, then tells the API that the pod has ended. */
export async function finishPod(context: NodeContext, pod: ReadonlyPod, removed: boolean): Promise<void> {
  const { statuses, client, settings, volumes, images, log } = context;
  const uid = pod.metadata?.uid ?? "";
  await releasePod(context, pod);
  images.forget(`${uid}/`);
  rmSync(podLogDirectory(settings.logRoot, pod), { recursive: true, force: true });
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

/** The runtime never removes the group that it made for a pod. */
async function releasePod({ settings, clock, log }: NodeContext, pod: ReadonlyPod): Promise<void> {
  const { roots } = detectCgroups();
  for (const path of possiblePodCgroups(settings.nodeCgroup, pod.metadata?.uid ?? "")) {
    const cgroup = path.slice(1);
    if (!roots.some((root) => existsSync(join(root, cgroup)))) continue;
    try {
      await removeCgroup(roots, cgroup, clock);
    } catch (thrown) {
      log.warn("a cgroup was not removed", { cgroup, error: toError(thrown) });
    }
  }
}
