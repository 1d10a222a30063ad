// The node's own objects: registers the Node, keeps its status true, and renews its Lease, by which the control
// plane knows that this node lives.

import { backoffDelay } from "#base/backoff.ts";
import { microTimestamp, type Clock } from "#base/clock.ts";
import { toError } from "#base/assert.ts";
import type { Logger } from "#base/log.ts";
import type { Random } from "#base/random.ts";
import type { Client } from "#client/client.ts";
import { Leases, Nodes } from "#client/refs.ts";
import type { ContainerRuntime } from "#cri/cri.ts";
import type { Image } from "#cri/messages.ts";
import type { Lease } from "#machinery/gen/types/coordination-v1.ts";
import type { Node, NodeStatus } from "#machinery/gen/types/core-v1.ts";
import { isApiError } from "#machinery/status.ts";
import type { EventRecorder } from "./event-recorder.ts";
import {
  leaseDurationSeconds,
  leaseRenewMs,
  nodeImageNamesMax,
  nodeImagesMax,
  nodeStatusCheckMs,
  nodeStatusReportMs,
  podsMax,
} from "./limits.ts";
import {
  newNode,
  nodeConditionEvent,
  nodeLabels,
  nodeStatusChanged,
  planNodeStatus,
  type MachineFacts,
  type RuntimeFacts,
} from "./plan/node-status.ts";

export interface NodeAgentOptions {
  readonly nodeName: string;
  readonly nodeIps: readonly string[];
  readonly port: number;
  /** `v1.36.0` */
  readonly version: string;
  readonly machine: () => MachineFacts;
  readonly labels: Readonly<Record<string, string>>;
  /** Addresses of this node's pods, when nobody else assigns them. */
  readonly podCidr: string | undefined;
}

export interface NodeAgentDeps {
  readonly client: Client;
  readonly runtime: ContainerRuntime;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const leaseNamespace = "kube-node-lease";
const retry = { initialMs: 200, maxMs: 7_000 } as const;

export interface NodeAgent {
  /** Resolves when the Node object is there with a status of this kubelet. */
  readonly registered: Promise<void>;
  readonly done: Promise<void>;
  /** Looks at the node's status now, without waiting for the next check. */
  check(): void;
}

async function runtimeFacts(runtime: ContainerRuntime): Promise<RuntimeFacts> {
  try {
    const [version, conditions] = await Promise.all([runtime.version(), runtime.conditions()]);
    const problem = (type: string, title: string): string | undefined => {
      const condition = conditions.find((found) => found.type === type);
      return condition?.status === true
        ? undefined
        : `${title}: ${type}=false reason:${condition?.reason ?? "Unknown"} message:${condition?.message ?? ""}`;
    };
    return {
      name: version.runtimeName,
      version: version.runtimeVersion.replace(/~.*$/, ""),
      problem: problem("RuntimeReady", "container runtime not ready"),
      networkProblem: problem("NetworkReady", "container runtime network not ready"),
    };
  } catch (thrown) {
    return {
      name: "containerd",
      version: "Unknown",
      problem: `container runtime is down: ${toError(thrown).message}`,
      networkProblem: undefined,
    };
  }
}

export function startNodeAgent(options: NodeAgentOptions, deps: NodeAgentDeps): NodeAgent {
  const { client, runtime, clock, random, log, signal } = deps;
  const { nodeName } = options;
  let known: Node | undefined;
  let reportedAt = -Infinity;
  let lease: Lease | undefined;
  let poke: () => void = () => undefined;

  async function currentStatus(): Promise<NodeStatus> {
    const [facts, images] = await Promise.all([
      runtimeFacts(runtime),
      runtime.listImages().catch((): Image[] => []),
    ]);
    return planNodeStatus({
      name: nodeName,
      addresses: options.nodeIps,
      port: options.port,
      version: options.version,
      podsMax,
      imagesMax: nodeImagesMax,
      imageNamesMax: nodeImageNamesMax,
      machine: options.machine(),
      runtime: facts,
      images,
      nowMs: clock.now(),
      old: known?.status,
    });
  }

  async function register(): Promise<void> {
    const status = await currentStatus();
    const labels = { ...nodeLabels(nodeName, status.nodeInfo?.architecture ?? ""), ...options.labels };
    try {
      const spec =
        options.podCidr === undefined ? {} : { podCIDR: options.podCidr, podCIDRs: [options.podCidr] };
      known = await client.create<Node>(Nodes, "", { ...newNode(nodeName, labels, status), spec });
      reportedAt = clock.monotonic();
      tellConditions(undefined, known);
      return;
    } catch (error) {
      if (!isApiError(error, "AlreadyExists")) throw error;
    }
    known = await client.get<Node>(Nodes, "", nodeName);
    const missing = Object.entries(labels).filter(([key, value]) => known?.metadata?.labels?.[key] !== value);
    if (missing.length > 0)
      known = await client.patch<Node>(Nodes, "", nodeName, "strategic", {
        metadata: { labels: Object.fromEntries(missing) },
      });
    await report();
  }

  async function report(): Promise<void> {
    if (known === undefined) return register();
    // Read anew: the control plane writes this status too (Unknown, where it took this node for lost), and only who
    // compares with what is there now finds out.
    const before = await client.get<Node>(Nodes, "", nodeName).catch((error: unknown) => {
      if (isApiError(error, "NotFound")) return undefined;
      throw error;
    });
    known = before;
    if (before === undefined) return register();
    const next = await currentStatus();
    const due = clock.monotonic() - reportedAt >= nodeStatusReportMs;
    if (!due && !nodeStatusChanged(before.status ?? {}, next)) return;
    try {
      known = await client.patch<Node>(
        Nodes,
        "",
        nodeName,
        "strategic",
        { status: { ...next, addresses: [{ $patch: "replace" }, ...(next.addresses ?? [])] } },
        "status",
      );
      reportedAt = clock.monotonic();
      tellConditions(before, known);
    } catch (error) {
      if (!isApiError(error, "NotFound")) throw error;
      // Someone deleted the node; it registers again.
      known = undefined;
      await register();
    }
  }

  /** One event per condition that has changed. */
  function tellConditions(before: Node | undefined, now: Node): void {
    for (const condition of now.status?.conditions ?? []) {
      const old = before?.status?.conditions?.find(({ type }) => type === condition.type);
      if (old?.status === condition.status) continue;
      const word = nodeConditionEvent(condition);
      if (word !== undefined)
        deps.recorder.event(
          { kind: "Node", name: nodeName, uid: nodeName },
          condition.type === "Ready" && condition.status !== "True" ? "Warning" : "Normal",
          word,
          `Node ${nodeName} status is now: ${word}`,
        );
    }
  }

  async function renewLease(): Promise<void> {
    const renewTime = microTimestamp(clock.now());
    if (lease !== undefined) {
      try {
        lease = await client.update<Lease>(Leases, { ...lease, spec: { ...lease.spec, renewTime } });
        return;
      } catch (error) {
        if (!isApiError(error, "Conflict") && !isApiError(error, "NotFound")) throw error;
      }
    }
    try {
      const found = await client.get<Lease>(Leases, leaseNamespace, nodeName);
      lease = await client.update<Lease>(Leases, {
        ...found,
        spec: { ...found.spec, holderIdentity: nodeName, leaseDurationSeconds, renewTime },
      });
    } catch (error) {
      if (!isApiError(error, "NotFound")) throw error;
      const uid = known?.metadata?.uid;
      lease = await client.create<Lease>(Leases, leaseNamespace, {
        apiVersion: "coordination.k8s.io/v1",
        kind: "Lease",
        metadata: {
          name: nodeName,
          namespace: leaseNamespace,
          // The lease goes with its node.
          ...(uid === undefined
            ? {}
            : { ownerReferences: [{ apiVersion: "v1", kind: "Node", name: nodeName, uid }] }),
        },
        spec: { holderIdentity: nodeName, leaseDurationSeconds, renewTime },
      });
    }
  }

  /** Does `work` again and again; after a failure sooner, with a growing pause. */
  async function repeat(
    what: string,
    work: () => Promise<void>,
    everyMs: number,
    pause: (ms: number) => Promise<void>,
  ): Promise<void> {
    let failures = 0;
    // Nodes that start together give their signs of life one after the other.
    let regularMs = everyMs * random.next();
    while (!signal.aborted) {
      try {
        await work();
        failures = 0;
      } catch (thrown) {
        failures += 1;
        const level = failures === 1 ? "debug" : "warn";
        log[level](`${what} failed`, { error: toError(thrown), failures });
      }
      await pause(failures === 0 ? regularMs : Math.min(everyMs, backoffDelay(failures, retry)));
      regularMs = everyMs;
    }
  }

  let nowRegistered: () => void = () => undefined;
  const registered = new Promise<void>((resolve) => (nowRegistered = resolve));
  const pokable = async (ms: number): Promise<void> => {
    const wake = new AbortController();
    poke = () => wake.abort();
    await clock.sleep(ms, AbortSignal.any([signal, wake.signal]));
  };
  const done = Promise.all([
    repeat(
      "the node's status",
      async () => {
        await report();
        nowRegistered();
      },
      nodeStatusCheckMs,
      pokable,
    ),
    repeat("the node's lease", renewLease, leaseRenewMs, (ms) => clock.sleep(ms, signal)),
  ]).then(() => undefined);
  return { registered, done, check: () => poke() };
}
