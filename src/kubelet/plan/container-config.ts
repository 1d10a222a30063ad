// One container as the runtime sees it: command, environment, mounts, limits, log file, and the annotations from
// which a restarted kubelet knows it again.

import type { ContainerConfig, Mount } from "#cri/messages.ts";
import { containerHash } from "./containers.ts";
import { expand } from "./expansion.ts";
import type { ContainerKind, ReadonlyContainer, ReadonlyPod } from "./model.ts";
import { containerResources } from "./resources.ts";
import { containerNameLabel, nodeLabel, podLabels } from "./sandbox-config.ts";
import { containerSecurity, type ImageUser } from "./security.ts";

export const hashAnnotation = "io.kubernetes.container.hash";
export const restartCountAnnotation = "io.kubernetes.container.restartCount";
export const terminationPathAnnotation = "io.kubernetes.container.terminationMessagePath";
export const terminationPolicyAnnotation = "io.kubernetes.container.terminationMessagePolicy";
export const imageAnnotation = "io.leme.container.image";
export const defaultTerminationMessagePath = "/dev/termination-log";

export interface ContainerInput {
  readonly pod: ReadonlyPod;
  readonly container: ReadonlyContainer;
  readonly kind: ContainerKind;
  readonly attempt: number;
  /** What the runtime is asked to run: the resolved image. */
  readonly imageRef: string;
  readonly imageUser: ImageUser;
  readonly variables: ReadonlyMap<string, string>;
  readonly mounts: readonly Mount[];
  readonly nodeName: string;
  readonly memoryCapacity: number;
  readonly seccompRoot: string;
  /** For an ephemeral container: the running container whose processes it shares. */
  readonly targetId: string | undefined;
}

/** `NAME/ATTEMPT.log` under the pod's log folder. */
export const containerLogPath = (name: string, attempt: number): string => `${name}/${attempt}.log`;

export function containerConfig(input: ContainerInput): ContainerConfig {
  const { pod, container, attempt, variables } = input;
  const lookup = (name: string): string | undefined => variables.get(name);
  return {
    metadata: { name: container.name, attempt },
    image: { image: input.imageRef, userSpecifiedImage: container.image ?? "" },
    command: (container.command ?? []).map((word) => expand(word, lookup)),
    args: (container.args ?? []).map((word) => expand(word, lookup)),
    workingDir: container.workingDir ?? "",
    envs: [...variables].map(([key, value]) => ({ key, value })),
    mounts: [...input.mounts],
    labels: { ...podLabels(pod), [containerNameLabel]: container.name, [nodeLabel]: input.nodeName },
    annotations: {
      [hashAnnotation]: containerHash(container),
      [restartCountAnnotation]: String(attempt),
      [terminationPathAnnotation]: container.terminationMessagePath ?? defaultTerminationMessagePath,
      [terminationPolicyAnnotation]: container.terminationMessagePolicy ?? "File",
      [imageAnnotation]: container.image ?? "",
    },
    logPath: containerLogPath(container.name, attempt),
    stdin: container.stdin === true,
    stdinOnce: container.stdinOnce === true,
    tty: container.tty === true,
    linux: {
      resources: containerResources(pod, container, input.memoryCapacity),
      securityContext: containerSecurity(
        pod,
        container,
        input.kind,
        input.imageUser,
        input.seccompRoot,
        input.targetId,
      ),
    },
  };
}
