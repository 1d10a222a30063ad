// A Job's pods: what marks them as its own, which index they do, how they ended, and what a new one looks like. Pure.

import { Pods, Jobs } from "#client/refs.ts";
import type { Job } from "#machinery/gen/types/batch-v1.ts";
import type { Container, EnvVar } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { createAction, patchAction, referenceTo, type Action } from "#reconcile/action.ts";
import { isPodTerminal, podCondition, type ReadPod } from "../pod-state.ts";

export type ReadJob = DeepReadonly<Job>;

/** While a pod has it, the pod is not in the Job's counters for good. */
export const trackingFinalizer = "batch.kubernetes.io/job-tracking";
export const indexKey = "batch.kubernetes.io/job-completion-index";
const indexVariable = "JOB_COMPLETION_INDEX";
/** Of the pods that had this index before: how many failed, and how many of the others failed without counting. */
export const indexFailuresKey = "batch.kubernetes.io/job-index-failure-count";
export const indexIgnoredKey = "batch.kubernetes.io/job-index-ignored-failure-count";

export const isTracked = (pod: ReadPod): boolean =>
  pod.metadata?.finalizers?.includes(trackingFinalizer) === true;

export const isIndexed = (job: ReadJob): boolean => job.spec?.completionMode === "Indexed";

/** Being deleted, and not at its end yet. */
export const isTerminating = (pod: ReadPod): boolean =>
  pod.metadata?.deletionTimestamp !== undefined && !isPodTerminal(pod);

/** Only pods that have really ended are replaced and counted. */
export const waitsForEnd = (job: ReadJob): boolean => job.spec?.podReplacementPolicy === "Failed";

export const hasSucceeded = (pod: ReadPod): boolean => pod.status?.phase === "Succeeded";

/** One that is being deleted may never come to tell how it ended: unless asked to wait, it counts as failed. */
export function hasFailed(job: ReadJob, pod: ReadPod): boolean {
  if (pod.status?.phase === "Failed") return true;
  return !waitsForEnd(job) && isTerminating(pod);
}

/** -1 of a pod that says none. */
export function indexOf(pod: ReadPod): number {
  const text = pod.metadata?.annotations?.[indexKey] ?? "";
  return /^\d{1,9}$/.test(text) ? Number(text) : -1;
}

const annotatedNumber = (pod: ReadPod, key: string): number => {
  const text = pod.metadata?.annotations?.[key] ?? "";
  return /^\d{1,9}$/.test(text) ? Number(text) : 0;
};

export interface IndexFailures {
  readonly counted: number;
  readonly ignored: number;
}

/** The failures of its index before this pod. */
export function failuresBefore(pod: ReadPod): IndexFailures {
  return { counted: annotatedNumber(pod, indexFailuresKey), ignored: annotatedNumber(pod, indexIgnoredKey) };
}

/** When it ended, as far as it tells. */
export function endedAtMs(pod: ReadPod): number {
  const times = (pod.status?.containerStatuses ?? [])
    .map(({ state }) => Date.parse(state?.terminated?.finishedAt ?? ""))
    .filter((time) => !Number.isNaN(time));
  if (times.length > 0) return Math.max(...times);
  for (const text of [
    pod.metadata?.deletionTimestamp,
    podCondition(pod, "Ready")?.lastTransitionTime,
    pod.metadata?.creationTimestamp,
  ]) {
    const time = Date.parse(text ?? "");
    if (!Number.isNaN(time)) return time;
  }
  return 0;
}

export function ownerReference(job: ReadJob): Record<string, unknown> {
  const { name = "", uid = "" } = job.metadata ?? {};
  return { apiVersion: "batch/v1", kind: "Job", name, uid, controller: true, blockOwnerDeletion: true };
}

/** Lets go of a pod that is counted, or never will be. */
export function untrack(pod: ReadPod): Action {
  const patch = {
    metadata: {
      uid: pod.metadata?.uid,
      "$deleteFromPrimitiveList/finalizers": [trackingFinalizer],
    },
  };
  return patchAction(Pods, pod, "strategic", patch, { absentIsFine: true });
}

/** Where the pod learns its index from. */
function withIndexVariable(container: DeepReadonly<Container>): DeepReadonly<Container> {
  const env = container.env ?? [];
  if (env.some(({ name }) => name === indexVariable)) return container;
  const variable: DeepReadonly<EnvVar> = {
    name: indexVariable,
    valueFrom: { fieldRef: { fieldPath: `metadata.labels['${indexKey}']` } },
  };
  return { ...container, env: [...env, variable] };
}

function indexedSpec(job: ReadJob, index: number): unknown {
  const spec = job.spec?.template.spec;
  return {
    ...spec,
    hostname: `${job.metadata?.name ?? ""}-${index}`,
    containers: (spec?.containers ?? []).map(withIndexVariable),
    ...(spec?.initContainers === undefined
      ? {}
      : { initContainers: spec.initContainers.map(withIndexVariable) }),
  };
}

/** A new pod; of an indexed Job the one of `index`, after the failures that this index has had. */
export function newPod(
  job: ReadJob,
  index?: number,
  failures: IndexFailures = { counted: 0, ignored: 0 },
): Action {
  const { name = "", namespace = "" } = job.metadata ?? {};
  const template = job.spec?.template;
  const { labels, annotations, finalizers } = template?.metadata ?? {};
  const perIndex = job.spec?.backoffLimitPerIndex !== undefined;
  const own =
    index === undefined
      ? {}
      : {
          [indexKey]: String(index),
          ...(perIndex ? { [indexFailuresKey]: String(failures.counted) } : {}),
          ...(perIndex && failures.ignored > 0 ? { [indexIgnoredKey]: String(failures.ignored) } : {}),
        };
  const allAnnotations = { ...annotations, ...own };
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      generateName: index === undefined ? `${name}-` : `${name}-${index}-`,
      namespace,
      labels: { ...labels, ...(index === undefined ? {} : { [indexKey]: String(index) }) },
      ...(Object.keys(allAnnotations).length === 0 ? {} : { annotations: allAnnotations }),
      finalizers: [...new Set([...(finalizers ?? []), trackingFinalizer])],
      ownerReferences: [ownerReference(job)],
    },
    spec: index === undefined ? template?.spec : indexedSpec(job, index),
  };
  return createAction(Pods, pod as unknown as ReadPod, {
    announce: {
      about: referenceTo(Jobs, job),
      done: { reason: "SuccessfulCreate", message: "Created pod: {name}" },
      failed: { reason: "FailedCreate", message: "Error creating: {error}" },
    },
  });
}
