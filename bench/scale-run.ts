// One cluster in one process, for bench/scale.ts: brings nodes and pods up, tells what it took as one line of JSON.
//   scale-run.ts hollow NODES DEPLOYMENTS REPLICAS     kubelets over a simulated runtime
//   scale-run.ts bare NODES PODS                       Node objects without kubelets: until pods are bound

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay, PerformanceObserver } from "node:perf_hooks";
import { realClock } from "#base/clock.ts";
import { silentLogger } from "#base/log.ts";
import { realRandom } from "#base/random.ts";
import { createClient, type Client } from "#client/client.ts";
import { createHttpsTransport } from "#client/https-transport.ts";
import { accessOf, resolveContext } from "#client/kubeconfig.ts";
import { Deployments, Nodes, Pods } from "#client/refs.ts";
import { startCluster, type Cluster } from "#compose/index.ts";
import type { Deployment } from "#machinery/gen/types/apps-v1.ts";
import type { Node, Pod } from "#machinery/gen/types/core-v1.ts";
import type { DeepReadonly } from "#machinery/meta.ts";
import { createInformerFactory } from "#reconcile/informers.ts";
import { sampleNode } from "#scheduler/plan/sample.ts";
import { percentile } from "./stats.ts";

export interface ScaleResult {
  readonly nodesSeconds: number;
  /** From the first request until all pods … */
  readonly exist: number;
  readonly bound: number;
  readonly ready: number;
  readonly cpuMsPerPod: number;
  readonly megabytes: number;
  readonly idleShare: number;
  /** The same number of pods created, and nothing done with them. */
  readonly createdPerSecond: number;
  readonly getP50Ms: number;
  readonly getP99Ms: number;
  readonly longestGcMs: number;
  readonly longestTurnMs: number;
}

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const seconds = (from: number): number => (performance.now() - from) / 1000;
const lookEveryMs = 100;
const idleMs = 10_000;
const writers = 16;

let longestGcMs = 0;
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) longestGcMs = Math.max(longestGcMs, duration);
}).observe({ entryTypes: ["gc"] });

const podSpec = {
  containers: [{ name: "c", image: "web:v1", resources: { requests: { cpu: "10m", memory: "10Mi" } } }],
};

function deployment(name: string, replicas: number): Deployment {
  const labels = { app: name };
  return {
    metadata: { name },
    spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: podSpec } },
  };
}

/** So many at a time. */
async function each(count: number, make: (n: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: writers }, async () => {
      for (let n = next++; n < count; n = next++) await make(n);
    }),
  );
}

const isBound = ({ spec }: DeepReadonly<Pod>): boolean => (spec?.nodeName ?? "") !== "";
const isReady = ({ status }: DeepReadonly<Node | Pod>): boolean =>
  status?.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True") === true;

/** When all have come so far, in seconds from `from`, by the events of a watch: a list of so many would cost too much. */
async function watchPods(client: Client, wanted: number, from: number, last: "bound" | "ready") {
  const at: Record<"exist" | "bound" | "ready", number> = { exist: 0, bound: 0, ready: 0 };
  const counts: Record<"exist" | "bound" | "ready", number> = { exist: 0, bound: 0, ready: 0 };
  const done = Promise.withResolvers<void>();
  const count = (name: "exist" | "bound" | "ready", is: boolean, was: boolean): void => {
    if (is && !was && ++counts[name] === wanted) at[name] = seconds(from);
  };
  const informers = createInformerFactory(client, {
    clock: realClock,
    random: realRandom,
    log: silentLogger,
  });
  informers.informer<Pod>(Pods, { namespace: "default" }).onChange((pod, old) => {
    if (pod === undefined) return;
    count("exist", true, old !== undefined);
    count("bound", isBound(pod), old !== undefined && isBound(old));
    count("ready", isReady(pod), old !== undefined && isReady(old));
    if (at[last] > 0) done.resolve();
  });
  await informers.start();
  await done.promise;
  await informers.stop();
  return at;
}

/** Asks over TLS for one object again and again, as a user would meanwhile. */
async function userOf(cluster: Cluster): Promise<{ stop(): Promise<number[]> }> {
  const transport = createHttpsTransport(await accessOf(resolveContext(cluster.kubeconfig), ""));
  const client = createClient(transport);
  const times: number[] = [];
  let stopped = false;
  const done = (async () => {
    while (!stopped) {
      const from = performance.now();
      await client.get(Nodes, "", "hollow-0");
      times.push(performance.now() - from);
      await sleep(20);
    }
    await transport.close();
  })();
  return {
    async stop() {
      stopped = true;
      await done;
      return times;
    },
  };
}

/** What creating alone costs: the floor. */
async function createAlone(client: Client, count: number): Promise<number> {
  const from = performance.now();
  const name = (n: number): string => `floor-${n}`;
  await each(count, (n) =>
    client.create(Pods, "default", {
      metadata: { name: name(n) },
      spec: { ...podSpec, schedulerName: "nobody" },
    }),
  );
  const perSecond = count / seconds(from);
  await each(count, (n) => client.delete(Pods, "default", name(n), { gracePeriodSeconds: 0 }));
  return perSecond;
}

const floorPods = 1000;

async function hollow(nodes: number, deployments: number, replicas: number): Promise<ScaleResult> {
  const began = performance.now();
  // On disk, as a cluster that somebody relies on is.
  const dataDir = await mkdtemp(join(tmpdir(), "leme-bench-"));
  const cluster = await startCluster({ hollowNodes: { count: nodes, zones: 3 }, dataDir });
  const { client } = cluster;
  while ((await client.list<Node>(Nodes)).items.filter(isReady).length < nodes) await sleep(lookEveryMs);
  const nodesSeconds = seconds(began);
  const createdPerSecond = await createAlone(client, floorPods);
  const loop = monitorEventLoopDelay({ resolution: 5 });
  loop.enable();
  longestGcMs = 0;
  const user = await userOf(cluster);
  const cpuBefore = cpuMs();
  const from = performance.now();
  for (let n = 0; n < deployments; n++)
    await client.create(Deployments, "default", deployment(`web-${n}`, replicas));
  const pods = deployments * replicas;
  const at = await watchPods(client, pods, from, "ready");
  const cpuMsPerPod = (cpuMs() - cpuBefore) / pods;
  const times = await user.stop();
  const longest = { longestGcMs, longestTurnMs: loop.max / 1e6 };
  const idleBefore = cpuMs();
  await sleep(idleMs);
  const idleShare = (cpuMs() - idleBefore) / idleMs;
  const megabytes = process.memoryUsage().rss / 1e6;
  await cluster.stop();
  await rm(dataDir, { recursive: true, force: true });
  const get = { getP50Ms: percentile(times, 0.5), getP99Ms: percentile(times, 0.99) };
  return { nodesSeconds, ...at, cpuMsPerPod, megabytes, idleShare, createdPerSecond, ...get, ...longest };
}

async function bare(nodes: number, pods: number): Promise<ScaleResult> {
  const cluster = await startCluster({ controllers: ["*", "-node-lifecycle-controller"] });
  const { client } = cluster;
  const began = performance.now();
  await each(nodes, (n) => {
    const labels = { "topology.kubernetes.io/zone": `zone-${n % 3}` };
    const { status = {}, ...node } = sampleNode(`node-${n}`, { cpu: "8", memory: "32Gi", labels });
    return client
      .create<Node>(Nodes, "", { ...node, status: { ...status, capacity: status.allocatable ?? {} } })
      .then(() => client.patch(Nodes, "", `node-${n}`, "merge", { status }, "status"));
  });
  const nodesSeconds = seconds(began);
  const createdPerSecond = await createAlone(client, floorPods);
  const loop = monitorEventLoopDelay({ resolution: 5 });
  loop.enable();
  longestGcMs = 0;
  const cpuBefore = cpuMs();
  const from = performance.now();
  const made = each(pods, (n) =>
    client.create(Pods, "default", { metadata: { name: `pod-${n}` }, spec: podSpec }),
  );
  const at = await watchPods(client, pods, from, "bound");
  await made;
  const cpuMsPerPod = (cpuMs() - cpuBefore) / pods;
  const longest = { longestGcMs, longestTurnMs: loop.max / 1e6 };
  const megabytes = process.memoryUsage().rss / 1e6;
  await cluster.stop();
  const none = { idleShare: 0, getP50Ms: 0, getP99Ms: 0 };
  return { nodesSeconds, ...at, cpuMsPerPod, megabytes, createdPerSecond, ...none, ...longest };
}

const [kind, ...numbers] = process.argv.slice(2);
const [first = 0, second = 0, third = 0] = numbers.map(Number);
console.log(JSON.stringify(kind === "bare" ? await bare(first, second) : await hollow(first, second, third)));
