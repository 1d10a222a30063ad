// Which container of a pod a command means. Pure.

import type { Pod } from "#machinery/gen/types/core-v1.ts";
import { CommandError } from "../command.ts";

const defaultContainerAnnotation = "kubectl.kubernetes.io/default-container";

/** `a, b, setup (init), debugger (ephem)` */
function allNames({ spec }: Pod): string {
  return [
    ...(spec?.containers ?? []).map(({ name }) => name),
    ...(spec?.initContainers ?? []).map(({ name }) => `${name} (init)`),
    ...(spec?.ephemeralContainers ?? []).map(({ name }) => `${name} (ephem)`),
  ].join(", ");
}

/** Init containers first, as they ran. */
export function containerNames({ spec }: Pod): string[] {
  return [
    ...(spec?.initContainers ?? []),
    ...(spec?.containers ?? []),
    ...(spec?.ephemeralContainers ?? []),
  ].map(({ name = "" }) => name);
}

/** The container that the pod itself names for commands like these, or "". */
export const annotatedContainer = ({ metadata }: Pod): string =>
  metadata?.annotations?.[defaultContainerAnnotation] ?? "";

/** The named container, or the one that stands for the pod; `tell` hears when that was a choice. */
export function chooseContainer(pod: Pod, name: string, tell: (line: string) => void): string {
  const podName = pod.metadata?.name ?? "";
  const names = containerNames(pod);
  if (name !== "") {
    if (!names.includes(name))
      throw new CommandError(`container ${name} is not valid for pod ${podName} out of: ${allNames(pod)}`);
    return name;
  }
  const wanted = annotatedContainer(pod);
  if (wanted !== "") {
    if (names.includes(wanted)) return wanted;
    tell(`Default container name ${JSON.stringify(wanted)} not found in pod ${podName}`);
  }
  const [first] = pod.spec?.containers ?? [];
  if (first === undefined) throw new CommandError(`no container found in pod ${podName}`);
  if (names.length > 1) tell(`Defaulted container ${JSON.stringify(first.name)} out of: ${allNames(pod)}`);
  return first.name;
}
