// CRI v1 over gRPC: each call of ContainerRuntime as one request to the runtime's socket.

import { realClock, type Clock } from "#base/clock.ts";
import { openChannel } from "./channel.ts";
import type { ContainerFilter, ContainerRuntime } from "./cri.ts";
import { isCriError } from "./errors.ts";
import { watchContainerEvents } from "./events.ts";
import { pullMsMax, quickCallMsMax, slowCallMsMax } from "./limits.ts";
import type {
  ContainerConfig,
  ContainerStats,
  ContainerStatus,
  ExecResult,
  FilesystemUsage,
  Image,
  ListedContainer,
  PodSandbox,
  PodSandboxStatus,
  RuntimeCondition,
  RuntimeVersion,
  StreamFlags,
} from "./messages.ts";

/** Values of environment variables travel as bytes. */
function wireContainer(config: ContainerConfig): object {
  return {
    ...config,
    ...(config.envs === undefined
      ? {}
      : { envs: config.envs.map(({ key, value }) => ({ key, value: Buffer.from(value) })) }),
  };
}

function wireFilter(filter: ContainerFilter | undefined): object {
  if (filter === undefined) return {};
  return {
    filter: {
      ...(filter.labels === undefined ? {} : { labelSelector: filter.labels }),
      ...(filter.sandboxId === undefined ? {} : { podSandboxId: filter.sandboxId }),
    },
  };
}

export function connectRuntime(endpoint: string, clock: Clock = realClock): ContainerRuntime {
  const channel = openChannel(endpoint);
  const caller =
    (service: string) =>
    <T>(name: string, request: object, timeoutMs = quickCallMsMax): Promise<T> =>
      channel.unary<T>(
        {
          service: `runtime.v1.${service}`,
          name,
          request: `runtime.v1.${name}Request`,
          response: `runtime.v1.${name}Response`,
        },
        request,
        timeoutMs,
      );
  const runtime = caller("RuntimeService");
  const images = caller("ImageService");

  return {
    version: () => runtime<RuntimeVersion>("Version", {}),
    async conditions() {
      const { status } = await runtime<{ status: { conditions: RuntimeCondition[] } | null }>("Status", {});
      return status?.conditions ?? [];
    },
    async runPodSandbox(config, runtimeHandler = "") {
      const request = { config, runtimeHandler };
      return (await runtime<{ podSandboxId: string }>("RunPodSandbox", request, slowCallMsMax)).podSandboxId;
    },
    async stopPodSandbox(id) {
      await runtime("StopPodSandbox", { podSandboxId: id }, slowCallMsMax);
    },
    async removePodSandbox(id) {
      await runtime("RemovePodSandbox", { podSandboxId: id }, slowCallMsMax);
    },
    async podSandboxStatus(id) {
      const { status } = await runtime<{ status: PodSandboxStatus }>("PodSandboxStatus", {
        podSandboxId: id,
      });
      return status;
    },
    async listPodSandboxes(labels) {
      const request = labels === undefined ? {} : { filter: { labelSelector: labels } };
      return (await runtime<{ items: PodSandbox[] }>("ListPodSandbox", request)).items;
    },
    async createContainer(sandboxId, config, sandbox) {
      const request = {
        podSandboxId: sandboxId,
        config: wireContainer(config),
        sandboxConfig: sandbox,
      };
      return (await runtime<{ containerId: string }>("CreateContainer", request, slowCallMsMax)).containerId;
    },
    async startContainer(id) {
      await runtime("StartContainer", { containerId: id }, slowCallMsMax);
    },
    async stopContainer(id, timeoutSeconds) {
      const timeout = Math.max(0, Math.floor(timeoutSeconds));
      await runtime("StopContainer", { containerId: id, timeout }, slowCallMsMax + timeout * 1000);
    },
    async removeContainer(id) {
      await runtime("RemoveContainer", { containerId: id }, slowCallMsMax);
    },
    async listContainers(filter) {
      return (await runtime<{ containers: ListedContainer[] }>("ListContainers", wireFilter(filter)))
        .containers;
    },
    async containerStatus(id) {
      return (await runtime<{ status: ContainerStatus }>("ContainerStatus", { containerId: id })).status;
    },
    async updateContainerResources(id, resources) {
      await runtime("UpdateContainerResources", { containerId: id, linux: resources });
    },
    async reopenContainerLog(id) {
      await runtime("ReopenContainerLog", { containerId: id });
    },
    execSync(id, command, timeoutSeconds) {
      const request = { containerId: id, cmd: command, timeout: Math.max(0, Math.ceil(timeoutSeconds)) };
      // A timeout of zero means no limit in CRI; ours still ends.
      return runtime<ExecResult>("ExecSync", request, slowCallMsMax + timeoutSeconds * 1000);
    },
    async listContainerStats(filter) {
      return (await runtime<{ stats: ContainerStats[] }>("ListContainerStats", wireFilter(filter))).stats;
    },
    async exec(id, command, flags) {
      return (await runtime<{ url: string }>("Exec", { containerId: id, cmd: command, ...flags })).url;
    },
    async attach(id, flags: StreamFlags) {
      return (await runtime<{ url: string }>("Attach", { containerId: id, ...flags })).url;
    },
    async portForward(sandboxId, ports) {
      return (await runtime<{ url: string }>("PortForward", { podSandboxId: sandboxId, port: ports })).url;
    },
    async listImages() {
      return (await images<{ images: Image[] }>("ListImages", {})).images;
    },
    async imageStatus(image) {
      const answer = await images<{ image: Image | null }>("ImageStatus", { image: { image } });
      return answer.image ?? undefined;
    },
    async pullImage(image, auth, sandbox) {
      const request = { image: { image }, sandboxConfig: sandbox, ...(auth ? { auth } : {}) };
      return (await images<{ imageRef: string }>("PullImage", request, pullMsMax)).imageRef;
    },
    async removeImage(image) {
      await images("RemoveImage", { image: { image } }, slowCallMsMax).catch((error: unknown) => {
        if (!isCriError(error, "NotFound")) throw error;
      });
    },
    async imageFilesystems() {
      return (await images<{ imageFilesystems: FilesystemUsage[] }>("ImageFsInfo", {})).imageFilesystems;
    },
    watchEvents: (handlers) => watchContainerEvents(channel, clock, handlers),
    close: () => channel.close(),
  };
}
