// The kubelet: makes this node run the pods that the API assigns to it, and tells the API what became of them.

import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createClient } from "#client/client.ts";
import { Pods, Services } from "#client/refs.ts";
import { connectRuntime } from "#cri/client.ts";
import type { ContainerRuntime } from "#cri/cri.ts";
import { readIfExists } from "#host/files.ts";
import type { Pod, Service } from "#machinery/gen/types/core-v1.ts";
import type { Component, Deps } from "#reconcile/component.ts";
import type { Informer, InformerFactory } from "#reconcile/informer.ts";
import { createInformerFactory } from "#reconcile/informers.ts";
import { createEventRecorder, type EventRecorder } from "./event-recorder.ts";
import { runHook } from "./hooks.ts";
import { createImageManager } from "./images.ts";
import { realPace, type LookPace } from "./limits.ts";
import { machineFacts } from "./machine-facts.ts";
import { startNodeAgent } from "./node-agent.ts";
import type { NodeContext } from "./node-context.ts";
import { createObjectCache } from "./object-cache.ts";
import { parseResolvConf } from "./plan/dns-config.ts";
import { runLogRotation } from "./logs/log-rotation.ts";
import { containerLogPath } from "./plan/container-config.ts";
import { podLogDirectory } from "./plan/sandbox-config.ts";
import type { MachineFacts } from "./plan/node-status.ts";
import { createPodFiles, type PodFiles } from "./pod-files.ts";
import { startPodManager, type PodManager } from "./pod-manager.ts";
import { probeOnce } from "./probe-once.ts";
import { startNodeServer, type NodeServer } from "./server/node-server.ts";
import { createStatusWriter } from "./status-writer.ts";
import { createTokenManager } from "./volumes/tokens.ts";
import { createVolumeManager, type VolumeManager } from "./volumes/volume-manager.ts";

export interface KubeletOptions {
  readonly nodeName: string;
  /** The node's own address, first of its family. */
  readonly nodeIp: string;
  /** Written into a new Node object. */
  readonly podCidr?: string;
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  /** Socket of the container runtime. */
  readonly criEndpoint: string;
  readonly dataDir: string;
  /** Parent group of all pods of this node; unique on the machine. */
  readonly cgroup: string;
  /** `v1.36.0` */
  readonly version: string;
  readonly port?: number;
  /** Serves logs and streams to the API server; without it nothing listens. All PEM. */
  readonly serving?: {
    readonly certificate: string;
    readonly key: string;
    readonly clientCa: string;
    /** Default: the node's address. */
    readonly address?: string;
  };
  /** Whose /etc/resolv.conf pods with dnsPolicy Default see. */
  readonly resolvConf?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Everything that a kubelet touches of the machine that it runs on. */
export interface Machine {
  readonly runtime: ContainerRuntime;
  readonly facts: () => MachineFacts;
  readonly files: PodFiles;
  readonly volumes: VolumeManager;
  readonly probe: NodeContext["probe"];
  readonly hook: NodeContext["hook"];
  readonly recorder: EventRecorder;
  readonly pace: LookPace;
}

export interface KubeletDeps extends Deps {
  /** Shared with the other components of the process; the kubelet makes its own otherwise. */
  readonly informers?: InformerFactory;
  /** The pods of this node, where somebody else watches all. */
  readonly pods?: Informer<Pod>;
  /** Nothing of the real machine is read or written; the node is none. */
  readonly simulated?: Machine;
}

/** The real machine, as `dataDir` and the socket of the runtime are on it. */
function realMachine(
  { dataDir, criEndpoint, cgroup, nodeName }: KubeletOptions,
  { client, clock, log, objects }: Pick<NodeContext, "client" | "clock" | "log" | "objects">,
): Machine {
  const logRoot = logRootOf(dataDir);
  mkdirSync(logRoot, { recursive: true, mode: 0o755 });
  const volumes = createVolumeManager({ dataDir, objects, tokens: createTokenManager(client, clock), clock });
  return {
    runtime: connectRuntime(criEndpoint, clock),
    facts: () => machineFacts(dataDir),
    files: createPodFiles({ settings: { logRoot, nodeCgroup: cgroup }, volumes, clock, log }),
    volumes,
    probe: probeOnce,
    hook: runHook,
    recorder: createEventRecorder(client, nodeName, { clock, log }),
    pace: realPace,
  };
}

const logRootOf = (dataDir: string): string => join(dataDir, "log", "pods");

export function startKubelet(options: KubeletOptions, deps: KubeletDeps): Component {
  const { clock, random, log, transport } = deps;
  const { nodeName, nodeIp, dataDir } = options;
  const abort = new AbortController();
  const { signal } = abort;
  const client = createClient(transport, { userAgent: "kubelet" });
  const objects = createObjectCache(client, clock);
  const machine = deps.simulated ?? realMachine(options, { client, clock, log, objects });
  const { runtime, recorder } = machine;
  const informers = deps.informers ?? createInformerFactory(client, deps);
  const pods = deps.pods ?? informers.informer<Pod>(Pods, { fieldSelector: `spec.nodeName=${nodeName}` });
  const services = informers.informer<Service>(Services);
  const logRoot = logRootOf(dataDir);
  const size = machine.facts();
  const port = options.port ?? 10250;
  const context: NodeContext = {
    nodeName,
    hostIps: [nodeIp],
    version: options.version.replace(/^v?(\d+\.\d+).*$/, "$1"),
    settings: {
      nodeName,
      nodeCgroup: options.cgroup,
      logRoot,
      seccompRoot: join(dataDir, "seccomp"),
      clusterDns: { servers: options.clusterDns, domain: options.clusterDomain },
      hostDns: parseResolvConf(readIfExists(options.resolvConf ?? "/etc/resolv.conf") ?? ""),
    },
    memoryCapacity: size.memoryBytes,
    allocatable: {
      cpu: String(size.cpus),
      memory: String(size.memoryBytes),
      "ephemeral-storage": String(size.diskBytes),
    },
    runtime,
    client,
    clock,
    random,
    pace: machine.pace,
    log,
    recorder,
    statuses: createStatusWriter(client, { clock, log, signal }),
    images: createImageManager(runtime, clock),
    volumes: machine.volumes,
    files: machine.files,
    probe: machine.probe,
    hook: machine.hook,
    objects,
    services,
    hostsFile: () => readFileSync("/etc/hosts", "utf8"),
    signal,
  };

  const agent = startNodeAgent(
    {
      nodeName,
      nodeIps: [nodeIp],
      port,
      version: options.version,
      machine: machine.facts,
      labels: options.labels ?? {},
      podCidr: options.podCidr,
    },
    { client, runtime, recorder, clock, random, log, signal },
  );

  const rotation =
    deps.simulated === undefined
      ? runLogRotation({
          runtime,
          clock,
          log,
          signal,
          running: () => (manager === undefined ? [] : runningLogs(manager, logRoot)),
        })
      : Promise.resolve();
  let manager: PodManager | undefined;
  let server: NodeServer | undefined;
  const started = (async () => {
    if (deps.informers === undefined) void informers.start();
    await Promise.all([pods.waitForSync(), services.waitForSync(), agent.registered]);
    if (signal.aborted) return;
    recorder.event(
      { kind: "Node", name: nodeName, uid: nodeName },
      "Normal",
      "Starting",
      "Starting kubelet.",
    );
    manager = startPodManager(context, pods);
    if (options.serving !== undefined) {
      const { address = nodeIp, ...certificates } = options.serving;
      server = await startNodeServer(
        { address, port, dataDir: options.dataDir, ...certificates },
        context,
        manager,
      );
    }
  })();

  return {
    name: "kubelet",
    ready: started,
    done: agent.done,
    async stop() {
      abort.abort();
      manager?.stop();
      await server?.close();
      await Promise.all([agent.done, rotation]);
      await recorder.flush();
      if (deps.informers === undefined) await informers.stop();
      if (deps.simulated === undefined) runtime.close();
    },
  };
}

function* runningLogs(manager: PodManager, logRoot: string): Generator<{ id: string; path: string }> {
  for (const { pod, observed } of manager.workers()) {
    for (const { id, name, attempt, state } of observed.containers)
      if (state === "running")
        yield { id, path: join(podLogDirectory(logRoot, pod), containerLogPath(name, attempt)) };
  }
}
