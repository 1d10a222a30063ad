// Which pods are a Job's: those that it controls and still selects, and orphans that it selects. Pure.

import { Pods } from "#client/refs.ts";
import { controllerOf } from "#machinery/meta.ts";
import { matches, selectorFromObject } from "#machinery/selectors.ts";
import { patchAction, type Action } from "#reconcile/action.ts";
import type { ReadPod } from "../pod-state.ts";
import { isTracked, ownerReference, trackingFinalizer, type ReadJob } from "./job-pod.ts";

export interface Claim {
  readonly mine: readonly ReadPod[];
  /** Adoptions and releases. */
  readonly patches: readonly Action[];
}

export function selects(job: ReadJob, pod: ReadPod): boolean {
  const selector = selectorFromObject(job.spec?.selector) ?? [];
  return (
    selector.length > 0 &&
    job.metadata?.namespace === pod.metadata?.namespace &&
    matches(selector, pod.metadata?.labels)
  );
}

function adoption(job: ReadJob, pod: ReadPod): Action {
  const patch = {
    metadata: {
      uid: pod.metadata?.uid,
      ownerReferences: [ownerReference(job)],
      finalizers: [trackingFinalizer],
    },
  };
  return patchAction(Pods, pod, "strategic", patch, { absentIsFine: true });
}

function release(job: ReadJob, pod: ReadPod): Action {
  const patch = {
    metadata: {
      uid: pod.metadata?.uid,
      ownerReferences: [{ $patch: "delete", uid: job.metadata?.uid }],
      ...(isTracked(pod) ? { "$deleteFromPrimitiveList/finalizers": [trackingFinalizer] } : {}),
    },
  };
  return patchAction(Pods, pod, "strategic", patch, { absentIsFine: true });
}

/** A Job that goes away takes nothing in and lets nothing out. */
export function claim(job: ReadJob, pods: readonly ReadPod[]): Claim {
  const isDeleting = job.metadata?.deletionTimestamp !== undefined;
  const mine: ReadPod[] = [];
  const patches: Action[] = [];
  for (const pod of pods) {
    const owner = controllerOf(pod);
    const isSelected = selects(job, pod);
    if (owner !== undefined) {
      if (owner.uid !== job.metadata?.uid) continue;
      if (isSelected || isDeleting) mine.push(pod);
      else patches.push(release(job, pod));
    } else if (isSelected && !isDeleting && pod.metadata?.deletionTimestamp === undefined)
      patches.push(adoption(job, pod));
  }
  return { mine, patches };
}
