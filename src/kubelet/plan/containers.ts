// Questions about a pod's containers that several planners ask: which kind, which policy, which hash, which is newest.

import type { Container, Pod } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import type {
  ContainerKind,
  ObservedContainer,
  ObservedPod,
  ReadonlyContainer,
  ReadonlyPod,
} from "./model.ts";

export interface SpecContainer {
  readonly kind: ContainerKind;
  readonly container: ReadonlyContainer;
}

export const isSidecar = (container: DeepReadonly<Container>): boolean =>
  container.restartPolicy === "Always";

/** Every container of the spec in the order init, app, ephemeral. */
export function specContainers(pod: ReadonlyPod): SpecContainer[] {
  const spec = pod.spec;
  return [
    ...(spec?.initContainers ?? []).map((container): SpecContainer => ({
      kind: isSidecar(container) ? "sidecar" : "init",
      container,
    })),
    ...(spec?.containers ?? []).map((container): SpecContainer => ({ kind: "app", container })),
    ...(spec?.ephemeralContainers ?? []).map((container): SpecContainer => ({
      kind: "ephemeral",
      container: container as ReadonlyContainer,
    })),
  ];
}

export function findContainer(pod: ReadonlyPod, name: string): SpecContainer | undefined {
  return specContainers(pod).find(({ container }) => container.name === name);
}

/** Changes exactly when a running container no longer is what the spec asks for: only its image may change. */
export function containerHash(container: ReadonlyContainer): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(`${container.name}\0${container.image ?? ""}`)) {
    hash ^= byte;
    hash = Math.imul(hash, 0x01000193);
  }
  return (hash >>> 0).toString(16);
}

/** The newest container of each name. */
export function newestByName(containers: readonly ObservedContainer[]): Map<string, ObservedContainer> {
  const newest = new Map<string, ObservedContainer>();
  for (const container of containers) if (!newest.has(container.name)) newest.set(container.name, container);
  return newest;
}

export const isAlive = (container: ObservedContainer): boolean =>
  container.state === "running" || container.state === "unknown";

/** Whether a container that ended with `exitCode` is to run again. */
export function restartsAfter(
  pod: ReadonlyPod,
  { kind, container }: SpecContainer,
  exitCode: number,
): boolean {
  if (kind === "ephemeral") return false;
  if (kind === "sidecar") return true;
  for (const rule of container.restartPolicyRules ?? []) {
    const codes = rule.exitCodes;
    if (rule.action !== "Restart" || codes === undefined) continue;
    const listed = (codes.values ?? []).includes(exitCode);
    if ((codes.operator === "In") === listed) return true;
  }
  const policy = container.restartPolicy ?? pod.spec?.restartPolicy ?? "Always";
  // An init container that succeeded is done, whatever the pod's policy says.
  if (kind === "init") return exitCode !== 0 && policy !== "Never";
  return policy === "Always" || (policy === "OnFailure" && exitCode !== 0);
}

/** Seconds that a container has to end when the pod goes on. */
export const specGraceSeconds = (pod: DeepReadonly<Pod>): number =>
  pod.spec?.terminationGracePeriodSeconds ?? 30;

/** The number of the next container of this name, as a restart count. */
export function nextAttempt(pod: ReadonlyPod, observed: ObservedPod, name: string): number {
  const newest = observed.containers.find((container) => container.name === name);
  if (newest !== undefined) return newest.attempt + 1;
  const status = [
    ...(pod.status?.initContainerStatuses ?? []),
    ...(pod.status?.containerStatuses ?? []),
    ...(pod.status?.ephemeralContainerStatuses ?? []),
  ].find((known) => known.name === name);
  // Containers that the runtime has lost still count: their pod's status remembers them.
  return status?.containerID ? status.restartCount + 1 : 0;
}

/** `name_namespace(uid)`: how messages name a pod. */
export function podTitle(pod: ReadonlyPod): string {
  return `${pod.metadata?.name ?? ""}_${pod.metadata?.namespace ?? ""}(${pod.metadata?.uid ?? ""})`;
}
