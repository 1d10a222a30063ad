// Starts one container: image, environment, mounts, create, start. Says what became of it; never throws for what
// the documentation has a waiting reason for.

import { toError } from "#base/assert.ts";
import { isCriError } from "#cri/errors.ts";
import type { Mount } from "#cri/messages.ts";
import type { Service } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { imageRetry, objectFreshMs, podRetry } from "./limits.ts";
import type { NodeContext } from "./node-context.ts";
import { containerConfig, defaultTerminationMessagePath } from "./plan/container-config.ts";
import { containerEnvironment, referencedByEnvironment, type Environment } from "./plan/environment.ts";
import { expand } from "./plan/expansion.ts";
import type { NodeFacts } from "./plan/field-ref.ts";
import { hostsFile, podNames } from "./plan/hostname.ts";
import { imageAuths } from "./plan/image-auth.ts";
import type {
  ContainerKind,
  ObservedSandbox,
  ReadonlyContainer,
  ReadonlyPod,
  Waiting,
} from "./plan/model.ts";
import { sandboxConfig } from "./plan/sandbox-config.ts";
import { nonRootProblem } from "./plan/security.ts";
import { containerReference } from "./pod-ref.ts";
import type { MountedVolume } from "./volumes/volume-manager.ts";

export interface StartRequest {
  readonly pod: ReadonlyPod;
  readonly container: ReadonlyContainer;
  readonly kind: ContainerKind;
  readonly attempt: number;
  readonly sandbox: ObservedSandbox;
  readonly volumes: ReadonlyMap<string, MountedVolume>;
  readonly facts: NodeFacts;
  readonly targetId: string | undefined;
  /** A pull that this start waits for has ended. */
  wake(): void;
}

export type StartResult =
  | { readonly state: "started"; readonly id: string }
  | { readonly state: "pulling" }
  | { readonly state: "waiting"; readonly waiting: Waiting; readonly retryAtMs: number };

class StartProblem extends Error {
  readonly reason: string;
  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

const seconds = (ms: number): string =>
  ms < 1000 ? `${Math.round(ms)}ms` : `${(ms / 1000).toFixed(3).replace(/\.?0+$/, "")}s`;

export async function startContainer(context: NodeContext, request: StartRequest): Promise<StartResult> {
  const { clock, recorder } = context;
  const { pod, container } = request;
  const about = containerReference(pod, container.name);
  const image = await ensureImage(context, request);
  if (image.state === "pulling") return image;
  if (image.state === "failed") {
    recorder.event(about, "Warning", "Failed", `Error: ${image.reason}`);
    const { reason, message, retryAtMs } = image;
    return { state: "waiting", waiting: { reason, message }, retryAtMs };
  }
  try {
    const id = await createAndStart(context, request, image.image);
    return { state: "started", id };
  } catch (thrown) {
    const error = toError(thrown);
    const reason = thrown instanceof StartProblem ? thrown.reason : "CreateContainerError";
    recorder.event(about, "Warning", "Failed", `Error: ${error.message}`);
    const pause = reason === "CreateContainerConfigError" ? imageRetry.initialMs : podRetry.initialMs * 4;
    return {
      state: "waiting",
      waiting: { reason, message: error.message },
      retryAtMs: clock.now() + pause,
    };
  }
}

function ensureImage(
  context: NodeContext,
  { pod, container, sandbox, wake }: StartRequest,
): ReturnType<NodeContext["images"]["ensure"]> {
  const { recorder, objects } = context;
  const about = containerReference(pod, container.name);
  const normal = (reason: string, message: string): void => recorder.event(about, "Normal", reason, message);
  const warning = (reason: string, message: string): void =>
    recorder.event(about, "Warning", reason, message);
  return context.images.ensure({
    key: `${pod.metadata?.uid ?? ""}/${container.name}`,
    image: container.image ?? "",
    policy: container.imagePullPolicy,
    sandbox: sandboxConfig(pod, sandbox.attempt, context.settings),
    wake,
    async auths() {
      const names = (pod.spec?.imagePullSecrets ?? []).map(({ name }) => name ?? "");
      const namespace = pod.metadata?.namespace ?? "";
      const secrets = await Promise.all(names.map((name) => objects.secret(namespace, name, objectFreshMs)));
      return imageAuths(
        container.image ?? "",
        secrets.filter((secret) => secret !== undefined),
      );
    },
    events: {
      pulling: (image) => normal("Pulling", `Pulling image "${image}"`),
      pulled: (image, pullMs, totalMs, bytes) =>
        normal(
          "Pulled",
          `Successfully pulled image "${image}" in ${seconds(pullMs)} (${seconds(totalMs)} including waiting). Image size: ${bytes} bytes.`,
        ),
      present: (image) =>
        normal(
          "Pulled",
          `Container image "${image}" already present on machine and can be accessed by the pod`,
        ),
      failed: (image, error) => warning("Failed", `Failed to pull image "${image}": ${error}`),
      backOff: (image) => normal("BackOff", `Back-off pulling image "${image}"`),
      neverPull: (image) =>
        warning("ErrImageNeverPull", `Container image "${image}" is not present with pull policy of Never`),
      invalid: (_image, error) => warning("InspectFailed", error),
    },
  });
}

async function createAndStart(
  context: NodeContext,
  request: StartRequest,
  image: { id: string; user: { uid: number | undefined; username: string } },
): Promise<string> {
  const { runtime, recorder, settings } = context;
  const { pod, container, kind, attempt, sandbox } = request;
  const about = containerReference(pod, container.name);
  const problem = nonRootProblem(pod, container, image.user);
  if (problem !== undefined) throw new StartProblem("CreateContainerConfigError", problem);
  const environment = await environmentOf(context, request);
  const mounts = mountsOf(context, request, environment);
  context.files.prepareLog(pod, { name: container.name, attempt });
  const config = containerConfig({
    pod,
    container,
    kind,
    attempt,
    imageRef: image.id,
    imageUser: image.user,
    variables: environment.variables,
    mounts,
    nodeName: context.nodeName,
    memoryCapacity: context.memoryCapacity,
    seccompRoot: settings.seccompRoot,
    targetId: request.targetId,
  });
  let id: string;
  try {
    id = await runtime.createContainer(sandbox.id, config, sandboxConfig(pod, sandbox.attempt, settings));
  } catch (error) {
    if (!isCriError(error)) throw error;
    throw new StartProblem("CreateContainerError", error.details);
  }
  recorder.event(about, "Normal", "Created", "Container created");
  try {
    await runtime.startContainer(id);
  } catch (error) {
    if (!isCriError(error)) throw error;
    throw new StartProblem("RunContainerError", error.details);
  }
  recorder.event(about, "Normal", "Started", "Container started");
  return id;
}

async function environmentOf(
  context: NodeContext,
  { pod, container, facts }: StartRequest,
): Promise<Environment> {
  const { objects, recorder } = context;
  const namespace = pod.metadata?.namespace ?? "";
  const wanted = referencedByEnvironment(container);
  let configMaps;
  let secrets;
  try {
    [configMaps, secrets] = await Promise.all([
      Promise.all(
        wanted.configMaps.map(
          async (name) => [name, await objects.configMap(namespace, name, objectFreshMs)] as const,
        ),
      ),
      Promise.all(
        wanted.secrets.map(
          async (name) => [name, await objects.secret(namespace, name, objectFreshMs)] as const,
        ),
      ),
    ]);
  } catch (thrown) {
    throw new StartProblem("CreateContainerConfigError", toError(thrown).message);
  }
  const configMapByName = new Map(configMaps);
  const secretByName = new Map(secrets);
  const environment = containerEnvironment(
    pod,
    container,
    {
      configMap: (name) => configMapByName.get(name),
      secret: (name) => secretByName.get(name),
      services: servicesFor(context, namespace),
    },
    facts,
  );
  for (const { source, keys } of environment.skipped) {
    recorder.event(
      containerReference(pod, container.name),
      "Warning",
      "InvalidEnvironmentVariableNames",
      `Keys [${keys.join(", ")}] from the EnvFrom ${source.replace(" ", ` ${namespace}/`)} were skipped since they are considered invalid environment variable names.`,
    );
  }
  if (environment.problem !== undefined)
    throw new StartProblem("CreateContainerConfigError", environment.problem);
  return environment;
}

function servicesFor({ services }: NodeContext, namespace: string): DeepReadonly<Service>[] {
  const own = [...services.list()].filter((service) => service.metadata?.namespace === namespace);
  const master = services.get("default/kubernetes");
  return master === undefined || namespace === "default" ? own : [master, ...own];
}

const propagations = {
  None: "PROPAGATION_PRIVATE",
  HostToContainer: "PROPAGATION_HOST_TO_CONTAINER",
  Bidirectional: "PROPAGATION_BIDIRECTIONAL",
} as const;

function mountsOf(context: NodeContext, request: StartRequest, environment: Environment): Mount[] {
  const { pod, container, attempt, volumes } = request;
  const mounts: Mount[] = [];
  for (const mount of container.volumeMounts ?? []) {
    const volume = volumes.get(mount.name);
    if (volume === undefined)
      throw new StartProblem(
        "CreateContainerConfigError",
        `cannot find volume "${mount.name}" to mount into container "${container.name}"`,
      );
    const subPath = mount.subPathExpr
      ? expand(mount.subPathExpr, (name) => environment.variables.get(name))
      : mount.subPath;
    const found = context.files.volumePath(volume, subPath);
    if ("problem" in found) throw new StartProblem("CreateContainerConfigError", found.problem);
    mounts.push({
      containerPath: mount.mountPath,
      hostPath: found.path,
      readonly: volume.readOnly || mount.readOnly === true,
      propagation: propagations[(mount.mountPropagation ?? "None") as keyof typeof propagations],
    });
  }
  const taken = (path: string): boolean => mounts.some(({ containerPath }) => containerPath === path);
  if (!taken("/etc/hosts")) mounts.push(hostsMount(context, request));
  const logPath = container.terminationMessagePath ?? defaultTerminationMessagePath;
  if (logPath !== "" && !taken(logPath))
    mounts.push(context.files.lastWords(pod, { name: container.name, attempt }, logPath));
  return mounts;
}

function hostsMount({ files, settings, ...context }: NodeContext, { pod, facts }: StartRequest): Mount {
  const names = podNames(pod, settings.clusterDns.domain);
  return files.hostsFile(pod, hostsFile(pod, facts.podIps, names, context.hostsFile()));
}
