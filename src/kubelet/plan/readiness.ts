// When a running container counts as started and as ready, from what its probes and its postStart hook said.

import type { ObservedContainer, PodMemory, ReadonlyContainer } from "./model.ts";

export function isStarted(
  container: ReadonlyContainer,
  observed: ObservedContainer,
  memory: PodMemory,
): boolean {
  if (observed.state !== "running") return false;
  const hook = memory.postStart.get(observed.id);
  if (hook === "running" || hook === "failed") return false;
  return container.startupProbe === undefined || memory.probes.get(observed.id)?.startup === true;
}

export function isReady(
  container: ReadonlyContainer,
  observed: ObservedContainer,
  memory: PodMemory,
): boolean {
  if (!isStarted(container, observed, memory)) return false;
  return container.readinessProbe === undefined || memory.probes.get(observed.id)?.readiness === true;
}
