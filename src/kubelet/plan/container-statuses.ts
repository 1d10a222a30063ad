// The status of each container of a pod, as kubectl shows it: state, last state, readiness, restart count.

import { timestamp } from "#base/clock.ts";
import type { ContainerState, ContainerStatus } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { specContainers, type SpecContainer } from "./containers.ts";
import type { ObservedContainer, PodPlan, ReadonlyPod, Waiting } from "./model.ts";
import { isReady, isStarted } from "./readiness.ts";
import type { StatusInput } from "./status.ts";

/** The simulated runtime names itself in its ids, so that they never pass for a real one's. */
const containerIdOf = (id: string): string => (id.includes("://") ? id : `containerd://${id}`);

export function terminatedState(container: ObservedContainer): ContainerState {
  const { exitCode, reason, message, startedAtMs, finishedAtMs, id } = container;
  return {
    terminated: {
      exitCode,
      reason: reason !== "" ? reason : exitCode === 0 ? "Completed" : "Error",
      ...(message === "" ? {} : { message }),
      // Zero means that it never ran.
      ...(startedAtMs > 0 ? { startedAt: timestamp(startedAtMs) } : {}),
      ...(finishedAtMs > 0 ? { finishedAt: timestamp(finishedAtMs) } : {}),
      containerID: containerIdOf(id),
    },
  };
}

/** For a container that the status says ran, and that the runtime no longer knows. */
const lostState = (known: DeepReadonly<ContainerStatus>): ContainerState => ({
  terminated: {
    exitCode: 137,
    reason: "ContainerStatusUnknown",
    message: "The container could not be located when the pod was terminated",
    ...(known.containerID === undefined ? {} : { containerID: known.containerID }),
  },
});

function knownStatuses(pod: ReadonlyPod): Map<string, DeepReadonly<ContainerStatus>> {
  const { initContainerStatuses, containerStatuses, ephemeralContainerStatuses } = pod.status ?? {};
  return new Map(
    [
      ...(initContainerStatuses ?? []),
      ...(containerStatuses ?? []),
      ...(ephemeralContainerStatuses ?? []),
    ].map((known) => [known.name, known]),
  );
}

function waitingOf(
  input: StatusInput,
  plan: PodPlan,
  name: string,
  last: ObservedContainer | undefined,
): Waiting | undefined {
  const given = plan.waiting.get(name) ?? input.memory.waiting.get(name);
  if (given !== undefined) return given;
  // An ended container shows its end until the next one starts.
  if (last !== undefined && last.state !== "created") return undefined;
  return (input.pod.spec?.initContainers ?? []).length > 0
    ? { reason: "PodInitializing" }
    : { reason: "ContainerCreating" };
}

function stateOf(
  input: StatusInput,
  plan: PodPlan,
  name: string,
  last: ObservedContainer | undefined,
  known: DeepReadonly<ContainerStatus> | undefined,
): ContainerState {
  if (last?.state === "running")
    return { running: last.startedAtMs > 0 ? { startedAt: timestamp(last.startedAtMs) } : {} };
  if (last?.state === "unknown") return { waiting: { reason: "Unknown" } };
  if (plan.terminating) {
    if (last?.state === "exited") return terminatedState(last);
    if (known?.state?.terminated !== undefined) return known.state as ContainerState;
    if (known?.state?.running !== undefined) return lostState(known);
  }
  const waiting = waitingOf(input, plan, name, last);
  if (waiting !== undefined) {
    return {
      waiting: {
        reason: waiting.reason,
        ...(waiting.message === undefined ? {} : { message: waiting.message }),
      },
    };
  }
  return last === undefined ? { waiting: { reason: "ContainerCreating" } } : terminatedState(last);
}

function lastStateOf(
  ofName: readonly ObservedContainer[],
  state: ContainerState,
  known: DeepReadonly<ContainerStatus> | undefined,
): ContainerState {
  const shown = state.terminated?.containerID;
  const previous = ofName.find(
    (container) => container.state === "exited" && containerIdOf(container.id) !== shown,
  );
  if (previous !== undefined) return terminatedState(previous);
  if (known === undefined) return {};
  // The runtime has lost a container that ran: what is known of it becomes the last state.
  const alive = ofName.some(({ id }) => containerIdOf(id) === known.containerID);
  if (known.state?.running !== undefined && !alive && state.terminated === undefined) return lostState(known);
  if (known.state?.terminated !== undefined && state.terminated === undefined)
    return { terminated: known.state.terminated as NonNullable<ContainerState["terminated"]> };
  return (known.lastState ?? {}) as ContainerState;
}

function readyOf(
  input: StatusInput,
  { kind, container }: SpecContainer,
  last: ObservedContainer | undefined,
): boolean {
  if (last === undefined) return false;
  if (kind === "init") return last.state === "exited" && last.exitCode === 0;
  return isReady(container, last, input.memory);
}

function restartCountOf(
  last: ObservedContainer | undefined,
  known: DeepReadonly<ContainerStatus> | undefined,
): number {
  return last?.attempt ?? known?.restartCount ?? 0;
}

export interface ContainerStatuses {
  readonly init: ContainerStatus[];
  readonly app: ContainerStatus[];
  readonly ephemeral: ContainerStatus[];
}

export function planContainerStatuses(input: StatusInput, plan: PodPlan): ContainerStatuses {
  const known = knownStatuses(input.pod);
  const statuses: ContainerStatuses = { init: [], app: [], ephemeral: [] };
  for (const spec of specContainers(input.pod)) {
    const { name, image = "" } = spec.container;
    const ofName = input.observed.containers.filter((container) => container.name === name);
    const last = ofName[0];
    const old = known.get(name);
    const state = stateOf(input, plan, name, last, old);
    const ready = readyOf(input, spec, last);
    const started = last !== undefined && isStarted(spec.container, last, input.memory);
    const id = last === undefined ? old?.containerID : containerIdOf(last.id);
    const resources = spec.container.resources;
    const list =
      spec.kind === "app" ? statuses.app : spec.kind === "ephemeral" ? statuses.ephemeral : statuses.init;
    list.push({
      name,
      state,
      lastState: lastStateOf(ofName, state, old),
      ready,
      restartCount: restartCountOf(last, old),
      image: last === undefined ? image : last.image !== "" ? last.image : image,
      imageID: last?.imageRef ?? old?.imageID ?? "",
      ...(id === undefined ? {} : { containerID: id }),
      ...(spec.kind === "ephemeral" ? {} : { started }),
      ...(resources === undefined || (resources.requests === undefined && resources.limits === undefined)
        ? {}
        : runtimeResources(resources as NonNullable<ContainerStatus["resources"]>)),
    });
  }
  return statuses;
}

/** What the container was given: this kubelet gives exactly what the spec asks for. */
function runtimeResources(
  resources: NonNullable<ContainerStatus["resources"]>,
): Pick<ContainerStatus, "resources" | "allocatedResources"> {
  return {
    ...(resources.requests === undefined ? {} : { allocatedResources: resources.requests }),
    resources,
  };
}
