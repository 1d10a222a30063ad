// A container runtime that runs nothing: sandboxes and containers are records, starts take as long as asked for, and
// containers end as their pods' annotations say. For nodes that exist for tests and scale.

import type { Clock, Timer } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import { usageOfContainer } from "../server/container-usage.ts";
import { resourceMetrics } from "../server/resource-metrics.ts";
import type {
  ContainerEvent,
  ContainerFilter,
  ContainerRuntime,
  EventHandlers,
  EventWatch,
} from "#cri/cri.ts";
import { CriError } from "#cri/errors.ts";
import type {
  ContainerConfig,
  ContainerState,
  ContainerStats,
  ContainerStatus,
  ExecResult,
  FilesystemUsage,
  Image,
  ListedContainer,
  PodSandbox,
  PodSandboxConfig,
  PodSandboxStatus,
  RuntimeCondition,
  RuntimeVersion,
} from "#cri/messages.ts";

export interface SimulatedLoad {
  /** From start to running. */
  readonly startDelayMs: number;
  /** Share of containers that end with a failure right after their start. */
  readonly failureShare: number;
  /** What each container is measured to use. */
  readonly cpuMilli: number;
  readonly memoryBytes: number;
}

export const noLoad: SimulatedLoad = {
  startDelayMs: 0,
  failureShare: 0,
  cpuMilli: 10,
  memoryBytes: 32 * 1024 * 1024,
};

/** After how many seconds the pod's containers end, and how; pods of Jobs end after a second, others run on. */
const runSecondsAnnotation = "hollow.leme.dev/run-seconds";
const exitCodeAnnotation = "hollow.leme.dev/exit-code";
/** What each container of the pod uses, where it is not as with all others. */
const cpuMilliAnnotation = "hollow.leme.dev/cpu-milli";
const jobLabel = "batch.kubernetes.io/job-name";
const jobSeconds = 1;
const nsPerMs = 1e6;

// Of what a pod was made from, only what is ever told again: a node keeps a hundred pods, and there are thousands of nodes.

interface Sandbox {
  readonly id: string;
  readonly config: Pick<PodSandboxConfig, "metadata" | "labels" | "annotations">;
  readonly createdAt: number;
  readonly ip: string;
  ready: boolean;
}

interface Container {
  readonly id: string;
  readonly sandboxId: string;
  readonly config: Pick<ContainerConfig, "metadata" | "image" | "labels" | "annotations" | "logPath">;
  readonly createdAt: number;
  state: ContainerState;
  startedAt: number;
  finishedAt: number;
  exitCode: number;
  reason: string;
  timer: Timer | undefined;
}

export interface SimulatedRuntimeParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly load: SimulatedLoad;
  /** An address for a new sandbox. */
  readonly address: () => string;
}

export class SimulatedRuntime implements ContainerRuntime {
  readonly #parts: SimulatedRuntimeParts;
  readonly #sandboxes = new Map<string, Sandbox>();
  readonly #containers = new Map<string, Container>();
  /** Ids by pod, because each look is for one. */
  readonly #byPod = new Map<string, Set<string>>();
  readonly #handlers = new Set<EventHandlers>();
  #serial = 0;
  /** Of containers that have ended: what a node has used never becomes less. */
  #endedCpuSeconds = 0;

  constructor(parts: SimulatedRuntimeParts) {
    this.#parts = parts;
  }

  version(): Promise<RuntimeVersion> {
    return Promise.resolve({
      version: "0.1.0",
      runtimeName: "hollow",
      runtimeVersion: "1.36.0",
      runtimeApiVersion: "v1",
    });
  }

  conditions(): Promise<RuntimeCondition[]> {
    const ready = (type: string): RuntimeCondition => ({ type, status: true, reason: "", message: "" });
    return Promise.resolve([ready("RuntimeReady"), ready("NetworkReady")]);
  }

  runPodSandbox(config: PodSandboxConfig): Promise<string> {
    const id = this.#newId();
    const ip = this.#parts.address();
    const { metadata, labels = {}, annotations = {} } = config;
    const kept = { metadata, labels, annotations };
    this.#sandboxes.set(id, { id, config: kept, createdAt: this.#nowNs(), ip, ready: true });
    this.#note(metadata.uid, id);
    return Promise.resolve(id);
  }

  stopPodSandbox(id: string): Promise<void> {
    const sandbox = this.#sandboxes.get(id);
    if (sandbox?.ready === true) {
      sandbox.ready = false;
      for (const container of this.#containers.values())
        if (container.sandboxId === id) this.#end(container, 137, "Error");
      this.#tell({ id, kind: "stopped" });
    }
    return Promise.resolve();
  }

  async removePodSandbox(id: string): Promise<void> {
    await this.stopPodSandbox(id);
    const sandbox = this.#sandboxes.get(id);
    if (sandbox === undefined) return;
    for (const container of this.#containers.values())
      if (container.sandboxId === id) await this.removeContainer(container.id);
    this.#sandboxes.delete(id);
    this.#forget(sandbox.config.metadata.uid, id);
    this.#tell({ id, kind: "deleted" });
  }

  podSandboxStatus(id: string): Promise<PodSandboxStatus> {
    const sandbox = this.#sandboxes.get(id);
    if (sandbox === undefined) return Promise.reject(this.#notFound("PodSandboxStatus", id));
    return Promise.resolve({ ...listedSandbox(sandbox), network: { ip: sandbox.ip, additionalIps: [] } });
  }

  listPodSandboxes(labels?: Readonly<Record<string, string>>): Promise<PodSandbox[]> {
    const uid = labels?.["io.kubernetes.pod.uid"];
    const all = uid === undefined ? this.#sandboxes.keys() : (this.#byPod.get(uid) ?? []);
    const found: PodSandbox[] = [];
    for (const id of all) {
      const sandbox = this.#sandboxes.get(id);
      if (sandbox !== undefined) found.push(listedSandbox(sandbox));
    }
    return Promise.resolve(found);
  }

  createContainer(sandboxId: string, config: ContainerConfig): Promise<string> {
    const sandbox = this.#sandboxes.get(sandboxId);
    if (sandbox?.ready !== true) return Promise.reject(this.#notFound("CreateContainer", sandboxId));
    const id = this.#newId();
    const { metadata, image, labels = {}, annotations = {}, logPath = "" } = config;
    this.#containers.set(id, {
      id,
      sandboxId,
      config: { metadata, image, labels, annotations, logPath },
      createdAt: this.#nowNs(),
      state: "CONTAINER_CREATED",
      startedAt: 0,
      finishedAt: 0,
      exitCode: 0,
      reason: "",
      timer: undefined,
    });
    this.#note(sandbox.config.metadata.uid, id);
    return Promise.resolve(id);
  }

  async startContainer(id: string): Promise<void> {
    const { clock, load, random } = this.#parts;
    if (load.startDelayMs > 0) await clock.sleep(load.startDelayMs);
    const container = this.#containers.get(id);
    const sandbox = container === undefined ? undefined : this.#sandboxes.get(container.sandboxId);
    if (container === undefined || sandbox?.ready !== true) throw this.#notFound("StartContainer", id);
    container.state = "CONTAINER_RUNNING";
    container.startedAt = this.#nowNs();
    const { annotations = {}, labels = {} } = sandbox.config;
    const fails = load.failureShare > 0 && random.next() < load.failureShare;
    const seconds =
      annotations[runSecondsAnnotation] ?? (labels[jobLabel] === undefined ? undefined : jobSeconds);
    if (!fails && seconds === undefined) return;
    const exitCode = fails ? 1 : Number(annotations[exitCodeAnnotation] ?? 0);
    const afterMs = fails ? 0 : Math.max(0, Number(seconds) * 1000) || 0;
    container.timer = clock.after(afterMs, () =>
      this.#end(container, exitCode, exitCode === 0 ? "Completed" : "Error"),
    );
  }

  stopContainer(id: string): Promise<void> {
    const container = this.#containers.get(id);
    if (container === undefined) return Promise.reject(this.#notFound("StopContainer", id));
    this.#end(container, 0, "Completed");
    return Promise.resolve();
  }

  removeContainer(id: string): Promise<void> {
    const container = this.#containers.get(id);
    if (container === undefined) return Promise.resolve();
    container.timer?.cancel();
    this.#containers.delete(id);
    this.#forget(this.#sandboxes.get(container.sandboxId)?.config.metadata.uid ?? "", id);
    this.#tell({ id, kind: "deleted" });
    return Promise.resolve();
  }

  listContainers(filter: ContainerFilter = {}): Promise<ListedContainer[]> {
    const uid = filter.labels?.["io.kubernetes.pod.uid"];
    const all = uid === undefined ? this.#containers.keys() : (this.#byPod.get(uid) ?? []);
    const found: ListedContainer[] = [];
    for (const id of all) {
      const container = this.#containers.get(id);
      const isMeant =
        container !== undefined &&
        (filter.sandboxId === undefined || container.sandboxId === filter.sandboxId);
      if (isMeant) found.push(listedContainer(container));
    }
    return Promise.resolve(found);
  }

  containerStatus(id: string): Promise<ContainerStatus> {
    const container = this.#containers.get(id);
    if (container === undefined) return Promise.reject(this.#notFound("ContainerStatus", id));
    const { config, startedAt, finishedAt, exitCode, reason } = container;
    const { podSandboxId: _, ...listed } = listedContainer(container);
    return Promise.resolve({
      ...listed,
      startedAt,
      finishedAt,
      exitCode,
      reason,
      message: "",
      logPath: config.logPath ?? "",
      mounts: [],
    });
  }

  updateContainerResources(): Promise<void> {
    return Promise.resolve();
  }

  reopenContainerLog(): Promise<void> {
    return Promise.resolve();
  }

  /** Whatever is asked succeeds without a word. */
  execSync(): Promise<ExecResult> {
    return Promise.resolve({ stdout: Buffer.alloc(0), stderr: Buffer.alloc(0), exitCode: 0 });
  }

  listContainerStats(filter: ContainerFilter = {}): Promise<ContainerStats[]> {
    const { memoryBytes } = this.#parts.load;
    const timestamp = this.#nowNs();
    const running = [...this.#containers.values()].filter(
      ({ state, sandboxId }) =>
        state === "CONTAINER_RUNNING" && (filter.sandboxId === undefined || filter.sandboxId === sandboxId),
    );
    return Promise.resolve(
      running.map((container) => ({
        attributes: {
          id: container.id,
          metadata: container.config.metadata,
          labels: container.config.labels ?? {},
        },
        cpu: { timestamp, usageCoreNanoSeconds: { value: this.#cpuNs(container, timestamp) } },
        memory: {
          timestamp,
          workingSetBytes: { value: memoryBytes },
          usageBytes: { value: memoryBytes },
          rssBytes: { value: memoryBytes },
        },
        writableLayer: null,
      })),
    );
  }

  #cpuNs({ sandboxId, startedAt }: Container, untilNs: number): number {
    const asked = Number(this.#sandboxes.get(sandboxId)?.config.annotations?.[cpuMilliAnnotation]);
    const milli = asked >= 0 ? asked : this.#parts.load.cpuMilli;
    return Math.round(((untilNs - startedAt) * milli) / 1000);
  }

  /** Of a node that does nothing but run these containers. */
  async resourceMetrics(): Promise<string> {
    const startedAtMs = new Map(
      [...this.#containers.values()].map(({ id, startedAt }) => [id, startedAt / nsPerMs]),
    );
    const usages = (await this.listContainerStats()).map((one) => usageOfContainer(one, startedAtMs));
    let [cpuSeconds, memoryBytes] = [this.#endedCpuSeconds, 0];
    for (const { cpu, memory } of usages) {
      cpuSeconds += cpu?.seconds ?? 0;
      memoryBytes += memory?.bytes ?? 0;
    }
    return resourceMetrics({ atMs: this.#parts.clock.now(), cpuSeconds, memoryBytes }, usages);
  }

  exec(): Promise<string> {
    return Promise.reject(this.#unable("Exec"));
  }

  attach(): Promise<string> {
    return Promise.reject(this.#unable("Attach"));
  }

  portForward(): Promise<string> {
    return Promise.reject(this.#unable("PortForward"));
  }

  /** No image is there, and each is there when it is asked for. */
  listImages(): Promise<Image[]> {
    return Promise.resolve([]);
  }

  imageStatus(image: string): Promise<Image> {
    return Promise.resolve({
      id: image,
      repoTags: [image],
      repoDigests: [],
      size: 0,
      uid: null,
      username: "",
      pinned: false,
    });
  }

  pullImage(image: string): Promise<string> {
    return Promise.resolve(image);
  }

  removeImage(): Promise<void> {
    return Promise.resolve();
  }

  imageFilesystems(): Promise<FilesystemUsage[]> {
    return Promise.resolve([]);
  }

  watchEvents(handlers: EventHandlers): EventWatch {
    this.#handlers.add(handlers);
    handlers.onState(true);
    return { stop: () => void this.#handlers.delete(handlers) };
  }

  close(): void {
    for (const { timer } of this.#containers.values()) timer?.cancel();
  }

  #newId(): string {
    return `hollow://${(this.#serial++).toString(16).padStart(8, "0")}${this.#parts.random.uuid().replaceAll("-", "").slice(0, 8)}`;
  }

  #nowNs(): number {
    return this.#parts.clock.now() * nsPerMs;
  }

  #note(uid: string, id: string): void {
    const ids = this.#byPod.get(uid) ?? new Set();
    this.#byPod.set(uid, ids.add(id));
  }

  #forget(uid: string, id: string): void {
    const ids = this.#byPod.get(uid);
    ids?.delete(id);
    if (ids?.size === 0) this.#byPod.delete(uid);
  }

  #end(container: Container, exitCode: number, reason: string): void {
    container.timer?.cancel();
    if (container.state !== "CONTAINER_RUNNING") return;
    container.state = "CONTAINER_EXITED";
    container.finishedAt = this.#nowNs();
    this.#endedCpuSeconds += this.#cpuNs(container, container.finishedAt) / 1e9;
    container.exitCode = exitCode;
    container.reason = reason;
    this.#tell({ id: container.id, kind: "stopped" });
  }

  #tell(event: ContainerEvent): void {
    for (const handlers of this.#handlers) handlers.onEvent(event);
  }

  #notFound(method: string, id: string): CriError {
    return new CriError(method, "NotFound", `${id}: not found`);
  }

  #unable(method: string): CriError {
    return new CriError(
      method,
      "Unimplemented",
      "a hollow node runs no containers: there is nothing to connect to",
    );
  }
}

function listedSandbox({ id, config, ready, createdAt }: Sandbox): PodSandbox {
  return {
    id,
    metadata: config.metadata,
    state: ready ? "SANDBOX_READY" : "SANDBOX_NOTREADY",
    createdAt,
    labels: config.labels ?? {},
    annotations: config.annotations ?? {},
  };
}

function listedContainer({ id, sandboxId, config, state, createdAt }: Container): ListedContainer {
  return {
    id,
    podSandboxId: sandboxId,
    metadata: config.metadata,
    image: { image: config.image.userSpecifiedImage ?? config.image.image },
    imageRef: config.image.image,
    state,
    createdAt,
    labels: config.labels ?? {},
    annotations: config.annotations ?? {},
  };
}
