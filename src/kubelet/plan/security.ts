// Security contexts of a pod and its containers, in the runtime's terms; and whether an image may run at all
// under runAsNonRoot.

import type {
  Int64Value,
  LinuxContainerSecurityContext,
  LinuxSandboxSecurityContext,
  NamespaceMode,
  SecurityProfile,
} from "#cri/messages.ts";
import { specContainers } from "./containers.ts";
import { podTitle } from "./containers.ts";
import type { ContainerKind, ReadonlyContainer, ReadonlyPod } from "./model.ts";

/** Parts of /proc and /sys that containers must not see … */
const maskedPaths = [
  "/proc/asound",
  "/proc/acpi",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
];
/** … and must not write. */
const readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

const int64 = (value: number): Int64Value => ({ value });

type SeccompProfile = NonNullable<
  NonNullable<NonNullable<ReadonlyPod["spec"]>["securityContext"]>["seccompProfile"]
>;

function seccomp(profile: SeccompProfile | undefined, seccompRoot: string): SecurityProfile {
  switch (profile?.type) {
    case "RuntimeDefault":
      return { profileType: "RuntimeDefault" };
    case "Localhost":
      return { profileType: "Localhost", localhostRef: `${seccompRoot}/${profile.localhostProfile ?? ""}` };
    default:
      return { profileType: "Unconfined" };
  }
}

export interface Namespaces {
  readonly network: NamespaceMode;
  readonly pid: NamespaceMode;
  readonly ipc: NamespaceMode;
}

export function podNamespaces(pod: ReadonlyPod): Namespaces {
  const spec = pod.spec;
  return {
    network: spec?.hostNetwork === true ? "NODE" : "POD",
    ipc: spec?.hostIPC === true ? "NODE" : "POD",
    pid: spec?.hostPID === true ? "NODE" : spec?.shareProcessNamespace === true ? "POD" : "CONTAINER",
  };
}

/** Groups of every process of the pod: supplementalGroups and fsGroup. */
export function podGroups(pod: ReadonlyPod): number[] {
  const context = pod.spec?.securityContext;
  return [
    ...(context?.fsGroup === undefined ? [] : [context.fsGroup]),
    ...(context?.supplementalGroups ?? []),
  ];
}

const isPrivileged = (container: ReadonlyContainer): boolean =>
  container.securityContext?.privileged === true;

export function sandboxSecurity(pod: ReadonlyPod, seccompRoot: string): LinuxSandboxSecurityContext {
  const context = pod.spec?.securityContext;
  // The sandbox must be privileged for any of its containers to be.
  const privileged = specContainers(pod).some(({ container }) => isPrivileged(container));
  return {
    namespaceOptions: podNamespaces(pod),
    privileged,
    supplementalGroups: podGroups(pod),
    ...(context?.runAsUser === undefined ? {} : { runAsUser: int64(context.runAsUser) }),
    ...(context?.runAsGroup === undefined || context.runAsUser === undefined
      ? {}
      : { runAsGroup: int64(context.runAsGroup) }),
    ...(privileged ? {} : { seccomp: seccomp(context?.seccompProfile, seccompRoot) }),
  };
}

/** The image's own user, as the runtime knows it. */
export interface ImageUser {
  readonly uid: number | undefined;
  readonly username: string;
}

export function effectiveUser(pod: ReadonlyPod, container: ReadonlyContainer): number | undefined {
  return container.securityContext?.runAsUser ?? pod.spec?.securityContext?.runAsUser;
}

/** Why runAsNonRoot forbids this container, or undefined. */
export function nonRootProblem(
  pod: ReadonlyPod,
  container: ReadonlyContainer,
  image: ImageUser,
): string | undefined {
  const nonRoot = container.securityContext?.runAsNonRoot ?? pod.spec?.securityContext?.runAsNonRoot;
  if (nonRoot !== true) return undefined;
  const where = `(pod: "${podTitle(pod)}", container: ${container.name})`;
  const user = effectiveUser(pod, container);
  if (user !== undefined)
    return user === 0 ? `container's runAsUser breaks non-root policy ${where}` : undefined;
  if (image.username !== "")
    return `container has runAsNonRoot and image has non-numeric user (${image.username}), cannot verify user is non-root ${where}`;
  if ((image.uid ?? 0) === 0) return `container has runAsNonRoot and image will run as root ${where}`;
  return undefined;
}

export function containerSecurity(
  pod: ReadonlyPod,
  container: ReadonlyContainer,
  kind: ContainerKind,
  image: ImageUser,
  seccompRoot: string,
  targetId: string | undefined,
): LinuxContainerSecurityContext {
  const own = container.securityContext;
  const context = pod.spec?.securityContext;
  const user = effectiveUser(pod, container) ?? image.uid;
  const group = own?.runAsGroup ?? context?.runAsGroup;
  const privileged = isPrivileged(container);
  const namespaces = podNamespaces(pod);
  const unmasked = own?.procMount === "Unmasked";
  const add = own?.capabilities?.add ?? [];
  const drop = own?.capabilities?.drop ?? [];
  return {
    namespaceOptions:
      kind === "ephemeral" && targetId !== undefined
        ? { ...namespaces, pid: "TARGET", targetId }
        : namespaces,
    privileged,
    readonlyRootfs: own?.readOnlyRootFilesystem === true,
    supplementalGroups: podGroups(pod),
    noNewPrivs: own?.allowPrivilegeEscalation === false,
    maskedPaths: unmasked ? [] : maskedPaths,
    readonlyPaths: unmasked ? [] : readonlyPaths,
    ...(add.length + drop.length === 0
      ? {}
      : { capabilities: { addCapabilities: [...add], dropCapabilities: [...drop] } }),
    ...(user === undefined
      ? image.username === ""
        ? {}
        : { runAsUsername: image.username }
      : { runAsUser: int64(user) }),
    ...(group === undefined ? {} : { runAsGroup: int64(group) }),
    ...(privileged ? {} : { seccomp: seccomp(own?.seccompProfile ?? context?.seccompProfile, seccompRoot) }),
  };
}
