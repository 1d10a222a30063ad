// Runs the pods of Jobs until enough have succeeded or too many have failed; the plan is in job/.
// Watches: jobs, pods (by owner; orphans by label).  Owns: pods.
// Writes: pods (create, delete, owner references, finalizers), jobs/status.

import type { Client } from "#client/client.ts";
import { Jobs, Pods } from "#client/refs.ts";
import type { Job } from "#machinery/gen/types/batch-v1.ts";
import type { Pod } from "#machinery/gen/types/core-v1.ts";
import { controllerOf, objectKey } from "#machinery/meta.ts";
import { ApiError } from "#machinery/status.ts";
import { defineController, watching, type Reads } from "#reconcile/controller.ts";
import { hasReached } from "#reconcile/resource-version.ts";
import { selects } from "./job/claim.ts";
import { planJob, planWithoutCreating, type JobInput } from "./job/job-plan.ts";
import { isTracked, untrack, type ReadJob } from "./job/job-pod.ts";
import { isNews } from "./job/tracking.ts";
import type { ReadPod } from "./pod-state.ts";

const uidLabel = "batch.kubernetes.io/controller-uid";
/** Live reads at once. */
const readsInFlightMax = 16;

interface Input {
  /** Undefined when it is gone: then nobody counts the pods that were its. */
  readonly job: ReadJob | undefined;
  readonly pods: readonly ReadPod[];
  /** The pods' cache may be older than the Job's status. */
  readonly isBehind: boolean;
}

const isOwnedByJob = (pod: ReadPod): boolean => {
  const owner = controllerOf(pod);
  return owner?.kind === "Job" && owner.apiVersion.startsWith("batch/");
};

/** Jobs that may adopt an orphan: the one of its label, and those with selectors that their users wrote. */
function possibleOwners(pod: ReadPod, reads: Reads): ReadJob[] {
  const jobs = reads.of<Job>(Jobs);
  return [
    ...jobs.byIndex("uid", pod.metadata?.labels?.[uidLabel] ?? ""),
    ...jobs.byIndex("own-selector", pod.metadata?.namespace ?? ""),
  ].filter((job) => selects(job, pod));
}

/** Of a tracked pod that belongs to nobody the key is its own: nobody will ever count it. */
const strayPrefix = "pod:";

function keysOf(pod: ReadPod, reads: Reads): string[] {
  if (isOwnedByJob(pod)) return [`${pod.metadata?.namespace ?? ""}/${controllerOf(pod)?.name ?? ""}`];
  if (controllerOf(pod) !== undefined) return [];
  const owners = possibleOwners(pod, reads).map(objectKey);
  return owners.length === 0 && isTracked(pod) ? [`${strayPrefix}${objectKey(pod)}`] : owners;
}

function read(key: string, reads: Reads): Input | undefined {
  const pods = reads.of<Pod>(Pods);
  if (key.startsWith(strayPrefix)) {
    const pod = pods.get(key.slice(strayPrefix.length));
    const isStray =
      pod !== undefined && controllerOf(pod) === undefined && possibleOwners(pod, reads).length === 0;
    return isStray ? { job: undefined, pods: [pod], isBehind: false } : undefined;
  }
  const job = reads.of<Job>(Jobs).get(key);
  const uid = job?.metadata?.uid ?? "";
  const lost = pods.byIndex("tracked-by-job", key).filter((pod) => controllerOf(pod)?.uid !== uid);
  // A Job that was made again under the name of one that is gone waits for its pods to be let go.
  if (job === undefined || lost.length > 0) return { job: undefined, pods: lost, isBehind: false };
  const orphans =
    job.spec?.manualSelector === true
      ? pods.byIndex("orphans-by-namespace", job.metadata?.namespace ?? "")
      : pods.byIndex("orphans-by-job-uid", uid);
  return {
    job,
    pods: [...pods.byIndex("controller-uid", uid), ...orphans.filter((pod) => selects(job, pod))],
    isBehind: !hasReached(pods.resourceVersion, job.metadata?.resourceVersion ?? ""),
  };
}

async function live(client: Client, pod: ReadPod): Promise<ReadPod | undefined> {
  const { namespace = "", name = "", uid } = pod.metadata ?? {};
  try {
    const found = await client.get<Pod>(Pods, namespace, name);
    return found.metadata?.uid === uid ? found : undefined;
  } catch (thrown) {
    if (thrown instanceof ApiError && thrown.code === 404) return undefined;
    throw thrown;
  }
}

/**
 * A status newer than the pods that we see may have counted what we would count again, and names pods that we have not
 * seen: those are read from the server, whose answer is newer than that status. A later status makes our write fail.
 */
async function confirm(input: Input, client: Client): Promise<Input> {
  const { job, pods, isBehind } = input;
  if (job === undefined || !isBehind) return input;
  const { succeeded = [], failed = [] } = job.status?.uncountedTerminatedPods ?? {};
  const seen = new Set(pods.map((pod) => pod.metadata?.uid));
  if ([...succeeded, ...failed].some((uid) => !seen.has(uid))) {
    const { items } = await client.list<Pod>(Pods, { namespace: job.metadata?.namespace ?? "" });
    return { ...input, pods: items.filter((pod) => controllerOf(pod)?.uid === job.metadata?.uid) };
  }
  const current = [...pods];
  const doubtful = [...pods.keys()].filter((at) => isNews(job, pods[at] as ReadPod));
  for (let from = 0; from < doubtful.length; from += readsInFlightMax)
    await Promise.all(
      doubtful.slice(from, from + readsInFlightMax).map(async (at) => {
        const found = await live(client, pods[at] as ReadPod);
        // One that is gone was let go before.
        if (found === undefined) delete current[at];
        else current[at] = found;
      }),
    );
  return { ...input, pods: current.filter((pod) => pod !== undefined) };
}

export const jobController = defineController<Input>({
  name: "job-controller",
  owns: [Pods],
  writes: [Pods, Jobs],
  watches: [
    watching<Job>({
      ref: Jobs,
      indexes: {
        uid: (job) => [job.metadata?.uid ?? ""],
        "own-selector": (job) => (job.spec?.manualSelector === true ? [job.metadata?.namespace ?? ""] : []),
      },
      keys: (job) => [objectKey(job)],
    }),
    watching<Pod>({
      ref: Pods,
      indexes: {
        "controller-uid": (pod) => [controllerOf(pod)?.uid ?? []].flat(),
        "orphans-by-namespace": (pod) =>
          controllerOf(pod) === undefined ? [pod.metadata?.namespace ?? ""] : [],
        "orphans-by-job-uid": (pod) =>
          controllerOf(pod) === undefined ? [pod.metadata?.labels?.[uidLabel] ?? []].flat() : [],
        "tracked-by-job": (pod) =>
          isTracked(pod) && isOwnedByJob(pod)
            ? [`${pod.metadata?.namespace ?? ""}/${controllerOf(pod)?.name ?? ""}`]
            : [],
      },
      keys: keysOf,
    }),
  ],
  read,
  confirm,
  plan: ({ job, pods }, context) =>
    job === undefined
      ? { actions: pods.filter(isTracked).map(untrack) }
      : planJob({ job, pods } satisfies JobInput, context),
  planAfterFailure: ({ job, pods }, { action }, context) =>
    job === undefined || action.do !== "create" ? [] : planWithoutCreating({ job, pods }, context),
});
