// What the runtime shows, as the planners take it. Asks only for what can have changed: an ended container never
// does, and neither do the addresses of a sandbox.

import { closeSync, openSync, readSync } from "node:fs";
import type { ContainerRuntime } from "#cri/cri.ts";
import { isCriError } from "#cri/errors.ts";
import type { ContainerStatus, ListedContainer, PodSandbox } from "#cri/messages.ts";
import { hasCode } from "#host/files.ts";
import { terminationLogBytesMax, terminationLogLinesMax, terminationMessageBytesMax } from "./limits.ts";
import { readLogTail } from "./logs/log-tail.ts";
import {
  hashAnnotation,
  imageAnnotation,
  terminationPathAnnotation,
  terminationPolicyAnnotation,
} from "./plan/container-config.ts";
import type { ObservedContainer, ObservedPod, ObservedSandbox } from "./plan/model.ts";
import { nodeLabel, podUidLabel } from "./plan/sandbox-config.ts";

const nsPerMs = 1e6;

const states = {
  CONTAINER_CREATED: "created",
  CONTAINER_RUNNING: "running",
  CONTAINER_EXITED: "exited",
  CONTAINER_UNKNOWN: "unknown",
} as const;

/** Everything of this node, by pod uid. */
export interface RuntimeList {
  readonly sandboxes: ReadonlyMap<string, readonly PodSandbox[]>;
  readonly containers: ReadonlyMap<string, readonly ListedContainer[]>;
}

function group<T extends { labels: Record<string, string> }>(items: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const uid = item.labels[podUidLabel] ?? "";
    const list = groups.get(uid);
    if (list === undefined) groups.set(uid, [item]);
    else list.push(item);
  }
  return groups;
}

export async function listNode(runtime: ContainerRuntime, nodeName: string): Promise<RuntimeList> {
  const labels = { [nodeLabel]: nodeName };
  const [sandboxes, containers] = await Promise.all([
    runtime.listPodSandboxes(labels),
    runtime.listContainers({ labels }),
  ]);
  return { sandboxes: group(sandboxes), containers: group(containers) };
}

/** Changes whenever something of the pod in the runtime does. */
export function fingerprint(list: RuntimeList, uid: string): string {
  const parts = [
    ...(list.sandboxes.get(uid) ?? []).map(({ id, state }) => `${id} ${state}`),
    ...(list.containers.get(uid) ?? []).map(({ id, state }) => `${id} ${state}`),
  ];
  return parts.sort().join("\n");
}

/** One pod's view, with what it remembers between looks. */
export class PodView {
  readonly #runtime: ContainerRuntime;
  readonly #uid: string;
  readonly #settled = new Map<string, ObservedContainer>();
  readonly #running = new Map<string, ObservedContainer>();
  readonly #ips = new Map<string, readonly string[]>();
  /** Ids that events name, so that their pod can be found. */
  readonly ids = new Set<string>();

  constructor(runtime: ContainerRuntime, uid: string) {
    this.#runtime = runtime;
    this.#uid = uid;
  }

  async look(): Promise<ObservedPod> {
    const labels = { [podUidLabel]: this.#uid };
    const [sandboxes, containers] = await Promise.all([
      this.#runtime.listPodSandboxes(labels),
      this.#runtime.listContainers({ labels }),
    ]);
    const [observedSandboxes, observedContainers] = await Promise.all([
      Promise.all(sandboxes.map((sandbox) => this.#sandbox(sandbox))),
      Promise.all(containers.map((container) => this.#container(container))),
    ]);
    const present = new Set([...sandboxes, ...containers].map(({ id }) => id));
    for (const known of [this.#settled, this.#running, this.#ips])
      for (const id of known.keys()) if (!present.has(id)) known.delete(id);
    this.ids.clear();
    for (const id of present) this.ids.add(id);
    return {
      sandboxes: observedSandboxes.sort((a, b) => b.createdAtMs - a.createdAtMs),
      containers: observedContainers
        .filter((container) => container !== undefined)
        .sort((a, b) => b.attempt - a.attempt || b.createdAtMs - a.createdAtMs),
    };
  }

  async #sandbox(sandbox: PodSandbox): Promise<ObservedSandbox> {
    const ready = sandbox.state === "SANDBOX_READY";
    let ips = this.#ips.get(sandbox.id);
    if (ips === undefined && ready) {
      ips = await this.#sandboxIps(sandbox.id);
      if (ips.length > 0) this.#ips.set(sandbox.id, ips);
    }
    return {
      id: sandbox.id,
      attempt: sandbox.metadata.attempt,
      ready,
      createdAtMs: sandbox.createdAt / nsPerMs,
      ips: ips ?? [],
    };
  }

  async #sandboxIps(id: string): Promise<string[]> {
    try {
      const { network } = await this.#runtime.podSandboxStatus(id);
      if (network === null) return [];
      return [network.ip, ...network.additionalIps.map(({ ip }) => ip)].filter((ip) => ip !== "");
    } catch (error) {
      if (isCriError(error, "NotFound")) return [];
      throw error;
    }
  }

  async #container(listed: ListedContainer): Promise<ObservedContainer | undefined> {
    const settled = this.#settled.get(listed.id);
    if (settled !== undefined) return settled;
    const running = this.#running.get(listed.id);
    if (listed.state === "CONTAINER_RUNNING" && running !== undefined) return running;
    let status: ContainerStatus;
    try {
      status = await this.#runtime.containerStatus(listed.id);
    } catch (error) {
      // Removed since the list was made.
      if (isCriError(error, "NotFound")) return undefined;
      throw error;
    }
    const observed = observedContainer(listed, status);
    if (observed.state === "exited") this.#settled.set(listed.id, observed);
    else if (observed.state === "running") this.#running.set(listed.id, observed);
    return observed;
  }
}

function observedContainer(listed: ListedContainer, status: ContainerStatus): ObservedContainer {
  const state = states[status.state];
  return {
    id: status.id,
    sandboxId: listed.podSandboxId,
    name: status.metadata.name,
    attempt: status.metadata.attempt,
    state,
    createdAtMs: status.createdAt / nsPerMs,
    startedAtMs: status.startedAt / nsPerMs,
    finishedAtMs: status.finishedAt / nsPerMs,
    exitCode: status.exitCode,
    // A child that ran out of memory also leaves this reason on a container that goes on.
    reason: state === "exited" ? status.reason : "",
    message: state === "exited" ? (terminationMessage(status) ?? status.message) : "",
    image: imageName(status),
    imageRef: status.imageRef,
    hash: status.annotations[hashAnnotation] ?? "",
  };
}

/** The image's full name as the runtime knows it; as the spec wrote it when the runtime has only an id. */
function imageName({ image, annotations }: ContainerStatus): string {
  const name = image?.image ?? "";
  return name === "" || name.startsWith("sha256:") ? (annotations[imageAnnotation] ?? name) : name;
}

/** What the container left in its termination log, or the end of its output if it failed without a word. */
function terminationMessage(status: ContainerStatus): string | undefined {
  const path = status.annotations[terminationPathAnnotation];
  const mount = status.mounts.find(({ containerPath }) => containerPath === path);
  const written = mount === undefined ? "" : readHead(mount.hostPath, terminationMessageBytesMax);
  if (written !== "") return written;
  const fallback = status.annotations[terminationPolicyAnnotation] === "FallbackToLogsOnError";
  if (!fallback || status.exitCode === 0) return undefined;
  return readLogTail(status.logPath, terminationLogLinesMax, terminationLogBytesMax);
}

function readHead(path: string, bytesMax: number): string {
  try {
    const file = openSync(path, "r");
    try {
      const buffer = Buffer.alloc(bytesMax);
      return buffer.toString("utf8", 0, readSync(file, buffer, 0, bytesMax, 0));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return "";
    throw error;
  }
}
