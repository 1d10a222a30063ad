// The machine of a hollow node: a size that was asked for, volumes and files that are only said to be there, probes that
// succeed. Nothing of the real machine is read or written, and no packet is sent.

import type { EventRecorder } from "../event-recorder.ts";
import type { Machine } from "../kubelet.ts";
import { hollowPace } from "../limits.ts";
import type { MachineFacts } from "../plan/node-status.ts";
import type { PodFiles } from "../pod-files.ts";
import type { VolumeManager } from "../volumes/volume-manager.ts";
import type { SimulatedRuntime } from "./simulated-runtime.ts";

export interface HollowSize {
  readonly cpus: number;
  readonly memoryBytes: number;
}

const diskBytes = 100 * 1024 ** 3;

const facts = (name: string, { cpus, memoryBytes }: HollowSize): MachineFacts => ({
  cpus,
  memoryBytes,
  memoryAvailableBytes: memoryBytes,
  diskBytes,
  diskFreeBytes: diskBytes,
  pids: 100,
  pidsMax: 4_194_304,
  machineId: name,
  systemUuid: name,
  bootId: name,
  kernelVersion: "hollow",
  osImage: "Hollow node (no machine)",
  architecture: "amd64",
});

const volumes: VolumeManager = {
  ensure: (pod) =>
    Promise.resolve({
      volumes: new Map(
        (pod.spec?.volumes ?? []).map(({ name = "" }) => [
          name,
          { path: `/hollow/${name}`, readOnly: false, mayCreate: false },
        ]),
      ),
    }),
  remove: () => Promise.resolve(),
  known: () => [],
  podDir: (uid) => `/hollow/pods/${uid}`,
};

const files: PodFiles = {
  prepareLog: () => undefined,
  volumePath: ({ path }) => ({ path }),
  hostsFile: () => ({ containerPath: "/etc/hosts", hostPath: "/hollow/hosts" }),
  lastWords: (_pod, _container, containerPath) => ({ containerPath, hostPath: "/hollow/words" }),
  removeContainer: () => undefined,
  removePod: () => Promise.resolve(),
};

/** What goes well is not told: it would be most of what thousands of nodes write. */
export function warningsOnly(recorder: EventRecorder): EventRecorder {
  return {
    event: (about, type, reason, message) => {
      if (type === "Warning") recorder.event(about, type, reason, message);
    },
    flush: () => recorder.flush(),
  };
}

export function hollowMachine(
  name: string,
  size: HollowSize,
  runtime: SimulatedRuntime,
  recorder: EventRecorder,
): Machine {
  const machine = facts(name, size);
  return {
    runtime,
    facts: () => machine,
    files,
    volumes,
    probe: () => Promise.resolve({ ok: true, output: "" }),
    hook: () => Promise.resolve(undefined),
    recorder,
    pace: hollowPace,
  };
}
