// What a container runtime offers a kubelet: the calls of CRI v1, typed. client.ts speaks them over gRPC.

import type {
  AuthConfig,
  ContainerConfig,
  ContainerStats,
  ContainerStatus,
  ExecResult,
  FilesystemUsage,
  Image,
  LinuxContainerResources,
  ListedContainer,
  PodSandbox,
  PodSandboxConfig,
  PodSandboxStatus,
  RuntimeCondition,
  RuntimeVersion,
  StreamFlags,
} from "./messages.ts";

export interface ContainerFilter {
  readonly labels?: Readonly<Record<string, string>>;
  readonly sandboxId?: string;
}

/** Something happened to a container or sandbox. Which pod it is, the caller knows by the id. */
export interface ContainerEvent {
  readonly id: string;
  readonly kind: "created" | "started" | "stopped" | "deleted" | "oom";
}

export interface EventWatch {
  stop(): void;
}

export interface EventHandlers {
  onEvent(event: ContainerEvent): void;
  /** True when events flow; false when the stream is broken and only relisting tells. */
  onState(flowing: boolean): void;
}

/** Rejections are CriError. */
export interface ContainerRuntime {
  version(): Promise<RuntimeVersion>;
  conditions(): Promise<RuntimeCondition[]>;

  runPodSandbox(config: PodSandboxConfig, runtimeHandler?: string): Promise<string>;
  stopPodSandbox(id: string): Promise<void>;
  removePodSandbox(id: string): Promise<void>;
  podSandboxStatus(id: string): Promise<PodSandboxStatus>;
  listPodSandboxes(labels?: Readonly<Record<string, string>>): Promise<PodSandbox[]>;

  createContainer(sandboxId: string, config: ContainerConfig, sandbox: PodSandboxConfig): Promise<string>;
  startContainer(id: string): Promise<void>;
  stopContainer(id: string, timeoutSeconds: number): Promise<void>;
  removeContainer(id: string): Promise<void>;
  listContainers(filter?: ContainerFilter): Promise<ListedContainer[]>;
  containerStatus(id: string): Promise<ContainerStatus>;
  updateContainerResources(id: string, resources: LinuxContainerResources): Promise<void>;
  reopenContainerLog(id: string): Promise<void>;
  execSync(id: string, command: readonly string[], timeoutSeconds: number): Promise<ExecResult>;
  listContainerStats(filter?: ContainerFilter): Promise<ContainerStats[]>;

  /** URLs of the runtime's streaming server; each is good for one connection. */
  exec(id: string, command: readonly string[], flags: StreamFlags): Promise<string>;
  attach(id: string, flags: StreamFlags): Promise<string>;
  portForward(sandboxId: string, ports: readonly number[]): Promise<string>;

  listImages(): Promise<Image[]>;
  imageStatus(image: string): Promise<Image | undefined>;
  /** Returns the reference of what was pulled. */
  pullImage(image: string, auth: AuthConfig | undefined, sandbox: PodSandboxConfig): Promise<string>;
  removeImage(image: string): Promise<void>;
  imageFilesystems(): Promise<FilesystemUsage[]>;

  watchEvents(handlers: EventHandlers): EventWatch;
  close(): void;
}
