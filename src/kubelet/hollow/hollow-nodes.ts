// Many nodes in one process that run nothing: the same kubelet each, over a simulated machine. For tests and for scale;
// they are labelled, and say in their status what they are.

import type { Clock } from "#base/clock.ts";
import type { Logger } from "#base/log.ts";
import type { Random } from "#base/random.ts";
import { createClient } from "#client/client.ts";
import { Pods } from "#client/refs.ts";
import type { Transport } from "#machinery/api-request.ts";
import type { Pod } from "#machinery/gen/types/core-v1.ts";
import type { Component } from "#reconcile/component.ts";
import type { InformerFactory } from "#reconcile/informer.ts";
import { hollowLabel } from "#resources/core/hollow-label.ts";
import { createEventRecorder } from "../event-recorder.ts";
import { startKubelet } from "../kubelet.ts";
import { hollowMachine, warningsOnly, type HollowSize } from "./no-machine.ts";
import { NodePods } from "./node-pods.ts";
import { SimulatedRuntime, type SimulatedLoad } from "./simulated-runtime.ts";

export interface HollowNodesOptions {
  readonly count: number;
  /** `hollow-0`, `hollow-1`, … */
  readonly prefix: string;
  /** The number of the first. */
  readonly from: number;
  readonly size: HollowSize;
  readonly load: SimulatedLoad;
  /** Zones that the nodes are shared out over; none by default. */
  readonly zones: number;
  /** Tell in events what goes well, too. */
  readonly allEvents: boolean;
  /** `v1.36.0` */
  readonly version: string;
}

export interface HollowNodesDeps {
  /** The transport of one node's kubelet, with that node's identity where it has one. */
  readonly transportFor: (node: string) => Transport;
  /** Of all pods and Services; whoever made it starts and stops it. */
  readonly informers: InformerFactory;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Registering at once. */
const startsInFlightMax = 50;

/** Addresses that nobody routes: 100.64.0.0/10 is for such uses. */
function addresses(): () => string {
  let next = 1;
  return () => {
    const value = next++ % 2 ** 22;
    return `100.${64 + (value >> 16)}.${(value >> 8) & 255}.${value & 255}`;
  };
}

export interface HollowNodes extends Component {
  readonly names: readonly string[];
  /** What a real node serves under /metrics/resource; undefined for a node that is not one of these. */
  resourceMetrics(node: string): Promise<string> | undefined;
}

export function startHollowNodes(options: HollowNodesOptions, deps: HollowNodesDeps): HollowNodes {
  const { count, prefix, from, size, load, zones, allEvents, version } = options;
  const { informers, clock, random, log, transportFor } = deps;
  const names = Array.from({ length: count }, (_, at) => `${prefix}-${from + at}`);
  const view = new NodePods(informers.informer<Pod>(Pods));
  const podAddress = addresses();
  const nodeAddress = addresses();
  const kubelets: Component[] = [];
  const runtimes = new Map<string, SimulatedRuntime>();
  let stopped = false;

  function start(name: string, at: number): Component {
    const transport = transportFor(name);
    const recorder = createEventRecorder(createClient(transport, { userAgent: "leme-hollow" }), name, {
      clock,
      log,
    });
    const runtime = new SimulatedRuntime({ clock, random, load, address: podAddress });
    runtimes.set(name, runtime);
    const labels: Record<string, string> = { [hollowLabel]: "true" };
    if (zones > 0) labels["topology.kubernetes.io/zone"] = `zone-${at % zones}`;
    return startKubelet(
      {
        nodeName: name,
        nodeIp: nodeAddress(),
        clusterDns: [],
        clusterDomain: "cluster.local",
        criEndpoint: "",
        dataDir: "/hollow",
        cgroup: "hollow",
        version,
        labels,
      },
      {
        transport,
        clock,
        random,
        log,
        informers,
        pods: view.of(name),
        simulated: hollowMachine(name, size, runtime, allEvents ? recorder : warningsOnly(recorder)),
      },
    );
  }

  const ready = (async () => {
    for (let at = 0; at < names.length && !stopped; at += startsInFlightMax) {
      const batch = names.slice(at, at + startsInFlightMax).map((name, offset) => start(name, at + offset));
      kubelets.push(...batch);
      await Promise.all(batch.map((kubelet) => kubelet.ready));
    }
  })();
  ready.catch((error: unknown) => log.error("the hollow nodes cannot start", { error }));
  const { promise: done, resolve: finish } = Promise.withResolvers<void>();
  return {
    name: "hollow-nodes",
    names,
    ready,
    done,
    resourceMetrics: (node) => runtimes.get(node)?.resourceMetrics(),
    async stop() {
      stopped = true;
      view.stop();
      await Promise.all(kubelets.map((kubelet) => kubelet.stop()));
      finish();
    },
  };
}
