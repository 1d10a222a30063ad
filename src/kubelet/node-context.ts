// What all parts of one kubelet share: the runtime, the API, the node's facts and the services of the kubelet itself.

import type { Clock } from "#base/clock.ts";
import type { Logger } from "#base/log.ts";
import type { Random } from "#base/random.ts";
import type { Client } from "#client/client.ts";
import type { ContainerRuntime } from "#cri/cri.ts";
import type { Service } from "#machinery/gen/types/core-v1.ts";
import type { Informer } from "#reconcile/informer.ts";
import type { EventRecorder } from "./event-recorder.ts";
import type { runHook } from "./hooks.ts";
import type { ImageManager } from "./images.ts";
import type { LookPace } from "./limits.ts";
import type { ObjectCache } from "./object-cache.ts";
import type { SandboxSettings } from "./plan/sandbox-config.ts";
import type { PodFiles } from "./pod-files.ts";
import type { probeOnce } from "./probe-once.ts";
import type { StatusWriter } from "./status-writer.ts";
import type { VolumeManager } from "./volumes/volume-manager.ts";

export interface NodeContext {
  readonly nodeName: string;
  readonly hostIps: readonly string[];
  /** `1.36`: how probes introduce themselves. */
  readonly version: string;
  readonly settings: SandboxSettings;
  readonly memoryCapacity: number;
  readonly allocatable: Readonly<Record<string, string>>;
  readonly runtime: ContainerRuntime;
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly pace: LookPace;
  readonly log: Logger;
  readonly recorder: EventRecorder;
  readonly statuses: StatusWriter;
  readonly images: ImageManager;
  readonly volumes: VolumeManager;
  readonly files: PodFiles;
  readonly probe: typeof probeOnce;
  readonly hook: typeof runHook;
  readonly objects: ObjectCache;
  readonly services: Informer<Service>;
  /** The text of the node's own /etc/hosts. */
  hostsFile(): string;
  readonly signal: AbortSignal;
}
