// What the kubelet keeps on this machine for one pod besides its volumes: logs, the hosts file, the last words of its
// containers, its cgroup.

import { chmodSync, closeSync, existsSync, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { toError } from "#base/assert.ts";
import type { Clock } from "#base/clock.ts";
import type { Logger } from "#base/log.ts";
import type { Mount } from "#cri/messages.ts";
import { detectCgroups, removeCgroup } from "#host/cgroups.ts";
import { rotatedLogs } from "./logs/log-files.ts";
import { containerLogPath } from "./plan/container-config.ts";
import type { ReadonlyPod } from "./plan/model.ts";
import { possiblePodCgroups } from "./plan/resources.ts";
import { podLogDirectory, type SandboxSettings } from "./plan/sandbox-config.ts";
import { exists } from "./volumes/host-path.ts";
import { resolveSubPath } from "./volumes/sub-path.ts";
import type { MountedVolume, VolumeManager } from "./volumes/volume-manager.ts";

/** One container, by its name and how often it was made before. */
export interface ContainerTry {
  readonly name: string;
  readonly attempt: number;
}

export interface PodFiles {
  /** Where the runtime writes the container's output is there. */
  prepareLog(pod: ReadonlyPod, container: ContainerTry): void;
  /** The path of a volume, or of something in it; made if it may be and is missing. */
  volumePath(volume: MountedVolume, subPath: string | undefined): { path: string } | { problem: string };
  hostsFile(pod: ReadonlyPod, text: string): Mount;
  /** Where the container may leave its last words. */
  lastWords(pod: ReadonlyPod, container: ContainerTry, containerPath: string): Mount;
  /** Log and last words of a container that nobody can ask about any more. */
  removeContainer(pod: ReadonlyPod, container: ContainerTry): void;
  removePod(pod: ReadonlyPod): Promise<void>;
}

export interface PodFilesDeps {
  readonly settings: Pick<SandboxSettings, "logRoot" | "nodeCgroup">;
  readonly volumes: VolumeManager;
  readonly clock: Clock;
  readonly log: Logger;
}

export function createPodFiles({ settings, volumes, clock, log }: PodFilesDeps): PodFiles {
  const podDir = (pod: ReadonlyPod): string => volumes.podDir(pod.metadata?.uid ?? "");
  const logOf = (pod: ReadonlyPod, { name, attempt }: ContainerTry): string =>
    join(podLogDirectory(settings.logRoot, pod), containerLogPath(name, attempt));
  const wordsOf = (pod: ReadonlyPod, { name, attempt }: ContainerTry): string =>
    join(podDir(pod), "containers", name, String(attempt));

  /** The runtime never removes the group that it made for a pod. */
  async function removeCgroups(pod: ReadonlyPod): Promise<void> {
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

  return {
    prepareLog: (pod, container) => void mkdirSync(dirname(logOf(pod, container)), { recursive: true }),
    volumePath(volume, subPath) {
      if (subPath) return resolveSubPath(volume.path, subPath, volume.mayCreate);
      // The runtime would make a folder of it without asking; a hostPath without a type means the same.
      if (!exists(volume.path)) mkdirSync(volume.path, { recursive: true, mode: 0o755 });
      return { path: volume.path };
    },
    hostsFile(pod, text) {
      const path = join(podDir(pod), "etc-hosts");
      mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
      writeFileSync(path, text, { mode: 0o644 });
      return { containerPath: "/etc/hosts", hostPath: path };
    },
    lastWords(pod, container, containerPath) {
      const path = wordsOf(pod, container);
      mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
      if (!existsSync(path)) closeSync(openSync(path, "a"));
      // Any user of the container may write its last words.
      chmodSync(path, 0o666);
      return { containerPath, hostPath: path };
    },
    removeContainer(pod, container) {
      const output = logOf(pod, container);
      for (const path of [output, wordsOf(pod, container), ...rotatedLogs(output)])
        rmSync(path, { force: true });
    },
    async removePod(pod) {
      await removeCgroups(pod);
      rmSync(podLogDirectory(settings.logRoot, pod), { recursive: true, force: true });
    },
  };
}
