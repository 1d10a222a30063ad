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
import type { InformerFactory } from "#reconcile/informer.ts";
import { createInformerFactory } from "#reconcile/informers.ts";
import { createEventRecorder } from "./event-recorder.ts";
import { createImageManager } from "./images.ts";
import { machineFacts } from "./machine-facts.ts";
import { startNodeAgent } from "./node-agent.ts";
import type { NodeContext } from "./node-context.ts";
import { createObjectCache } from "./object-cache.ts";
import { parseResolvConf } from "./plan/dns-config.ts";
import { runLogRotation } from "./logs/log-rotation.ts";
import { containerLogPath } from "./plan/container-config.ts";
import { podLogDirectory } from "./plan/sandbox-config.ts";
import { startPodManager, type PodManager } from "./pod-manager.ts";
import { startNodeServer, type NodeServer } from "./server/node-server.ts";
import { createStatusWriter } from "./status-writer.ts";
import { createTokenManager } from "./volumes/tokens.ts";
import { createVolumeManager } from "./volumes/volume-manager.ts";

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

export interface KubeletDeps extends Deps {
  /** Shared with the other components of the process; the kubelet makes its own otherwise. */
  readonly informers?: InformerFactory;
  /** Another runtime than the one at `criEndpoint`. */
  readonly runtime?: ContainerRuntime;
}

export function startKubelet(options: KubeletOptions, deps: KubeletDeps): Component {
  const { clock, log, transport } = deps;
  const { nodeName, nodeIp, dataDir } = options;
  const abort = new AbortController();
  const { signal } = abort;
  const client = createClient(transport, { userAgent: "kubelet" });
  const runtime = deps.runtime ?? connectRuntime(options.criEndpoint, clock);
  const informers = deps.informers ?? createInformerFactory(client, deps);
  const pods = informers.informer<Pod>(Pods, { fieldSelector: `spec.nodeName=${nodeName}` });
  const services = informers.informer<Service>(Services);
  const logRoot = join(dataDir, "log", "pods");
  mkdirSync(logRoot, { recursive: true, mode: 0o755 });

  const machine = machineFacts(dataDir);
  const recorder = createEventRecorder(client, nodeName, { clock, log });
  const objects = createObjectCache(client, clock);
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
    memoryCapacity: machine.memoryBytes,
    allocatable: {
      cpu: String(machine.cpus),
      memory: String(machine.memoryBytes),
      "ephemeral-storage": String(machine.diskBytes),
    },
    runtime,
    client,
    clock,
    log,
    recorder,
    statuses: createStatusWriter(client, { clock, log, signal }),
    images: createImageManager(runtime, clock),
    volumes: createVolumeManager({ dataDir, objects, tokens: createTokenManager(client, clock), clock }),
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
      dataDir,
      labels: options.labels ?? {},
      podCidr: options.podCidr,
    },
    { client, runtime, recorder, clock, log, signal },
  );

  const rotation = runLogRotation({
    runtime,
    clock,
    log,
    signal,
    running: () => (manager === undefined ? [] : runningLogs(manager, logRoot)),
  });
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
      server = await startNodeServer({ address, port, dataDir, ...certificates }, context, manager);
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
      if (deps.runtime === undefined) runtime.close();
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
